// Shows every <time datetime> in the reader's own zone and language; the server's UTC text stays for those without JS.
const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function localise(root) {
  for (const element of root.querySelectorAll("time[datetime]:not([data-local])")) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.valueOf())) continue;
    element.title = `${element.dateTime}`;
    element.textContent = format.format(moment);
    element.dataset.local = "";
  }
}

localise(document);
document.addEventListener("htmx:afterSettle", () => localise(document));
