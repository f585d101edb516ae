// Put into a page before its own scripts: how long a key press takes to show, which tasks were long, when keys work.
const probe = { presses: [], tasks: [], ready: null };
window.probe = probe;

new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) probe.tasks.push({ at: startTime, ms: duration });
}).observe({ type: "longtask", buffered: true });

new MutationObserver((_, observer) => {
  if (document.documentElement?.dataset.ready === undefined) return;
  probe.ready = performance.now();
  observer.disconnect();
}).observe(document, { subtree: true, attributeFilter: ["data-ready"] });

// Which step is in focus and which of its answers are given; on the bare page, the class that its handler toggles.
function shown() {
  const card = document.querySelector("[data-step][aria-current]");
  const pressed = card ? [...card.querySelectorAll("[aria-pressed=true]")].map((button) => button.dataset.choice) : [];
  return `${document.body.className} ${card?.id} ${pressed}`;
}

// Captured at the window, so before the page's own handlers.
addEventListener(
  "keydown",
  ({ key, timeStamp }) => {
    const before = shown();
    requestAnimationFrame(() => {
      const inFrame = shown() !== before;
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => probe.presses.push({ key, ms: performance.now() - timeStamp, inFrame });
      port2.postMessage(null); // comes once this frame has been laid out and painted
    });
  },
  true,
);
