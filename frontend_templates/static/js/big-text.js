// A text that is too long for a page, in a box with its own scrolling: pieces come when they come near, and go again.
import { fragment, get } from "./doors.js";
import { lineOf, rangeOf } from "./text-places.js";
import { make } from "./dialogs.js";

const NEAR = "1500px 0px";
const AT_ONCE = 100; // pieces that have a place in the box; browsers lay out only so much height
const KEPT = 30; // pieces whose text stays at hand when they leave the page

/** `element` holds the box. Fires "drawn" when a piece came into the page, "moved" when the reader scrolled. */
export class BigText extends EventTarget {
  constructor(door) {
    super();
    Object.assign(this, { door, kept: new Map(), first: 0, pieces: [] });
    this.box = make("div", { className: "big-box", tabIndex: 0, role: "group", ariaLabel: "The whole text" });
    this.earlier = make("button", { type: "button", className: "quiet", textContent: "Earlier", hidden: true });
    this.later = make("button", { type: "button", className: "quiet", textContent: "Later", hidden: true });
    this.list = make("div", {});
    this.box.append(this.earlier, this.list, this.later);
    this.earlier.addEventListener("click", () => this.#turn(this.first - AT_ONCE, false));
    this.later.addEventListener("click", () => this.#turn(this.first + AT_ONCE, true));
    this.box.addEventListener("scroll", () => this.dispatchEvent(new Event("moved")), { passive: true });
  }

  /** Asks where the pieces begin. Resolves to whether the server said so. Wants the box in the page. */
  async open() {
    const { kind, data } = await get(`${this.door}?pieces`);
    if (kind !== "done") return false;
    Object.assign(this, { at: data.at, characters: data.characters, lines: data.lines });
    this.#lay(0);
    return true;
  }

  /** The line at the upper edge of the box, counted from 1, about. */
  get line() {
    const place = this.#placeAt(this.box.scrollTop);
    const element = this.pieces[place];
    const share = Math.max(0, Math.min(1, (this.box.scrollTop - element.offsetTop) / element.offsetHeight));
    const [, line] = this.at[this.first + place];
    return line + Math.round(share * this.#linesOf(this.first + place));
  }

  async goToLine(number) {
    let index = last(this.at, (piece) => piece[1] <= number);
    while (index > 0 && this.at[index][2] && this.at[index][1] === number) index -= 1; // it begins inside that line
    const text = await this.#bring(index);
    return text && this.#scrollTo(lineOf(text, number - this.at[index][1]), 0);
  }

  start() {
    return this.goToLine(1);
  }

  async end() {
    const text = await this.#bring(this.at.length - 1);
    if (text) this.box.scrollTop = this.box.scrollHeight;
  }

  /** Bring that place into the sight of the box. Resolves to its range, or null where the server is away. */
  async show(offset, length) {
    const index = last(this.at, (piece) => piece[0] <= offset);
    const text = await this.#bring(index);
    const range = text && rangeOf(text, offset - this.at[index][0], length);
    return range && this.#scrollTo(range, this.box.clientHeight / 3);
  }

  #scrollTo(range, margin) {
    const edge = this.box.getBoundingClientRect().top + this.box.clientTop;
    this.box.scrollTop += range.getBoundingClientRect().top - edge - margin;
    return range;
  }

  // A piece that something goes to, in the page and filled. Resolves to the element of its text.
  async #bring(index) {
    if (index < this.first || index >= this.first + AT_ONCE) this.#lay(Math.floor(index / AT_ONCE) * AT_ONCE);
    const element = this.pieces[index - this.first];
    this.box.scrollTop = element.offsetTop;
    return (await this.#fill(index)) ? element.querySelector("pre") : null;
  }

  #turn(first, toStart) {
    this.#lay(first);
    this.box.scrollTop = toStart ? 0 : this.box.scrollHeight;
    this.box.focus({ preventScroll: true });
  }

  #lay(first) {
    this.sight?.disconnect();
    this.first = first;
    this.sight = new IntersectionObserver((entries) => entries.forEach((entry) => this.#noticed(entry)), { root: this.box, rootMargin: NEAR });
    const many = Math.min(AT_ONCE, this.at.length - first);
    this.#measure();
    this.pieces = Array.from({ length: many }, (_, place) => this.#reserved(first + place));
    this.list.replaceChildren(...this.pieces);
    this.earlier.hidden = first === 0;
    this.later.hidden = first + many >= this.at.length;
    this.pieces.forEach((element) => this.sight.observe(element));
  }

  #noticed({ target, isIntersecting }) {
    if (isIntersecting) this.#fill(Number(target.dataset.piece));
    else this.#empty(target);
  }

  #reserved(index) {
    const element = make("div", { className: "piece" });
    element.dataset.piece = index;
    const rows = Math.max(this.#linesOf(index), this.#charactersOf(index) / this.columns);
    element.style.height = `${Math.ceil(rows) * this.row}px`;
    return element;
  }

  async #fill(index) {
    const element = this.pieces[index - this.first];
    if (!element || element.firstChild) return Boolean(element);
    element.coming ??= this.#load(index, element).finally(() => (element.coming = null));
    return element.coming;
  }

  async #load(index, element) {
    const html = this.kept.get(index) ?? (await fragment(`${this.door}?from=${this.at[index][0]}`));
    if (html === null || !element.isConnected) return false;
    this.#keep(index, html);
    const text = new DOMParser().parseFromString(html, "text/html").querySelector("pre");
    this.#steady(element, () => {
      element.replaceChildren(text);
      element.style.height = "";
    });
    this.dispatchEvent(new Event("drawn"));
    return true;
  }

  #empty(element) {
    if (!element.firstChild || element.contains(getSelection().anchorNode)) return;
    element.style.height = `${element.offsetHeight}px`;
    element.replaceChildren();
  }

  // What is read stays where it is when a piece above it turns out to be of another height.
  #steady(element, change) {
    const [top, before] = [element.offsetTop, element.offsetHeight];
    change();
    if (top < this.box.scrollTop) this.box.scrollTop += element.offsetHeight - before;
  }

  #keep(index, html) {
    this.kept.delete(index);
    this.kept.set(index, html);
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value);
  }

  #measure() {
    const probe = make("pre", { className: "text", textContent: "0".repeat(50) });
    probe.style.width = "max-content";
    this.list.replaceChildren(probe);
    const { width, height } = probe.getBoundingClientRect();
    Object.assign(this, { row: height || 20, columns: Math.max(1, this.list.clientWidth / (width / 50 || 8)) });
  }

  #placeAt(top) {
    return Math.max(0, last(this.pieces, (element) => element.offsetTop <= top));
  }

  #linesOf(index) {
    return (this.at[index + 1]?.[1] ?? this.lines) - this.at[index][1] || 1;
  }

  #charactersOf(index) {
    return (this.at[index + 1]?.[0] ?? this.characters) - this.at[index][0];
  }
}

/** The place of the last one that passes, where all before it do. */
function last(list, passes) {
  let [low, high] = [-1, list.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (passes(list[middle])) low = middle;
    else high = middle - 1;
  }
  return low;
}
