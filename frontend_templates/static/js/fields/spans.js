// Stretches of the step's texts, each of a type: marked with the mouse, by touch or from the keyboard (spans-marking.js),
// drawn over the texts (spans-drawn.js), listed below the step, changed in a bar beside what is selected.
import { Bar } from "./spans-bar.js";
import { Drawn } from "./spans-drawn.js";
import { List } from "./spans-list.js";
import { marking } from "./spans-marking.js";
import { changed, fits, nameOf, same, withOne, without } from "./spans-value.js";

const EXCERPT = 60; // characters of a span that its row shows

export const spans = {
  watch: (field) => (field.marks = new Marks(field)),
  paint: (field) => field.marks.paint(),
  pressed: (field, button) => field.marks.pressed(button),
  key: (field) => field.marks.begin(),
  option: (field, type) => field.marks.typed(type),
  close: (field) => field.marks.bar.keep(),
  gone: (field) => field.marks.leave(),
};

/** The spans of one field at one step. A stretch is {part, start, end}; a span is one with a type, as it is stored. */
export class Marks {
  constructor(field) {
    const { desk, keysOf } = field.controls;
    Object.assign(this, { field, desk, spec: field.spec, step: field.step, drawn: new Drawn(), chosen: null, pending: null, turned: new Set() });
    this.marking = marking(desk);
    this.keys = this.spec.types.map(({ value }, place) => keysOf(`answer:${this.spec.name}:${value}`) ?? (place < 9 ? [String(place + 1)] : []));
    this.bar = new Bar(this);
    this.list = new List(this);
    this.marking.join(this);
  }

  get spans() {
    return this.field.value ?? [];
  }

  get isOpen() {
    const { element, controls, store, name } = this.field;
    return !element.hidden && !controls.closed && !store.effects.sealed(name);
  }

  /** Whether that text of a step is one of those the field is asked of. */
  takes(step, part) {
    return step === this.step && this.spec.parts.includes(part.split("-")[0]);
  }

  block(part, step = this.step) {
    return this.desk.texts.block(step, part);
  }

  written(part, step = this.step) {
    return this.marking.written(this.block(part, step));
  }

  paint() {
    if (this.chosen && !this.spans.some((span) => same(span, this.chosen))) this.choose(null);
    else this.draw();
    this.list.paint();
    if (this.chosen && this.bar.mode === "edit") this.bar.edit(this.chosen);
  }

  /** Draw over the texts what is marked, and what is chosen and speaks for it. */
  draw() {
    this.drawn.clear();
    if (this.field.element.hidden) return this.bar.close();
    this.#turn();
    this.drawn.draw(this.spans, this.spec.types, (part) => this.written(part));
    if (!this.chosen) return undefined;
    const { part, start, end, evidence } = this.spans.find((span) => same(span, this.chosen)) ?? this.chosen;
    this.drawn.point("span-chosen", this.written(part)?.rangesOf(start, end));
    if (evidence?.part) this.drawn.point("span-evidence", this.written(evidence.part, evidence.step)?.rangesOf(evidence.start, evidence.end));
    return undefined;
  }

  leave() {
    this.marking.part(this);
    this.bar.close();
    this.drawn.clear();
  }

  /** The words of a stretch, a few of them; "" where they are not in the page as they were written. */
  excerpt({ part, start, end }, step = this.step) {
    const text = this.written(part, step)?.text(start, Math.min(end, start + EXCERPT)) ?? "";
    return text.replaceAll("\u0000", "\u25a1") + (text && end - start > EXCERPT ? "…" : "");
  }

  /** Into the texts, with a caret to mark by. */
  begin() {
    this.marking.begin(this);
  }

  typed(type) {
    if (this.pending) return this.add(this.pending, type);
    if (this.chosen && this.step === this.desk.steps.current) return this.change(this.chosen, { ...this.chosen, type });
    this.begin();
    return this.desk.tell(`Select the words, then press the key of ${this.titleOf(type)}.`);
  }

  add({ part, start, end }, type) {
    const span = { part, start, end, type };
    if (!fits(this.spec, this.spans, span)) return this.desk.tell(`${this.spec.title}: these must not overlap. Change the one that is there.`);
    const words = this.excerpt(span);
    this.field.set(withOne(this.spans, span));
    this.marking.added(this);
    if (this.spec.evidence === "required") this.choose(span);
    this.desk.say(`${this.titleOf(type)}: ${words}`);
    return undefined;
  }

  /** Make another span of one. A key of `now` that is undefined goes. */
  change(span, now) {
    const held = this.spans.find((one) => same(one, span));
    if (!held || JSON.stringify(held) === JSON.stringify(now)) return;
    if (!fits(this.spec, without(this.spans, span), now)) return this.desk.tell(`${this.spec.title}: these must not overlap.`);
    if (this.chosen && same(this.chosen, span)) this.chosen = now;
    this.field.set(changed(this.spans, span, now));
    this.desk.say(`${this.titleOf(now.type)}: ${this.excerpt(now)}`);
    return undefined;
  }

  remove(span) {
    this.field.set(without(this.spans, span));
    this.desk.say(`No longer marked: ${this.excerpt(span)}`);
  }

  /** Move one end of a span by a character or a word; the two never meet. */
  stretch(span, end, by, unit) {
    const text = this.written(span.part);
    if (!text?.isExact) return this.go(span);
    const at = text.moved(span[end], by, unit);
    const now = { ...this.spans.find((one) => same(one, span)), [end]: at };
    if (now.start < now.end && at <= text.end) this.change(span, now);
    return undefined;
  }

  choose(span) {
    this.chosen = span;
    this.draw();
    this.list.point();
    if (span) this.bar.edit(span);
    else this.bar.close();
  }

  /** Bring a stretch into sight, as it was written. Resolves to its range. */
  async go({ part, start, end }, step = this.step) {
    if (step !== this.step) await this.desk.feed.bring(step);
    const range = await this.desk.texts.showOffset(step, part, start, end - start);
    if (!range) return null;
    const { top, bottom } = range.getBoundingClientRect();
    if (top < 120 || bottom > innerHeight - 120) scrollBy({ top: top - innerHeight / 3, behavior: "instant" });
    return range;
  }

  titleOf(type) {
    return this.spec.types.find(({ value }) => value === type)?.title ?? String(type);
  }

  placeName({ part, step = this.step }) {
    return step === this.step ? nameOf(part) : `${nameOf(part)} of ${this.desk.steps.has(step) ? `step ${this.desk.steps.numberOf(step)}` : `turn ${step}`}`;
  }

  pressed(button) {
    if ("open" in button.dataset) this.begin();
    else this.bar.pressed(button);
  }

  // What is marked is seen only where the text stands as it was written: it is turned so, until somebody turns it back.
  #turn() {
    for (const { part } of this.spans) {
      const block = this.turned.has(part) ? null : this.block(part);
      if (!block || "cut" in block.dataset) continue;
      this.turned.add(part);
      if (!this.written(part).isExact) this.desk.texts.asWritten(block);
    }
  }
}
