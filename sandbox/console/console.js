// Keeps codes, mail and requests current while nobody types or has selected anything.
const EVERY_MS = 3000;

async function refresh() {
  const live = document.getElementById("live");
  const busy = live.contains(document.activeElement) || !document.getSelection().isCollapsed;
  if (document.hidden || busy) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  live.replaceWith(page.getElementById("live"));
}

setInterval(() => refresh().catch(() => {}), EVERY_MS);
