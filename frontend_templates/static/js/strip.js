// The whole trajectory at a glance: a cell per step, or per run of steps where there are many. Click or drag to go there.
import { make } from "./dialogs.js";

const MOST = 240; // cells; with more steps than that a cell stands for several
const AT_ONCE = 1000; // steps whose cells are painted without delay
const POINTED = { first_error: (value) => value, intervention: (value) => value?.step }; // kinds whose answer names a step
const WORST = ["none", "plain", "right", "neutral", "wrong"]; // what a cell of several steps shows of them

export class Strip {
  constructor({ root, store, steps, wording, marks = () => null }) {
    Object.assign(this, { list: root.querySelector("ol"), store, steps, wording, marks, stale: new Set() });
    this.pointing = store.scheme.fields.filter(({ kind }) => kind in POINTED);
    root.addEventListener("click", (event) => this.#go(event, true));
    root.addEventListener("pointermove", (event) => event.buttons === 1 && this.#go(event, false));
    root.addEventListener("dragstart", (event) => event.preventDefault());
    steps.addEventListener("move", ({ detail }) => this.#here(detail.step));
  }

  /** Draw it for the steps there are now. */
  build() {
    const { order } = this.steps;
    this.each = Math.max(1, Math.ceil(order.length / MOST));
    this.cells = [];
    for (let place = 0; place < order.length; place += this.each) this.cells.push(this.#cell(place, Math.min(place + this.each, order.length)));
    this.list.replaceChildren(...this.cells.map(({ element }) => make("li", {}, element)));
    this.list.classList.toggle("runs", this.each > 1);
    this.stale.clear();
    this.cells.forEach((cell) => this.#paint(cell));
    this.#here(this.steps.current ?? this.steps.wanted ?? order[0]);
  }

  /** Paint the cells of these steps; where they are many, once the page has answered the key: after the next frame. */
  paint(steps) {
    for (const step of steps) this.stale.add(this.#cellOf(step));
    if (this.stale.size * this.each < AT_ONCE) this.#refresh();
    else this.waiting ??= requestAnimationFrame(() => setTimeout(() => this.#refresh()));
  }

  /** The steps that look another way after these changes. */
  touchedBy(changes) {
    const own = this.wording.strip?.name;
    return changes.flatMap(({ step, field, before, after }) => {
      if (step !== null) return field.split("@")[0] === own ? [step] : [];
      const stepOf = POINTED[this.wording.spec(field).kind];
      return stepOf ? [before, after].map((label) => stepOf(label?.value)).filter(Number.isInteger) : [];
    });
  }

  #refresh() {
    this.waiting = null;
    this.stale.delete(undefined);
    for (const cell of this.stale) this.#paint(cell);
    this.stale.clear();
  }

  #cell(from, to) {
    const step = this.steps.order[from];
    const element = make("a", { className: "cell", href: `#step-${step}`, tabIndex: -1 });
    element.dataset.cell = step;
    element.append(document.querySelector("[data-cell-shape]").content.cloneNode(true));
    if (this.each === 1) element.append(make("span", { className: "cell-number", ariaHidden: "true", textContent: from + 1 }));
    return { element, from, to };
  }

  #cellOf(step) {
    return this.cells?.[Math.floor((this.steps.numberOf(step) - 1) / this.each)];
  }

  #paint({ element, from, to }) {
    const said = [];
    for (let place = from; place < to; place++) said.push(this.#said(this.steps.order[place]));
    const worst = said.reduce((one, other) => (worse(one.tone, other.tone) === one.tone ? one : other));
    element.dataset.tone = worst.tone;
    element.toggleAttribute("data-ghost", worst.ghost);
    element.toggleAttribute("data-offer", worst.offer);
    element.toggleAttribute("data-propagated", worst.propagated);
    element.toggleAttribute("data-pointed", said.some((one) => one.pointed));
    element.querySelector("use").setAttribute("href", `#shape-${worst.tone}`);
    element.setAttribute("aria-label", to - from === 1 ? `Step ${from + 1}: ${worst.title}` : `Steps ${from + 1} to ${to}: ${counted(said)}`);
    this.#mark(element, from, to);
  }

  // What others say beside one's own label: the length of a bar, from 0 to 1, and in words.
  #mark(element, from, to) {
    const marks = this.steps.order.slice(from, to).map((step) => this.marks(step)).filter(Boolean);
    const strongest = marks.reduce((one, other) => (other.share > one.share ? other : one), { share: -1 });
    element.toggleAttribute("data-mark", strongest.share >= 0);
    if (strongest.share < 0) return;
    element.style.setProperty("--mark", strongest.share.toFixed(3));
    element.title = strongest.title;
  }

  #said(step) {
    const { main, propagation } = this.store.scheme;
    const { name: field } = this.wording.strip ?? {};
    const labels = this.wording.strip ? this.store.names(step, this.wording.strip).map((name) => this.store.label(step, name)).filter(Boolean) : [];
    const offer = field === main ? this.store.offer(step) : null;
    const ghost = !labels.length && !offer && propagation?.field === field && this.store.ghosts.has(step);
    const values = labels.length ? labels.map(({ value }) => value) : [offer?.value ?? (ghost ? propagation.fills : null)].filter((value) => value !== null);
    const title = values.length ? values.map((value) => this.wording.title(field, value)).join("; ") + (ghost || offer ? ", suggested" : "") : "unlabelled";
    const pointed = this.#pointed(step);
    const tones = [...values.map((value) => this.wording.tone(value, field)), ...(pointed ? ["wrong"] : [])];
    return { tone: tones.reduce(worse, "none"), ghost, offer: Boolean(offer), propagated: labels.some(({ origin }) => origin === "propagated"), pointed: Boolean(pointed), title: pointed && !values.length ? pointed : [title, pointed].filter(Boolean).join("; ") };
  }

  // Which fields of the trajectory name this step, in words.
  #pointed(step) {
    return this.pointing.filter(({ name, kind }) => POINTED[kind](this.store.value(null, name)) === step).map(({ title }) => title).join(", ");
  }

  #go(event, click) {
    const under = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-cell]") ?? (click ? event.target.closest("[data-cell]") : null);
    if (click) event.preventDefault();
    const step = under && this.#stepAt(under, event, click);
    if (step !== null && step !== undefined && (click || step !== this.steps.current)) this.steps.focus(step);
  }

  // In a cell of several steps, the one that lies under the pointer; from the keyboard the first.
  #stepAt(element, event, click) {
    const cell = this.#cellOf(Number(element.dataset.cell));
    if (!cell || (click && event.detail === 0)) return cell && this.steps.order[cell.from];
    const { top, height, left, width } = element.getBoundingClientRect();
    const along = this.#isUpright() ? (event.clientY - top) / height : (event.clientX - left) / width;
    const share = Math.min(0.999, Math.max(0, along));
    return this.steps.order[cell.from + Math.floor(share * (cell.to - cell.from))];
  }

  #isUpright() {
    return this.list.scrollHeight > this.list.scrollWidth;
  }

  // One stop for the Tab key, however many steps there are; the cell in focus stays in sight of a strip that scrolls.
  #here(step) {
    const before = this.list.querySelector("[aria-current]");
    before?.removeAttribute("aria-current");
    before?.setAttribute("tabindex", "-1");
    const cell = this.#cellOf(step)?.element;
    if (!cell) return;
    cell.setAttribute("aria-current", "step");
    cell.setAttribute("tabindex", "0");
    const { list } = this;
    if (list.scrollHeight > list.clientHeight) list.scrollTop = cell.offsetTop - list.clientHeight / 2;
    if (list.scrollWidth > list.clientWidth) list.scrollLeft = cell.offsetLeft - list.clientWidth / 2;
  }
}

const worse = (one, other) => (WORST.indexOf(other) > WORST.indexOf(one) ? other : one);

function counted(said) {
  const counts = new Map();
  for (const { title } of said) counts.set(title, (counts.get(title) ?? 0) + 1);
  return [...counts].map(([title, count]) => `${count} ${title}`).join(", ");
}
