// The page where somebody looks at a trajectory: moving, going where a strip or a line says, hiding, copying links.
import "./deep-link.js";
import { copy } from "./copy.js";
import { Keys } from "./keys.js";
import { Windows } from "./windows.js";

const $ = (selector) => document.querySelector(selector);
const list = $("ol.steps");
const says = $("[data-says]");
const tell = (words) => (says.textContent = words);
const windows = new Windows({ list, tell });

// Links to steps that are here already need no new page.
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="?at="]');
  if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  const index = new URLSearchParams(link.getAttribute("href").split("#")[0]).get("at");
  event.preventDefault();
  windows.go(Number(index));
});

// A press on a strip goes to the step under it.
document.addEventListener("click", ({ target, clientX }) => {
  const chart = target.closest("[data-strip]")?.querySelector("svg");
  if (!chart) return;
  const firsts = chart.closest("[data-firsts]").dataset.firsts.split(" ").map(Number);
  const { left, width } = chart.getBoundingClientRect();
  const place = Math.min(firsts.length - 1, Math.max(0, Math.floor(((clientX - left) / width) * firsts.length)));
  if (clientX <= left + width) windows.go(firsts[place]);
});

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-copy]");
  if (button) copy(new URL(button.dataset.copy, location.origin + location.pathname).href, tell);
});

// What is hidden stands in the address, so that a link shows what its sender saw.
const hide = $("[data-hide]");
hide.addEventListener("change", () => {
  const names = new FormData(hide).getAll("hide");
  list.dataset.hidden = names.join(" ");
  const address = new URL(location.href);
  address.searchParams.delete("hide");
  for (const name of names) address.searchParams.append("hide", name);
  history.replaceState(history.state, "", address);
});

// The line of the outline that says where one is.
function mark(index) {
  for (const line of document.querySelectorAll(".lines [aria-current]")) line.removeAttribute("aria-current");
  const line = $(`.lines [data-line="${index}"]`);
  if (!line) return;
  line.setAttribute("aria-current", "step");
  const box = line.closest(".outline");
  if (box.scrollHeight > box.clientHeight) box.scrollTop = line.offsetTop - box.clientHeight / 2;
}
list.addEventListener("step", ({ detail }) => mark(detail));

const rows = [
  { name: "next", keys: ["j"], repeats: true },
  { name: "previous", keys: ["k"], repeats: true },
];
new Keys(rows, { next: () => windows.move(1), previous: () => windows.move(-1) }).listen();

const here = /^#step-\d+$/.test(location.hash) && $(location.hash);
if (here) {
  windows.mark(here);
  mark(Number(here.dataset.step));
}
document.documentElement.dataset.ready = "";
