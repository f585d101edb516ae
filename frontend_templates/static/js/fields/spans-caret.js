// A caret in a text, to select words from the keyboard. The browser moves its own selection, so that lines, words and the
// direction of writing are as everywhere; what it does not draw in a text that cannot be changed, the caret, is drawn here.
import { make } from "../dialogs.js";
import { nameOf } from "./spans-value.js";

const MOVES = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "backward", ArrowDown: "forward" };
const EDGE = 90; // px from the window's edges within which the caret does not stay

export class Caret {
  constructor(marking) {
    Object.assign(this, { marking, marks: null, block: null, shown: null, entering: false, coming: null });
    this.line = make("div", { className: "span-caret", hidden: true });
    document.body.append(this.line);
    this.onKey = (event) => this.#key(event);
    this.onBlur = ({ relatedTarget }) => this.#blurred(relatedTarget);
  }

  get desk() {
    return this.marking.desk;
  }

  get isOn() {
    return this.shown !== null;
  }

  holds(target) {
    return this.isOn && this.shown.contains(target);
  }

  /** Into that text, brought as it was written. */
  async enter(marks, block, { start = 0 } = {}) {
    this.entering = true;
    const range = await this.desk.texts.showOffset(Number(block.dataset.of), block.dataset.part, start, 1);
    this.entering = false;
    if (!range) return this.desk.tell("This text cannot be marked.");
    this.leave();
    Object.assign(this, { marks, block });
    this.#hold(block.querySelector(":scope > .shown"));
    getSelection().collapse(range.startContainer, range.startOffset);
    this.#arrive();
    return undefined;
  }

  /** The text of the block was drawn anew: go on in it. */
  stay() {
    const shown = this.block.querySelector(":scope > .shown");
    if (shown !== this.shown) this.leave();
  }

  leave() {
    if (!this.isOn) return;
    const { shown } = this;
    this.shown = null;
    this.line.hidden = true;
    shown.removeEventListener("keydown", this.onKey);
    shown.removeEventListener("focusout", this.onBlur);
    for (const name of ["role", "tabindex", "aria-readonly", "aria-multiline", "aria-label", "data-marking"]) shown.removeAttribute(name);
  }

  collapse() {
    const selection = getSelection();
    if (selection.rangeCount) selection.collapseToEnd();
    this.#arrive();
  }

  paint() {
    const selection = getSelection();
    this.line.hidden = !this.isOn || !selection.rangeCount;
    if (this.line.hidden) return;
    const { left, top, height } = this.#place(selection);
    Object.assign(this.line.style, { left: `${left - 1}px`, top: `${top}px`, height: `${height}px` });
  }

  // Its role keeps the page's own keys away, as in a text field.
  #hold(shown) {
    this.shown = shown;
    const what = `${nameOf(this.block.dataset.part)}: arrows move, Shift selects, Tab goes to the next text, Esc leaves`;
    const facts = { role: "textbox", tabindex: "0", "aria-readonly": "true", "aria-multiline": "true", "aria-label": what, "data-marking": "" };
    for (const [name, value] of Object.entries(facts)) shown.setAttribute(name, value);
    shown.addEventListener("keydown", this.onKey);
    shown.addEventListener("focusout", this.onBlur);
    const { anchorNode, anchorOffset } = getSelection();
    shown.focus({ preventScroll: true });
    if (anchorNode && shown.contains(anchorNode)) getSelection().collapse(anchorNode, anchorOffset);
  }

  #blurred(to) {
    if (this.entering || to?.closest?.("[data-bar]") || !document.hasFocus()) return;
    this.leave();
    this.marking.look();
  }

  #key(event) {
    if (event.isComposing || event.metaKey) return;
    if (this.coming) this.coming.then(() => this.isOn && this.#act(event)); // the end of a long text is on its way
    else if (!this.#act(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  #act(event) {
    const means = event.key === "Enter" || this.marking.typeOf(this.marks, event) !== undefined;
    if (means) this.marking.look(); // the browser tells of a selection a moment after it is made
    return Boolean(means && this.marking.offered && this.marking.keyOfOffer(event)) || this.#deed(event);
  }

  #deed(event) {
    const { key, shiftKey: extends_, ctrlKey, altKey } = event;
    if (key in MOVES) return this.#move(extends_, MOVES[key], key === "ArrowUp" || key === "ArrowDown" ? "line" : ctrlKey || altKey ? "word" : "character");
    if ((key === "Home" || key === "End") && ctrlKey) return this.#far(extends_, key === "End");
    if (key === "Home" || key === "End") return this.#move(extends_, key === "Home" ? "backward" : "forward", "lineboundary");
    if (key === "a" && ctrlKey) return this.#all();
    if (ctrlKey || altKey) return false;
    if (key === "Tab") return this.#next(extends_ ? -1 : 1);
    if (key === "PageUp" || key === "PageDown") return this.#turn(key === "PageDown" ? 1 : -1);
    if (key === "Escape") return this.#escape();
    if (key === "Enter" && this.marking.offered) return this.marking.offered.marks.bar.focus() ?? true;
    if (this.marking.typeOf(this.marks, event) === undefined) return false;
    this.desk.tell("Nothing is selected: hold Shift and move.");
    return true;
  }

  #move(extend, direction, unit) {
    const selection = getSelection();
    const { anchorNode, anchorOffset, focusNode, focusOffset } = selection;
    selection.modify(extend ? "extend" : "move", direction, unit);
    if (!this.#inText(selection.focusNode)) selection.setBaseAndExtent(extend ? anchorNode : focusNode, extend ? anchorOffset : focusOffset, focusNode, focusOffset);
    const mark = elementOf(selection.focusNode).closest(".hidden-character");
    if (mark) this.#over(mark, extend, focusNode, focusOffset);
    this.#arrive();
    return true;
  }

  // A hidden character is one character, however long the mark that names it.
  #over(mark, extend, node, offset) {
    const selection = getSelection();
    const from = new Range();
    from.setStart(node, offset);
    const edge = new Range();
    if (from.comparePoint(mark, 0) >= 0) edge.setStartAfter(mark);
    else edge.setStartBefore(mark);
    if (extend) selection.extend(edge.startContainer, edge.startOffset);
    else selection.collapse(edge.startContainer, edge.startOffset);
  }

  #inText(node) {
    return Boolean(node) && this.shown.contains(node) && elementOf(node).closest("pre") !== null;
  }

  #far(extend, end) {
    this.coming = this.#toEnd(extend, end).finally(() => (this.coming = null));
    return true;
  }

  async #toEnd(extend, end) {
    const big = this.desk.texts.bigs.get(this.block);
    if (big) await (end ? big.end() : big.start());
    const pre = [...this.shown.querySelectorAll("pre")].at(end ? -1 : 0);
    const offset = end ? pre.childNodes.length : 0;
    if (extend) getSelection().extend(pre, offset);
    else getSelection().collapse(pre, offset);
    this.#arrive();
  }

  #all() {
    const all = [...this.shown.querySelectorAll("pre")];
    getSelection().setBaseAndExtent(all[0], 0, all.at(-1), all.at(-1).childNodes.length);
    this.#arrive();
    return true;
  }

  // The next text of the step that can be marked, or any where evidence is looked for; after the last one, out of the texts.
  #next(by) {
    const step = Number(this.block.dataset.of);
    const texts = this.marking.textsOf(step, (part) => this.marking.linking || this.marks.takes(step, part));
    const next = texts[texts.indexOf(this.block) + by];
    if (!next) return false;
    this.enter(this.marks, next);
    return true;
  }

  #turn(by) {
    if (!this.marking.linking) return false;
    this.#toTurn(Number(this.block.dataset.of) + by);
    return true;
  }

  async #toTurn(index) {
    const { feed } = this.desk;
    if (index < 0 || index >= feed.turns || !(await feed.bring(index))) return;
    const [first] = this.marking.textsOf(index);
    if (first) await this.enter(this.marks, first);
    else this.desk.tell("That turn has no text.");
  }

  #escape() {
    if (!getSelection().isCollapsed) return this.collapse() ?? true;
    const { marks } = this;
    this.marking.drop();
    this.leave();
    this.desk.steps.focus(marks.step, { scroll: false });
    return true;
  }

  #arrive() {
    this.paint();
    const { top, bottom } = this.line.getBoundingClientRect();
    const box = this.desk.texts.bigs.get(this.block)?.box;
    if (box) {
      const edges = box.getBoundingClientRect();
      if (top < edges.top + 20 || bottom > edges.bottom - 20) box.scrollTop += top - (edges.top + edges.bottom) / 2;
    } else if (top < EDGE + 60 || bottom > innerHeight - EDGE) scrollBy({ top: top - innerHeight / 2, behavior: "instant" });
    this.paint();
  }

  #place(selection) {
    const spot = new Range();
    spot.setStart(selection.focusNode, selection.focusOffset);
    const [own] = spot.getClientRects();
    if (own) return own;
    const node = selection.focusNode;
    const [beside, edge] = node.nodeType === Node.ELEMENT_NODE ? [node.childNodes[selection.focusOffset] ?? node.lastChild, selection.focusOffset >= node.childNodes.length ? "right" : "left"] : [node, "left"];
    const around = new Range();
    if (beside) around.selectNode(beside);
    const rects = [...around.getClientRects()];
    const rect = (edge === "right" ? rects.at(-1) : rects[0]) ?? this.shown.getBoundingClientRect();
    return { left: rect[edge], top: rect.top, height: Math.min(rect.height, 30) };
  }
}

const elementOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement);
