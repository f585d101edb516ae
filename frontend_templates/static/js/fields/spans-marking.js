// Marking in the texts: what is selected there is offered to the field it can be said in, whoever selected it: a mouse, a
// finger, or the caret of spans-caret.js. One for the page.
import { isText, namesOf } from "../keys.js";
import { Caret } from "./spans-caret.js";
import { Written } from "./spans-places.js";
import { same } from "./spans-value.js";

const REST = 250; // ms after which a selection that grows under a finger or a key counts as made
const blockOf = (node) => (node?.nodeType === Node.ELEMENT_NODE ? node : node?.parentElement)?.closest(".block[data-door]") ?? null;

let only = null;

export const marking = (desk) => (only ??= new Marking(desk));

class Marking {
  constructor(desk) {
    Object.assign(this, { desk, marks: new Set(), known: new WeakMap(), offered: null, linking: null, pressed: false, caret: new Caret(this) });
    const { root } = desk.feed;
    desk.texts.addEventListener("drawn", ({ detail: { block } }) => this.#drawn(block));
    document.addEventListener("selectionchange", () => this.#selected());
    document.addEventListener("pointerdown", () => (this.pressed = true), { capture: true });
    for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => this.#released(), { capture: true });
    document.addEventListener("keydown", (event) => this.#key(event), { capture: true });
    root.addEventListener("click", (event) => this.#click(event));
    for (const sign of ["scroll", "resize"]) addEventListener(sign, () => this.#follow(), { passive: true, capture: true });
  }

  join(marks) {
    this.marks.add(marks);
  }

  part(marks) {
    this.marks.delete(marks);
    if (this.offered?.marks === marks) this.offered = null;
    if (this.caret.marks === marks) this.caret.leave();
  }

  /** A text as it stands in the page; null where it does not. */
  written(block) {
    if (!block) return null;
    if (!this.known.has(block)) this.known.set(block, new Written(block, this.desk.texts));
    return this.known.get(block);
  }

  /** A caret in the first text of the field, to select by key. */
  async begin(marks) {
    const blocks = this.textsOf(marks.step, (part) => marks.takes(marks.step, part));
    if (!marks.isOpen) return undefined;
    if (!blocks.length) return this.desk.tell(`${marks.spec.title}: this step has no such text.`);
    return this.caret.enter(marks, blocks[0]);
  }

  /** The texts of a step that are in the page, in order. */
  textsOf(step, passes = () => true) {
    return [...(this.desk.feed.card(step)?.querySelectorAll(".block[data-door]") ?? [])].filter(({ dataset }) => Number(dataset.of) === step && passes(dataset.part));
  }

  /** From now on what is selected, in whichever step, is the evidence of that span. */
  beginLink(marks, span) {
    marks.bar.close();
    this.linking = { marks, span };
    document.documentElement.toggleAttribute("data-linking", true);
    this.desk.tell("Select the words that speak for it, in any step. Enter takes them, Esc stops.");
    this.caret.enter(marks, marks.block(span.part), { start: span.start });
  }

  takeEvidence() {
    const { marks, span } = this.linking;
    const { block, start, end } = this.offered;
    const evidence = { step: Number(block.dataset.of), part: block.dataset.part, start, end };
    const held = marks.spans.find((one) => same(one, span));
    this.drop();
    this.caret.leave();
    getSelection().removeAllRanges();
    if (held) marks.change(held, { ...held, evidence });
    if (held) marks.list.row(held)?.focus();
    this.desk.tell("That speaks for it now.");
  }

  /** A span was made of what is offered: nothing is selected any more. */
  added(marks) {
    const { range } = this.offered ?? {};
    this.#forget();
    marks.bar.close();
    if (this.caret.isOn) this.caret.collapse();
    else if (range) getSelection().removeAllRanges();
  }

  /** Forget what is selected, and that evidence is looked for. */
  drop() {
    if (this.linking) document.documentElement.removeAttribute("data-linking");
    this.linking = null;
    this.#forget();
  }

  /** What is selected in a text that is laid out, in the text as it was written: chosen there where it stands once. */
  async showWritten(marks) {
    const { block, words } = this.offered;
    this.#forget();
    marks.bar.close();
    if (!(await this.desk.texts.showOffset(Number(block.dataset.of), block.dataset.part, 0, 1))) return;
    const text = this.written(block);
    const whole = text.text(0, text.end);
    const at = whole.indexOf(words);
    if (at < 0 || whole.indexOf(words, at + 1) >= 0) return this.desk.tell("This is the text as it was written. Select the words here.");
    const start = [...whole.slice(0, at)].length;
    const [range] = text.rangesOf(start, start + [...words].length);
    getSelection().setBaseAndExtent(range.startContainer, range.startOffset, range.endContainer, range.endOffset);
    return undefined;
  }

  #forget() {
    const { marks } = this.offered ?? {};
    this.offered = null;
    if (!marks) return;
    marks.pending = null;
    if (marks.bar.mode !== "edit") marks.bar.close();
  }

  // The fields that can say something of this text.
  #takers(block) {
    const [step, part] = [Number(block.dataset.of), block.dataset.part];
    if (Number.isNaN(step)) return []; // it stands beside another, to be compared
    if (this.linking) return [this.linking.marks];
    const found = [...this.marks].filter((one) => one.isOpen && one.takes(step, part));
    return this.caret.isOn ? found.sort((one) => (one === this.caret.marks ? -1 : 1)) : found;
  }

  #selected() {
    if (!this.pressed) this.#soon(this.caret.isOn ? 0 : REST);
  }

  #released() {
    this.pressed = false;
    this.#soon(0);
  }

  #soon(ms) {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.look(), ms);
  }

  /** See what is selected now, and offer it. */
  look() {
    clearTimeout(this.resting);
    this.resting = null;
    const selection = getSelection();
    const range = selection.rangeCount && !selection.isCollapsed ? selection.getRangeAt(0) : null;
    const block = range && this.#blockOf(range);
    const [marks] = block && this.desk.feed.root.contains(block) ? this.#takers(block) : [];
    if (!marks) return this.#forget();
    if (this.offered?.marks !== marks) this.#forget();
    const text = this.written(block);
    if (!text.isExact) {
      this.offered = { marks, block, words: String(selection), range };
      return marks.bar.lay(range);
    }
    const place = text.placeOf(range);
    if (!place || place.start === place.end) return this.#forget();
    this.offered = { marks, block, ...place, range };
    return this.#offer(marks, block, place);
  }

  #offer(marks, block, place) {
    const found = { part: block.dataset.part, ...place };
    const step = Number(block.dataset.of);
    const words = marks.excerpt(found, step);
    const [range] = this.written(block).rangesOf(place.start, place.end);
    for (const one of this.marks) if (one.chosen) one.choose(null);
    if (this.linking) return marks.bar.link(range, words);
    marks.pending = found;
    return marks.bar.offer(range, words);
  }

  // The text in which it lies; a triple click goes on to the beginning of what follows, and takes nothing of it.
  #blockOf(range) {
    const block = blockOf(range.startContainer);
    const shown = block?.querySelector(":scope > .shown");
    if (!shown?.contains(range.startContainer)) return null;
    if (shown.contains(range.endContainer)) return block;
    const rest = range.cloneRange();
    rest.setStartAfter(shown);
    if (String(rest).trim()) return null;
    range.setEnd(shown, shown.childNodes.length);
    return block;
  }

  /** The type that a key press means to the field; undefined where it means none. */
  typeOf(marks, event) {
    const names = namesOf(event);
    const place = marks.keys.findIndex((keys) => names.some((name) => keys.includes(name)));
    return place < 0 ? undefined : marks.spec.types[place].value;
  }

  // What is selected takes the keys of the types before the page does.
  #key(event) {
    if (event.defaultPrevented || event.isComposing || this.caret.holds(event.target) || isText(event.target)) return;
    if (this.resting || this.offered) this.look(); // whoever is quick has selected already
    if (!this.offered) return;
    const { marks } = this.offered;
    if (marks.bar.element.contains(event.target)) return;
    if (this.keyOfOffer(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  /** What a key does with what is selected. Returns whether it does anything. */
  keyOfOffer(event) {
    const { marks } = this.offered;
    if (event.key === "Escape") {
      getSelection().removeAllRanges();
      this.drop();
      return true;
    }
    if (this.linking) {
      if (event.key !== "Enter" || marks.bar.mode !== "link") return false;
      this.takeEvidence();
      return true;
    }
    if (marks.bar.mode !== "offer") return false;
    const type = event.key === "Enter" && marks.spec.types.length === 1 ? marks.spec.types[0].value : this.typeOf(marks, event);
    if (type === undefined) return false;
    marks.add(marks.pending, type);
    return true;
  }

  // A press on a span chooses it; again, the next one that is there too.
  #click({ target, clientX, clientY }) {
    const block = blockOf(target);
    if (!block || target.closest("button, a") || !getSelection().isCollapsed) return;
    const [step, part] = [Number(block.dataset.of), block.dataset.part];
    const here = [...this.marks].filter((one) => one.step === step && !one.field.element.hidden).flatMap((marks) => this.#under(marks, block, part, clientX, clientY));
    for (const marks of this.marks) if (marks.chosen && !here.some((one) => one.marks === marks)) marks.choose(null);
    if (!here.length) return;
    const at = here.findIndex(({ marks, span }) => same(span, marks.chosen));
    const { marks, span } = here[(at + 1) % here.length];
    marks.choose(span);
  }

  #under(marks, block, part, x, y) {
    const inside = (range) => [...range.getClientRects()].some(({ left, right, top, bottom }) => x >= left && x <= right && y >= top && y <= bottom);
    const text = this.written(block);
    return marks.spans.filter((span) => span.part === part && text.rangesOf(span.start, span.end).some(inside)).map((span) => ({ marks, span }));
  }

  // Another text stands in a block: what was drawn there is gone with the old one.
  #drawn(block) {
    this.known.delete(block);
    if (this.caret.block === block && !this.caret.entering) this.caret.stay();
    for (const marks of this.marks) {
      if (marks.step === Number(block.dataset.of) || marks.chosen) marks.draw();
      if (marks.step === Number(block.dataset.of)) marks.list.paint();
    }
  }

  #follow() {
    this.following ??= requestAnimationFrame(() => {
      this.following = null;
      for (const { bar } of this.marks) bar.place();
      this.caret.paint();
    });
  }
}
