// The spans of a step as rows: by Tab or arrows one comes to each, and from there changes it without the mouse.
import { make } from "../dialogs.js";
import { namesOf } from "../keys.js";
import { styleOf } from "./spans-drawn.js";
import { same } from "./spans-value.js";

const WAYS = { ArrowLeft: -1, ArrowRight: 1 };
const HELP = "Enter: change it. Arrows: where it begins; with Shift: where it ends; with Ctrl or Alt: by words. Delete: take it away.";

export class List {
  constructor(marks) {
    Object.assign(this, { marks, element: marks.field.element.querySelector("[data-spans]"), shown: null });
    this.element.addEventListener("focusin", ({ target }) => this.#focused(target));
    this.element.addEventListener("click", ({ target }) => target.closest("[data-row]") && this.#open(this.spanOf(target)));
    this.element.addEventListener("keydown", (event) => this.#key(event));
  }

  spanOf(target) {
    return this.marks.spans[Number(target.closest("[data-row]")?.dataset.row)] ?? null;
  }

  row(span) {
    const place = this.marks.spans.findIndex((one) => same(one, span));
    return this.element.querySelector(`[data-row="${place}"]`);
  }

  paint() {
    const { spans } = this.marks;
    const rows = spans.map((span) => this.#words(span));
    const text = JSON.stringify([spans, rows]);
    if (text === this.shown) return;
    this.shown = text;
    const held = document.activeElement.closest?.("[data-row]");
    const place = held && this.element.contains(held) ? Number(held.dataset.row) : null;
    this.element.replaceChildren(...spans.map((span, number) => this.#row(span, number, rows[number])));
    this.element.hidden = !spans.length;
    this.point();
    if (place === null) return;
    const next = (this.marks.chosen && this.row(this.marks.chosen)) ?? this.element.querySelector(`[data-row="${Math.min(place, spans.length - 1)}"]`);
    if (next) next.focus({ preventScroll: true });
    else this.marks.field.element.querySelector("[data-open]").focus({ preventScroll: true });
  }

  /** Show which one is chosen. */
  point() {
    for (const row of this.element.querySelectorAll("[data-row]")) row.toggleAttribute("data-chosen", same(this.spanOf(row), this.marks.chosen));
  }

  #words(span) {
    const { evidence, note } = span;
    const said = this.marks.excerpt(span);
    return {
      text: said ? `“${said}”` : `${span.start}–${span.end}`,
      more: [
        this.marks.placeName(span),
        evidence?.part ? `evidence: ${this.marks.placeName(evidence)} ${quoted(this.marks.excerpt(evidence, evidence.step))}` : evidence ? `evidence: ${evidence.text}` : this.marks.spec.evidence === "required" ? "evidence is missing" : "",
        note ?? "",
      ].filter(Boolean).join(" · "),
    };
  }

  #row(span, number, { text, more }) {
    const sample = make("span", { className: "span-sample", textContent: this.marks.titleOf(span.type) });
    sample.dataset.style = styleOf(this.marks.spec.types, span.type);
    const words = make("bdi", { className: "span-words", textContent: text, dir: "auto", translate: false });
    const row = make("a", { className: "span-row", tabIndex: 0, role: "button", title: HELP }, sample, " ", words, " ", make("span", { className: "muted", textContent: more }));
    row.dataset.row = number;
    return make("li", {}, row);
  }

  #focused(target) {
    const span = this.spanOf(target);
    if (!span || same(span, this.marks.chosen) || !target.matches(":focus-visible")) return;
    this.marks.chosen = span;
    this.marks.draw();
    this.point();
  }

  async #open(span) {
    if (!span) return;
    await this.marks.go(span);
    this.marks.choose(span);
  }

  #key(event) {
    const span = this.spanOf(event.target);
    if (!span || event.metaKey) return;
    if (this.#deed(event, span)) event.preventDefault();
  }

  #deed(event, span) {
    const { marks } = this;
    const { key } = event;
    if (key === "ArrowUp" || key === "ArrowDown") return this.#beside(event.target, key === "ArrowDown" ? 1 : -1);
    if (key === "Enter" || key === " ") return this.#open(span).then(() => marks.bar.focus());
    if (!marks.isOpen) return false;
    if (key in WAYS) return marks.stretch(span, event.shiftKey ? "end" : "start", WAYS[key], event.ctrlKey || event.altKey ? "word" : "character") ?? true;
    if (event.ctrlKey || event.altKey) return false;
    if (key === "Delete" || key === "Backspace") return marks.remove(span) ?? true;
    const place = marks.keys.findIndex((keys) => namesOf(event).some((name) => keys.includes(name)));
    if (place < 0) return false;
    marks.chosen = span;
    marks.change(span, { ...span, type: marks.spec.types[place].value });
    return true;
  }

  #beside(target, by) {
    const rows = [...this.element.querySelectorAll("[data-row]")];
    const next = rows[rows.indexOf(target.closest("[data-row]")) + by];
    next?.focus({ preventScroll: true });
    return Boolean(next);
  }
}

const quoted = (text) => (text ? `“${text}”` : "");
