// The links beside a step's name, to steps it was tried after or with: they lead there without a new page.

export function beside({ feed, steps }) {
  feed.root.addEventListener("click", (event) => {
    const link = event.target.closest('.besides a[href^="?at="]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    const step = Number(new URLSearchParams(link.getAttribute("href").split("#")[0]).get("at"));
    if (!steps.has(step)) return;
    event.preventDefault();
    steps.focus(step);
  });
}
