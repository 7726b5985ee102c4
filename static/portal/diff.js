// Unified diffs as tables, by diff2html; the library is loaded by the first page part that holds a diff.

const { script, style } = document.getElementById("diff-script").dataset;
let library;

function load() {
  library ||= new Promise((resolve, reject) => {
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: style }));
    const element = Object.assign(document.createElement("script"), { src: script });
    element.addEventListener("load", () => resolve(window.Diff2Html));
    element.addEventListener("error", reject);
    document.head.append(element);
  });
  return library;
}

async function draw(box) {
  const plain = box.querySelector(".diff-plain");
  if (!plain || box.dataset.drawn) return;
  box.dataset.drawn = "1";
  const { html } = await load();
  const wide = box.clientWidth > 900;
  const drawn = document.createElement("div");
  drawn.innerHTML = html(plain.textContent, { drawFileList: false, matching: "lines", outputFormat: wide ? "side-by-side" : "line-by-line" });
  // diff2html escapes what it prints; an empty result means that the text was no diff, and the text stays.
  if (!drawn.querySelector(".d2h-file-wrapper")) return;
  drawn.querySelectorAll(".d2h-file-side-diff, .d2h-file-diff").forEach((part, index, all) => {
    Object.assign(part, { tabIndex: 0, role: "group", ariaLabel: all.length > 1 ? ["Before", "After"][index % 2] : "Difference" });
  });
  plain.hidden = true;
  box.append(drawn);
}

const drawAll = (root) => {
  if (root.matches?.("[data-diff]")) draw(root);
  root.querySelectorAll?.("[data-diff]").forEach(draw);
};
drawAll(document);
document.addEventListener("htmx:load", (event) => drawAll(event.target));
