// The bar beside what is selected: which type it gets, and of a span its ends, its evidence, its note. It lies above the page.
import { shown } from "../help.js";
import { same } from "./spans-value.js";

const GAP = 8;

export class Bar {
  constructor(marks) {
    const element = marks.field.element.querySelector("[data-bar]");
    Object.assign(this, { marks, element, mode: "", range: null });
    this.part = (name) => element.querySelector(`[data-${name}]`);
    for (const button of element.querySelectorAll("[data-type]")) this.#nameKey(button);
    // The selection in the text must outlive a press on the bar.
    element.addEventListener("mousedown", (event) => event.target.closest("input, output") || event.preventDefault());
    element.addEventListener("keydown", (event) => this.#key(event));
    this.part("note").addEventListener("change", () => this.keep());
    this.part("evidence")?.addEventListener("change", () => this.keep());
  }

  get isOpen() {
    return this.mode !== "";
  }

  /** For a stretch that is selected and has no type yet. */
  offer(range, words) {
    this.#show("offer", range, words);
  }

  /** For what is selected in a text that is laid out: nothing is marked there, for its characters are not the text's own. */
  lay(range) {
    this.#show("laid", range, "This text is laid out for reading. Mark it as it was written.");
  }

  /** For what is selected as evidence of a span. */
  link(range, words) {
    this.#show("link", range, words);
  }

  edit(span) {
    const range = this.marks.written(span.part)?.rangesOf(span.start, span.end)[0] ?? null;
    if (!range) return this.close();
    const focused = this.element.contains(document.activeElement) ? document.activeElement : null;
    const { evidence, note = "" } = span;
    this.#show("edit", range, this.marks.excerpt(span));
    for (const button of this.element.querySelectorAll("[data-type]")) button.setAttribute("aria-pressed", String(this.#typeOf(button) === span.type));
    if (focused !== this.part("note")) this.part("note").value = note;
    if (!this.part("evidence")) return undefined;
    if (focused !== this.part("evidence")) this.part("evidence").value = evidence?.text ?? "";
    this.part("evidence").placeholder = evidence?.part ? this.marks.placeName(evidence) : "A link or a quotation";
    this.part("show").hidden = !evidence?.part;
    this.part("unlink").hidden = !evidence;
    return undefined;
  }

  focus() {
    (this.element.querySelector("[data-type][aria-pressed=true]:not(:disabled)") ?? this.element.querySelector("button:not([hidden], :disabled)"))?.focus();
  }

  close() {
    if (!this.isOpen) return;
    this.keep();
    this.mode = "";
    this.range = null;
    if (this.element.matches(":popover-open")) this.element.hidePopover();
  }

  pressed(button) {
    const { marks } = this;
    const { chosen } = marks;
    const { type, end, by } = button.dataset;
    if ("close" in button.dataset) return this.#leave();
    if ("written" in button.dataset) return marks.marking.showWritten(marks);
    if ("speaks" in button.dataset) return marks.marking.takeEvidence();
    if (type !== undefined && this.mode === "offer") return marks.add(marks.pending, this.#typeOf(button));
    if (!chosen) return undefined;
    if (type !== undefined) return marks.change(chosen, { ...this.#held, type: this.#typeOf(button) });
    if (end) return marks.stretch(chosen, end, Number(by), "word");
    if ("remove" in button.dataset) return marks.remove(chosen);
    if ("unlink" in button.dataset) return marks.change(chosen, { ...this.#held, evidence: undefined });
    if ("show" in button.dataset) return marks.go(this.#held.evidence, this.#held.evidence.step).then(() => marks.draw());
    if ("link" in button.dataset) return marks.marking.beginLink(marks, chosen);
    return undefined;
  }

  /** Keep what is typed of the span that is chosen. */
  keep() {
    const held = this.mode === "edit" ? this.#held : null;
    if (!held || !this.marks.isOpen) return;
    const said = this.part("note").value.trim();
    const text = this.part("evidence")?.value.trim() ?? "";
    const evidence = text ? { text } : held.evidence?.text ? undefined : held.evidence;
    const now = Object.fromEntries(Object.entries({ ...held, note: said || undefined, evidence }).filter(([, value]) => value !== undefined));
    if (JSON.stringify(now) !== JSON.stringify(held)) this.marks.change(held, now);
  }

  /** Beside its words again: something scrolled, or the window is another. */
  place() {
    if (!this.isOpen || !this.range) return;
    const { left, top, bottom } = this.range.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const below = bottom + GAP + height < innerHeight;
    this.element.classList.toggle("away", bottom < 0 || top > innerHeight);
    this.element.style.left = `${Math.max(GAP, Math.min(left, innerWidth - width - GAP))}px`;
    this.element.style.top = `${below ? bottom + GAP : Math.max(GAP, top - GAP - height)}px`;
  }

  get #held() {
    return this.marks.spans.find((span) => same(span, this.marks.chosen)) ?? null;
  }

  #typeOf(button) {
    return this.marks.spec.types[Number(button.dataset.type)].value;
  }

  #show(mode, range, words) {
    if (mode !== "edit") this.keep();
    Object.assign(this, { mode, range });
    this.part("picked").textContent = words;
    this.element.querySelector(".span-types").hidden = mode === "laid" || mode === "link";
    for (const element of this.element.querySelectorAll("[data-editing]")) element.hidden = mode !== "edit";
    this.part("speaks").hidden = mode !== "link";
    this.part("written").hidden = mode !== "laid";
    if (mode !== "edit") for (const button of this.element.querySelectorAll("[data-type]")) button.setAttribute("aria-pressed", "false");
    if (!this.element.matches(":popover-open")) this.element.showPopover();
    this.place();
  }

  #nameKey(button) {
    const keys = this.marks.keys[Number(button.dataset.type)];
    const sign = button.querySelector("kbd");
    button.querySelector(".span-sample").dataset.style = Number(button.dataset.type) % 8;
    sign.hidden = !keys.length;
    if (!keys.length) return;
    sign.textContent = shown(keys[0]);
    button.setAttribute("aria-keyshortcuts", keys.join(" "));
  }

  #key(event) {
    if (event.key === "Enter" && event.target.matches("input")) this.keep();
    else if (event.key === "Escape") this.#leave();
    else return;
    event.preventDefault();
  }

  // Back to where one came from: the row of the span, or the text.
  #leave() {
    const { chosen } = this.marks;
    const inside = this.element.contains(document.activeElement);
    this.keep();
    const row = this.marks.chosen && this.marks.list.row(this.marks.chosen);
    this.close();
    this.marks.marking.drop();
    if (inside && chosen) row?.focus({ preventScroll: true });
    if (!inside) this.marks.choose(null);
  }
}
