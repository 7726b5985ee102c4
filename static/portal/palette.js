// The command palette: every visible [data-command] of the page, by its words.

const dialog = document.getElementById("palette");
const input = document.getElementById("palette-input");
const results = document.getElementById("palette-list");
let commands = [];

const words = (element) => element.dataset.command || element.getAttribute("aria-label")
  || [...element.childNodes].filter((node) => !(node.classList?.contains("keys") || node.classList?.contains("count")))
    .map((node) => node.textContent).join(" ").replace(/\s+/g, " ").trim();

function collect() {
  const seen = new Set();
  commands = [...document.querySelectorAll("[data-command]")]
    .filter((element) => !element.disabled && !element.closest("dialog, [hidden]"))
    .map((element) => ({ element, text: words(element), key: element.dataset.key, icon: element.querySelector("svg") }))
    .filter(({ text }) => text && !seen.has(text) && seen.add(text));
}

// What the page itself can do comes first, then places, then other tenants.
const rank = ({ element }) => (element.closest("main") ? 0 : element.closest(".tenant-switch") ? 2 : 1);

// Every typed word must occur; a hit at the start of the text comes first.
function matching(query) {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  const score = ({ text }) => (text.toLowerCase().startsWith(wanted[0] || "") ? 0 : 1);
  return commands.filter(({ text }) => wanted.every((word) => text.toLowerCase().includes(word)))
    .sort((a, b) => score(a) - score(b) || rank(a) - rank(b));
}

function row({ text, key, icon }, index) {
  const item = document.createElement("li");
  item.id = `palette-${index}`;
  item.role = "option";
  if (icon) item.append(icon.cloneNode(true));
  item.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (key) {
    const keys = Object.assign(document.createElement("span"), { className: "keys" });
    keys.append(Object.assign(document.createElement("kbd"), { textContent: key }));
    item.append(keys);
  }
  return item;
}

let shown = [];
let chosen = 0;

function render() {
  shown = matching(input.value);
  results.replaceChildren(...shown.map(row));
  dialog.querySelector(".palette-none").hidden = shown.length > 0;
  choose(0);
}

function choose(index) {
  if (!shown.length) { input.removeAttribute("aria-activedescendant"); return; }
  chosen = (index + shown.length) % shown.length;
  [...results.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === chosen)));
  input.setAttribute("aria-activedescendant", `palette-${chosen}`);
  results.children[chosen].scrollIntoView({ block: "nearest" });
}

function run(index) {
  const command = shown[index];
  if (!command) return;
  dialog.close();
  command.element.click();
}

if (dialog) {
  input.addEventListener("input", render);
  input.addEventListener("keydown", (event) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) { event.preventDefault(); choose(chosen + move); }
    if (event.key === "Enter") { event.preventDefault(); run(chosen); }
  });
  results.addEventListener("click", (event) => {
    const item = event.target.closest("li");
    if (item) run([...results.children].indexOf(item));
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-dialog=palette]")) return;
    input.value = "";
    collect();
    render();
  });
}
