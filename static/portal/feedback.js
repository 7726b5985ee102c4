// Copying, dismissing, and short notices in the corner (event "notice" with {kind, text, action: {label, act}}).

const copyText = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without HTTPS the clipboard API is missing.
    const field = Object.assign(document.createElement("textarea"), { value: text, className: "visually-hidden" });
    (document.querySelector("dialog[open]") || document.body).append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) {
    const done = await copyText(button.dataset.copy);
    button.classList.toggle("copied", done);
    notice({ kind: done ? "success" : "danger", text: done ? "Copied." : "The browser did not allow copying. Select the text instead." });
    setTimeout(() => button.classList.remove("copied"), 1500);
  }
  if (event.target.closest("[data-back]")) history.length > 1 ? history.back() : location.assign("/");
  event.target.closest("[data-dismiss]")?.parentElement.remove();
});

function notice({ kind = "info", text, action }) {
  const box = Object.assign(document.createElement("div"), { className: `toast-note toast-${kind}` });
  box.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (action) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm", textContent: action.label });
    button.addEventListener("click", () => { box.remove(); action.act(); });
    box.append(button);
  }
  const close = Object.assign(document.createElement("button"), { type: "button", className: "btn-close" });
  close.dataset.dismiss = "";
  close.setAttribute("aria-label", "Dismiss");
  box.append(close);
  document.getElementById("toasts")?.append(box);
  if (!action && kind !== "danger") setTimeout(() => box.remove(), 6000);
}

document.addEventListener("notice", (event) => notice(event.detail));
document.addEventListener("htmx:load", (event) => {
  if (event.target.matches?.("[data-toast]")) setTimeout(() => event.target.remove(), 8000);
});
