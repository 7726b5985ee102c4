// What to do when a request by htmx fails: the page and all that was typed stay, and the same request can be sent again.

const resend = (detail) => {
  const { verb, path, elt, target, unfilteredParameters } = detail.requestConfig;
  if (elt.isConnected && verb !== "get" && elt.matches("form")) { elt.requestSubmit(); return; }
  htmx.ajax(verb, path, { source: elt.isConnected ? elt : document.body, target, values: unfilteredParameters }).catch(() => {});
};

const say = (detail, kind, text, retry = true) => document.dispatchEvent(new CustomEvent("notice", {
  detail: { kind, text, action: retry ? { label: "Try again", act: () => resend(detail) } : undefined },
}));

// The server's own explanation (errors/_fragment.html, or what is wrong with a form), shown where the part would have
// been, or above the page. What was typed stays in the browser: of a form with secrets, the server gives less back.
function showExplanation(detail) {
  const answer = new DOMParser().parseFromString(detail.xhr.responseText, "text/html");
  const found = answer.querySelector("[data-error-fragment], .form-errors");
  if (!found) return false;
  const panel = detail.requestConfig.elt.closest("[data-panel]");
  const place = panel || document.getElementById("problems");
  const dialog = document.querySelector("dialog[open]");
  const retry = found.querySelector("[data-retry]");
  retry?.addEventListener("click", (event) => { event.preventDefault(); found.remove(); resend(detail); });
  if (dialog) dialog.querySelector(".dialog-body")?.prepend(found);
  else if (panel) panel.replaceChildren(found);
  else place.replaceChildren(found);
  if (!panel) found.scrollIntoView({ block: "nearest" });
  return true;
}

document.addEventListener("htmx:responseError", (event) => {
  const { detail } = event;
  if (detail.requestConfig.elt.closest("[data-polling]")) return;
  if (detail.xhr.status === 401) { location.reload(); return; }
  if (showExplanation(detail)) return;
  const retry = detail.xhr.status >= 500 || detail.xhr.status === 429;
  say(detail, "danger", retry ? "The server could not answer. Nothing you typed is lost." : "The server refused this. Reload the page and look.", retry);
});
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    // A poll tries again by itself.
    if (event.detail.requestConfig.elt.closest("[data-polling]")) return;
    say(event.detail, "danger", "No answer from the server. Nothing you typed is lost.");
  });
}
// A redirect to the sign-in page inside a part would show a page within the page: go there instead.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.responseURL && new URL(xhr.responseURL).pathname.startsWith("/sign-in/")) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});
addEventListener("offline", () => document.dispatchEvent(new CustomEvent("notice", { detail: { kind: "warning", text: "You are offline." } })));
