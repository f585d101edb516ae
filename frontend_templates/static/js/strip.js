// One cell per step of the agent: what is said of it, what is suggested, where one is. Click or drag to go there.
import { keyOf } from "./store.js";

export class Strip {
  constructor({ root, store, steps, toneOf, titleOf }) {
    Object.assign(this, { root, store, steps, toneOf, titleOf });
    this.cells = new Map([...root.querySelectorAll("[data-cell]")].map((cell) => [Number(cell.dataset.cell), cell]));
    root.addEventListener("click", (event) => this.#go(event, true));
    root.addEventListener("pointermove", (event) => event.buttons === 1 && this.#go(event, false));
    root.addEventListener("dragstart", (event) => event.preventDefault());
    steps.addEventListener("move", ({ detail }) => this.#here(detail.step));
  }

  paint(step) {
    const { main, propagation } = this.store.scheme;
    const label = this.store.view.get(keyOf(step, main));
    const ghost = !label && propagation?.field === main && this.store.ghosts.has(step);
    const value = ghost ? propagation.value : (label?.value ?? null);
    const cell = this.cells.get(step);
    const tone = value === null ? "none" : this.toneOf(value);
    cell.dataset.tone = tone;
    cell.toggleAttribute("data-ghost", ghost);
    cell.toggleAttribute("data-propagated", label?.origin === "propagated");
    cell.querySelector("use").setAttribute("href", `#shape-${tone}`);
    const said = value === null ? "unlabelled" : this.titleOf(value) + (ghost ? ", suggested" : "");
    cell.setAttribute("aria-label", `Step ${this.steps.numberOf(step)}: ${said}`);
  }

  paintAll() {
    for (const step of this.cells.keys()) this.paint(step);
  }

  #go(event, click) {
    const cell = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-cell]") ?? (click ? event.target.closest("[data-cell]") : null);
    if (click) event.preventDefault();
    if (cell && (click || Number(cell.dataset.cell) !== this.steps.current)) this.steps.focus(Number(cell.dataset.cell));
  }

  // One stop for the Tab key, however many steps there are; the cell in focus stays in sight of a strip that scrolls.
  #here(step) {
    const before = this.root.querySelector("[aria-current]");
    before?.removeAttribute("aria-current");
    before?.setAttribute("tabindex", "-1");
    const cell = this.cells.get(step);
    cell.setAttribute("aria-current", "step");
    cell.setAttribute("tabindex", "0");
    const list = cell.closest("ol");
    if (list.scrollHeight > list.clientHeight) list.scrollTop = cell.offsetTop - list.clientHeight / 2;
    if (list.scrollWidth > list.clientWidth) list.scrollLeft = cell.offsetLeft - list.clientWidth / 2;
  }
}
