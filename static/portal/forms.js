// Forms: sent once, what was typed is not lost by leaving, the result of a write takes the focus.

const busy = (form, on) => {
  form.toggleAttribute("data-sent", on);
  for (const button of form.querySelectorAll("button[type=submit], button:not([type])")) {
    button.setAttribute("aria-busy", String(on));
    // aria-disabled instead of disabled: the button's own value must still be sent.
    button.setAttribute("aria-disabled", String(on));
  }
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" && !form.hasAttribute("hx-post")) return;
  // A form that answers with a file leaves the page standing, and may be sent again.
  if (form.hasAttribute("data-download")) return;
  if (form.hasAttribute("data-sent")) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  busy(form, true);
  // Somebody may still stop this submit, once every listener has seen it.
  setTimeout(() => { if (event.defaultPrevented && !form.hasAttribute("hx-post")) busy(form, false); });
  clean(form);
}, true);

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest?.("form");
  if (form) busy(form, false);
});
// A page from the browser's back-forward cache must not come back with dead buttons.
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => busy(form, false)));

// Forms with data-guard warn before their changes are lost.
const changed = new Set();
const clean = (form) => { changed.delete(form); form.removeAttribute("data-changed"); };
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-guard]");
  if (form) { changed.add(form); form.setAttribute("data-changed", ""); }
});
document.addEventListener("reset", (event) => clean(event.target));
addEventListener("beforeunload", (event) => {
  if ([...changed].some((form) => form.isConnected)) event.preventDefault();
});

// Selects and boxes that filter a list send their form at once.
document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-autosubmit] select, form[data-autosubmit] input[type=checkbox]")) event.target.form.requestSubmit();
});

const focusMarked = (root) => root.querySelector?.("[data-focus]")?.focus();
if (!document.querySelector("dialog[open]")) focusMarked(document);
document.addEventListener("htmx:load", (event) => {
  if (event.target.matches?.("[data-focus]")) event.target.focus(); else focusMarked(event.target);
});
