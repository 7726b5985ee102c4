// Keys: "/" search, "?" the list of keys, "g" then a letter goes to a place, and [data-key] is clicked by its own key.

const typing = (target) => target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], .ace_editor");
const visible = (element) => element.checkVisibility?.({ visibilityProperty: true }) ?? element.offsetParent !== null;
const label = (element) => {
  const copy = element.cloneNode(true);
  copy.querySelectorAll(".keys, .count").forEach((part) => part.remove());
  return element.dataset.command || element.getAttribute("aria-label") || copy.textContent.replace(/\s+/g, " ").trim();
};
const withKey = (key) => [...document.querySelectorAll("[data-key]")].find((element) => element.dataset.key === key && visible(element) && !element.disabled);

// Places of the navigation: the first letter of the label that is still free.
function places() {
  const taken = new Map();
  for (const link of document.querySelectorAll(".sidebar-nav a[data-command]")) {
    const letters = (link.dataset.go || label(link)).toLowerCase().replace(/[^a-z]/g, "");
    const letter = [...letters].find((one) => !taken.has(one));
    if (letter) taken.set(letter, link);
  }
  return taken;
}

let waitingForPlace = 0;

function act(key) {
  if (Date.now() < waitingForPlace) {
    waitingForPlace = 0;
    const place = places().get(key.toLowerCase());
    if (place) { place.click(); return true; }
  }
  if (key === "/") return focusSearch();
  if (key === "?") { showKeys(); return true; }
  const element = withKey(key);
  if (element) { element.matches("input, textarea, select") ? element.focus() : element.click(); return true; }
  if (key === "g") { waitingForPlace = Date.now() + 1500; return true; }
  return false;
}

function focusSearch() {
  const box = document.querySelector("[data-search]");
  if (!box) { document.querySelector("[data-dialog=palette]")?.click(); return true; }
  box.focus();
  box.select?.();
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if (!document.querySelector("dialog[open]")) document.querySelector("[data-dialog=palette]")?.click();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    // The box has the focus already where a page begins with it: nobody looks for a slash.
    if (event.key === "/" && event.target.matches("[data-search]") && !event.target.value) event.preventDefault();
    return;
  }
  if (act(event.key)) event.preventDefault();
});

function list(target, pairs) {
  target.replaceChildren(...pairs.flatMap(([keys, text]) => {
    const term = document.createElement("dt");
    const keyBox = document.createElement("span");
    keyBox.className = "keys";
    keyBox.append(...keys.split(" ").map((key) => Object.assign(document.createElement("kbd"), { textContent: key })));
    term.append(keyBox);
    return [term, Object.assign(document.createElement("dd"), { textContent: text })];
  }));
}

function showKeys() {
  const here = [...document.querySelectorAll("[data-key]")].filter((element) => visible(element) && !element.disabled);
  list(document.getElementById("keys-here"), here.map((element) => [element.dataset.key, label(element)]));
  document.getElementById("keys-none").hidden = here.length > 0;
  list(document.getElementById("keys-go"), [...places()].map(([letter, link]) => [`g ${letter}`, label(link)]));
  const dialog = document.getElementById("keys");
  if (!dialog.open) dialog.showModal();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-dialog=keys]")) showKeys();
});
