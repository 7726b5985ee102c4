// [data-editor="javascript|json|sql|text"]: its textarea becomes an Ace editor. The textarea stays the form's field.

const files = document.getElementById("editor-script").dataset;
let library;

const script = (src) => new Promise((resolve, reject) => {
  const element = Object.assign(document.createElement("script"), { src, async: false });
  element.addEventListener("load", resolve);
  element.addEventListener("error", reject);
  document.head.append(element);
});

async function loadAll() {
  for (const href of [files.style, files.styleLight, files.styleDark]) {
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
  }
  await script(files.ace);
  // Styles come from the files above: our Content-Security-Policy forbids those that a script writes.
  ace.config.set("useStrictCSP", true);
  ace.config.set("loadWorkerFromBlob", false);
  ace.config.setModuleUrl("ace/mode/javascript_worker", files.workerJavascript);
  ace.config.setModuleUrl("ace/mode/json_worker", files.workerJson);
  await Promise.all([files.searchbox, files.modeJavascript, files.modeJson, files.modeSql, files.themeDark, files.themeLight].map(script));
  return window.ace;
}

const theme = () => `ace/theme/github_${document.documentElement.dataset.bsTheme === "dark" ? "dark" : "light_default"}`;

async function enhance(box) {
  const area = box.querySelector("textarea");
  if (!area || box.dataset.ready) return;
  box.dataset.ready = "1";
  const { edit } = await (library ||= loadAll());
  const host = document.createElement("div");
  area.after(host);
  const editor = edit(host, {
    mode: `ace/mode/${box.dataset.editor}`, theme: theme(), value: area.value, readOnly: area.readOnly,
    minLines: 6, maxLines: Math.max(Number(area.rows) || 18, 12) * 2, tabSize: 2, useSoftTabs: true, fontSize: 13, showPrintMargin: false,
    enableKeyboardAccessibility: true, textInputAriaLabel: area.labels[0]?.textContent.trim() || "Code",
  });
  // The worker knows ES11 at most and would warn of what Node can do well: errors of the parser are enough.
  editor.session.on("changeMode", () => editor.session.$worker?.call("setOptions", [{ esversion: 11, asi: true }]));
  area.hidden = true;
  editor.session.on("change", () => {
    area.value = editor.getValue();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
  area.addEventListener("focus", () => editor.focus());
  area.labels[0]?.addEventListener("click", () => editor.focus());
  document.addEventListener("themechange", () => editor.setTheme(theme()));
  // Escape leaves the editor, so that Tab can move on: nobody is caught in it.
  editor.commands.addCommand({ name: "leave", bindKey: "Esc", exec: () => editor.blur() });
  box.editor = editor;
}

const enhanceAll = (root) => {
  if (root.matches?.("[data-editor]")) enhance(root);
  root.querySelectorAll?.("[data-editor]").forEach(enhance);
};
enhanceAll(document);
document.addEventListener("htmx:load", (event) => enhanceAll(event.target));
