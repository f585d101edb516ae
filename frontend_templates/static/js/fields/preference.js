// Which of several is better: rollouts of the task, or steps that were tried at the same place. They are called by letters, in
// an order of the rater's own. Beside each other where there is room, else one at a time (preference-view.js).
import { View } from "./preference-view.js";
import { letterOf, preferred } from "./preference-words.js";
import { moved, ranked, TIE, tied } from "./preference-value.js";

export const preference = {
  watch: (field) => (field.choice = new Choice(field)),
  paint: (field) => field.choice.paint(),
  pressed: (field, button) => field.choice.pressed(button),
  key: (field) => field.choice.open(),
  focus: (field) => field.choice.open(),
  gone: (field) => field.choice.view.close(),
};

/** One such field at its place. It looks after all of its pairs, each of which is an answer of its own. */
class Choice {
  constructor(field) {
    const { desk } = field.controls;
    Object.assign(this, { field, desk, spec: field.spec, step: field.step, place: 0 });
    this.all = desk.data.candidates[field.step ?? ""] ?? [];
    this.view = new View(this);
  }

  get isPair() {
    return this.spec.form === "pair";
  }

  get isOpen() {
    return !this.field.element.hidden && !this.field.controls.closed && !this.field.store.effects.sealed(this.field.name);
  }

  /** The names under which it is asked here: one, or one a pair. */
  get names() {
    return this.field.store.names(this.step, this.spec);
  }

  get name() {
    return this.names[this.place] ?? this.names[0] ?? this.spec.name;
  }

  get value() {
    return this.field.store.value(this.step, this.name);
  }

  /** Who is compared now, as they stand beside each other. */
  get shown() {
    return this.isPair ? this.name.split("@")[1]?.split("-").map(Number) ?? [] : this.all;
  }

  letter(candidate) {
    return letterOf(this.all, candidate);
  }

  get answered() {
    return this.names.filter((name) => this.field.store.value(this.step, name) !== null).length;
  }

  get progress() {
    if (!this.all.length) return "Nothing to compare here.";
    if (this.isPair) return `${this.answered} of ${this.names.length} pairs`;
    return this.value === null ? `${this.all.length} to compare` : this.words(this.value);
  }

  words(value) {
    return preferred(this.spec, value, this.desk.data.candidates);
  }

  paint() {
    this.field.element.querySelector("[data-progress]").textContent = this.progress;
    this.view.paint();
  }

  open() {
    if (!this.all.length) return this.desk.tell(this.desk.store.frontier === null ? "There is nothing to compare here." : "Rollouts are compared once everything is shown.");
    if (this.isPair) this.#toOpen(0);
    return this.view.open();
  }

  /** Another pair. */
  beside(by) {
    const next = this.place + by;
    if (next < 0 || next >= this.names.length) return this.desk.tell(by > 0 ? "That was the last pair." : "That is the first pair.");
    this.place = next;
    return this.view.paint();
  }

  pick(value) {
    if (!this.isOpen || (value === TIE && !this.spec.ties)) return;
    const { name } = this;
    this.#set(name, value);
    if (this.isPair) this.#toOpen(this.place + 1);
    this.view.paint();
  }

  clear() {
    if (this.isOpen) this.#set(this.name, null);
  }

  /** The order so far: what is stored, or as they happen to stand. */
  get order() {
    return this.value ?? this.all.map((one) => [one]);
  }

  move(candidate, by) {
    if (this.isOpen) this.#set(this.name, moved(this.order, candidate, by));
  }

  tie(candidate) {
    if (!this.isOpen || !this.spec.ties) return;
    const now = tied(this.order, candidate);
    if (now) this.#set(this.name, now);
    else this.desk.tell("The first one has none above it.");
  }

  keepOrder() {
    if (this.isOpen) this.#set(this.name, ranked(this.order));
  }

  pressed(button) {
    const { beside, pick, up, tie } = button.dataset;
    if ("open" in button.dataset) this.open();
    else if ("close" in button.dataset) this.view.close();
    else if (beside) this.beside(Number(beside));
    else if (pick !== undefined) this.pick(pick === TIE ? TIE : Number(pick));
    else if ("clear" in button.dataset) this.clear();
    else if (up) this.move(Number(button.closest("[data-candidate]").dataset.candidate), Number(up));
    else if (tie !== undefined) this.tie(Number(button.closest("[data-candidate]").dataset.candidate));
    else if ("keep" in button.dataset) this.keepOrder();
    else this.view.pressed(button);
  }

  #set(name, value) {
    this.field.store.change([{ step: this.step, field: name, value }]);
    const said = value === null ? "open" : this.words(value);
    this.desk.say(`${this.spec.title}: ${said}. ${this.isPair ? this.progress : ""}`);
  }

  // The next pair that has no answer, from there on and round; where each has one, it stays.
  #toOpen(from) {
    const { names } = this;
    const order = names.map((_, place) => (from + place) % names.length);
    const next = order.find((place) => this.field.store.value(this.step, names[place]) === null);
    if (next !== undefined) this.place = next;
  }
}
