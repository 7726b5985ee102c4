// <dialog> elements: opened by [data-dialog="id"], closed by [data-close], Esc or a click beside them.

const firstToFill = (dialog) =>
  [...dialog.querySelectorAll("input, select, textarea")].find((field) => field.required && !field.value && !field.disabled);

export function open(dialog) {
  if (!dialog || dialog.open) return;
  dialog.showModal();
  // What must be typed comes first; where nothing must, Enter confirms.
  const start = dialog.querySelector("[aria-invalid=true]") || firstToFill(dialog) || dialog.querySelector("[data-confirm]");
  (start || dialog.querySelector("[autofocus]"))?.focus();
  checkTyped(dialog);
}

// The confirm button of a dangerous act stays off until the name is typed.
function checkTyped(dialog) {
  const field = dialog.querySelector("[data-must-be]");
  const button = dialog.querySelector("[data-confirm]");
  if (field && button) button.disabled = field.value.trim() !== field.dataset.mustBe;
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    event.preventDefault();
    open(document.getElementById(opener.dataset.dialog));
  } else if (event.target.closest("[data-close]")) {
    event.target.closest("dialog")?.close();
  } else if (event.target.nodeName === "DIALOG" && !event.target.querySelector("[data-changed]")) {
    event.target.close();
  }
});

document.addEventListener("input", (event) => {
  const dialog = event.target.closest("dialog");
  if (dialog) checkTyped(dialog);
});

const openMarked = (root) => root.querySelectorAll?.("dialog[data-open]").forEach(open);
openMarked(document);
document.addEventListener("htmx:load", (event) => openMarked(event.target));
// After an act by htmx has worked, its dialog is done.
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) event.target.closest?.("dialog")?.close();
});
