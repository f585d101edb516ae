// The head of the label page: how far one is, and which ends the item has now.
import { count, countWhole, gates, isOpenAt } from "./counts.js";

const MANY = 1000; // steps beyond which counting waits until the page has answered the key
const $ = (selector) => document.querySelector(selector);

export class Head {
  constructor({ store, data, closed, whole, isGrowing }) {
    Object.assign(this, { store, data, closed, whole, isGrowing });
  }

  paintCounts() {
    const { store, closed } = this;
    if (store.steps.length < MANY) this.#count();
    else this.waiting ??= requestAnimationFrame(() => setTimeout(() => this.#count()));
    const open = store.ghosts.size + [...store.offered.keys()].filter((step) => store.offer(step)).length;
    $("[data-suggested]").textContent = open ? `+ ${open} suggested` : "";
    $("[data-do=undo]").disabled = closed || !store.canUndo;
    $("[data-do=redo]").disabled = closed || !store.canRedo;
  }

  #count() {
    this.waiting = null;
    const { done, all } = count(this.store);
    $("[data-count]").textContent = `${done} ${this.store.frontier === null ? `of ${all}` : "so far"}`;
    this.whole.count(gates(this.store.scheme, this.store.revealed).length ? countWhole(this.store) : { all: 0 });
  }

  paintEnds() {
    const { store, data, closed } = this;
    const first = data.mode === "progressive" && !data.revealed;
    $("[data-do=submit]").hidden = closed || first;
    $("[data-do=reveal]").hidden = closed || !first;
    $("[data-do=reveal]").disabled = this.isGrowing() || (first && store.steps.some((step) => isOpenAt(store, step)));
    $("[data-do=reopen]").hidden = !closed;
    $("[data-do=others]").hidden = data.state !== "submitted";
    if (closed) $("[data-do=skip]").disabled = true;
  }
}
