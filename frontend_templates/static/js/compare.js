// Rollouts side by side: moving by rows, and from one divergence to the next.
import { Keys } from "./keys.js";
import { Windows } from "./windows.js";

const list = document.querySelector(".compare .rows");
const says = document.querySelector("[data-says]");
const tell = (words) => (says.textContent = words);
const windows = new Windows({ list, tell, item: ".row", prefix: "row-" });

/** To the next divergence (1) or the one before (-1), also where its row is not in the page yet. */
function diverge(direction) {
  const here = windows.current ? Number(windows.current.dataset.step) : 0;
  const rows = [...list.querySelectorAll("[data-diverges]")].filter((row) => (Number(row.dataset.step) - here) * direction > 0);
  const row = direction > 0 ? rows[0] : rows.at(-1);
  if (row) return windows.focus(row);
  const beyond = list.querySelector(`[data-more=${direction > 0 ? "later" : "earlier"}][data-divergence]`);
  if (beyond) return windows.go(Number(beyond.dataset.divergence));
  return tell(direction > 0 ? "Nobody leaves the first after this." : "Nobody leaves the first before this.");
}

const table = [
  { name: "next", keys: ["j"], repeats: true },
  { name: "previous", keys: ["k"], repeats: true },
  { name: "divergence", keys: ["n"] },
  { name: "divergenceBefore", keys: ["N"] },
];
new Keys(table, {
  next: () => windows.move(1),
  previous: () => windows.move(-1),
  divergence: () => diverge(1),
  divergenceBefore: () => diverge(-1),
}).listen();

const here = /^#row-\d+$/.test(location.hash) && document.querySelector(location.hash);
if (here) windows.focus(here);
document.documentElement.dataset.ready = "";
