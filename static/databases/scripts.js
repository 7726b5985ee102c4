// One script at a time, and findings that lead to their line. Without this, all scripts stand one below the other.

const root = document.querySelector("[data-scripts]");
const panels = [...root.querySelectorAll("[data-script]")];
const tabs = [...root.querySelectorAll("[data-script-tab]")];
const remembered = root.querySelector("input[name=script]");

const editorOf = (panel) => panel.querySelector("[data-editor]")?.editor;

function show(name) {
  const wanted = panels.find((panel) => panel.dataset.script === name) ?? panels[0];
  for (const panel of panels) panel.hidden = panel !== wanted;
  for (const tab of tabs) {
    const active = tab.dataset.scriptTab === wanted.dataset.script;
    tab.classList.toggle("active", active);
    if (active) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
  }
  remembered.value = wanted.dataset.script;
  editorOf(wanted)?.resize(true);
  return wanted;
}

const fromAddress = () => location.hash.replace("#script-", "");

function go(name, line) {
  const editor = editorOf(show(name));
  if (!editor) return;
  editor.resize(true);
  if (line > 0) editor.gotoLine(line, 0, false);
  editor.focus();
}

root.addEventListener("click", (event) => {
  const tab = event.target.closest("[data-script-tab]");
  const finding = event.target.closest("[data-go-script]");
  if (!tab && !finding) return;
  event.preventDefault();
  const name = tab ? tab.dataset.scriptTab : finding.dataset.goScript;
  history.replaceState(history.state, "", `#script-${name}`);
  if (tab) show(name);
  else go(name, Number(finding.dataset.goLine));
});
window.addEventListener("hashchange", () => show(fromAddress()));
show(fromAddress());
