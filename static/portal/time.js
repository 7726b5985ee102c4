// Times in the reader's own time zone and language, kept fresh. The server's text stands where this does not run.

const units = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

function words(moment) {
  const seconds = (moment - Date.now()) / 1000;
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) || [];
  return unit ? relative.format(Math.trunc(seconds / size), unit) : seconds > 0 ? "in a moment" : "just now";
}

function refresh(root) {
  for (const element of root.querySelectorAll("time[data-when]")) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    element.textContent = words(moment);
    element.title = exact.format(moment);
  }
  for (const element of root.querySelectorAll("time[data-clock]")) element.textContent = clock.format(new Date(element.dateTime));
}

refresh(document);
setInterval(() => refresh(document), 30000);
document.addEventListener("htmx:load", (event) => refresh(event.target.parentNode || document));
