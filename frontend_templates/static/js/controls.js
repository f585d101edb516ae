// The scheme's fields at one place, on a step or on the trajectory: painted from the store, and what pressing them says. A
// step has also what fields of the trajectory show there.
import { make } from "./dialogs.js";
import { KINDS } from "./fields/index.js";
import { originalOf } from "./fields/original.js";
import { Parts } from "./fields/parts.js";
import { keepAsTyped, open, paintText } from "./fields/text.js";
import { nameKeys } from "./help.js";
import { optionsOf, words } from "./kinds.js";

// What is only looked at stays in reach where nothing can be answered.
const ANSWERING = ":is(button, textarea, input, select):not([data-look], .candidate *)";

const NOWHERE = { tell() {}, say() {}, go() {}, at: async () => null, answered() {}, done() {} };

/** One field of one place: fields/index.js says what is done with it. */
class Field {
  constructor(element, controls) {
    const { field, here, part = "" } = element.dataset;
    const name = field ?? here;
    const { step, store } = controls;
    Object.assign(this, { element, controls, step: here ? null : step, at: step, store, spec: controls.spec(name), name: part ? `${name}@${part}` : name });
    this.kind = here ? KINDS[this.spec.kind].here : KINDS[this.spec.kind];
    this.kind.watch?.(this);
  }

  get label() {
    return this.store.label(this.step, this.name);
  }

  get value() {
    return this.label?.value ?? null;
  }

  /** Store this answer; null takes it back. */
  set(value) {
    return this.store.change([{ step: this.step, field: this.name, value }]);
  }

  /** Store it, say it aloud, and go on where the person likes that. */
  answer(value, { quiet = false } = {}) {
    this.set(value);
    if (!quiet) this.controls.page.answered(this);
  }

  say(text) {
    this.controls.page.say(text);
  }

  /** Take what is proposed, where nothing is said yet. */
  takeProposed() {
    const { default: proposed } = this.spec;
    if (proposed === null || this.value !== null || this.element.hidden || this.store.effects.sealed(this.name)) return false;
    this.answer(proposed);
    return true;
  }

  paint() {
    this.element.hidden = this.store.effects.closed(this.step, this.name);
    const sealed = this.store.effects.sealed(this.name);
    this.#seal(sealed);
    const take = this.element.querySelector("[data-take]");
    if (take) take.hidden = this.value !== null || this.controls.closed || Boolean(sealed);
    this.kind.paint(this, this.label);
    for (const control of this.element.querySelectorAll(ANSWERING)) control.disabled = this.controls.closed || Boolean(sealed);
  }

  #seal(why) {
    this.element.classList.toggle("sealed", Boolean(why));
    const note = this.element.querySelector("[data-seal]");
    if (!note) return;
    note.hidden = !why;
    note.querySelector("[data-seal-why]").textContent = why;
  }
}

/** All controls of one place (a step's index, or null for the trajectory) inside `root`. */
export class Controls {
  constructor({ root, step, store, numberOf, keysOf, closed, onAccept, desk, page = NOWHERE }) {
    Object.assign(this, { root, step, store, numberOf, keysOf, closed, onAccept, desk, page });
    this.fields = new Map();
    for (const element of root.querySelectorAll("[data-field]")) this.#add(new Field(element, this));
    this.parts = new Parts(root, this.fields, this);
    this.heres = [...root.querySelectorAll("[data-here]")].map((element) => new Field(element, this));
    for (const { element, spec } of this.heres) nameKeys(element.querySelector("button"), keysOf(`field:${spec.name}`));
    this.explanation = root.querySelector("[data-explanation]");
    root.addEventListener("click", (event) => this.#click(event));
    if (this.explanation) keepAsTyped(this.explanation, () => this.#keepExplanation(), () => this.paint(store.scheme.main));
    if (closed) for (const control of root.querySelectorAll(`:is(.controls, .trajectory-fields, .part) ${ANSWERING}`)) control.disabled = true;
  }

  #add(field) {
    this.fields.set(field.name, field);
    const { element, spec } = field;
    for (const button of element.querySelectorAll("[data-choice]")) {
      const option = optionsOf(spec)[button.dataset.choice];
      if (option) nameKeys(button, this.keysOf(`answer:${spec.name}:${option.value}`));
    }
    for (const option of element.querySelectorAll("[data-option]")) nameKeys(option, this.keysOf(`answer:${spec.name}:${optionsOf(spec)[option.dataset.option].value}`));
    nameKeys(element.querySelector("[data-none]") ?? element, element.querySelector("[data-none]") ? this.keysOf(`answer:${spec.name}:none`) : []);
    const take = element.querySelector("[data-take]");
    if (take) nameKeys(take, this.keysOf("accept-suggestion"));
    const opener = element.querySelector("[data-flag], [data-open], [data-pick]");
    nameKeys(opener ?? element, opener ? this.keysOf(`field:${spec.name}`) : []);
  }

  spec(field) {
    return this.store.scheme.fields.find((spec) => spec.name === field.split("@")[0]);
  }

  paint(field) {
    this.of(field)?.paint();
    this.parts.paint();
    if (field === this.store.scheme.main) this.#paintMain(this.store.label(this.step, field));
  }

  /** The field of that name; one that looks after all of its pairs is meant by each of them. */
  of(name) {
    return this.fields.get(name) ?? this.fields.get(name.split("@")[0]);
  }

  paintAll() {
    for (const field of this.fields.values()) field.paint();
    this.parts.paint();
    if (this.explanation) this.#paintMain(this.store.label(this.step, this.store.scheme.main));
    for (const field of this.heres) field.paint();
  }

  paintHere(name) {
    this.here(name)?.paint();
  }

  /** What this step shows of a field of the trajectory. */
  here(name) {
    return this.heres.find((field) => field.name === name);
  }

  /** Resolves to a text of the step as it was imported; null where it cannot be had. */
  original(part) {
    return originalOf(this.root.closest("[data-step]"), part);
  }

  /** Take what is proposed wherever nothing is said yet. False where nothing is proposed. */
  takeProposed() {
    return [...this.fields.values()].filter((field) => field.takeProposed()).length > 0;
  }

  /** The field that a key of this name means here: of several parts the one that keys are meant for. */
  meant(spec) {
    if (this.parts.has(spec)) return this.parts.meant(spec);
    const named = [...this.fields.values()].filter((one) => one.spec === spec && !one.element.hidden);
    return named.find((one) => one.element.contains(document.activeElement)) ?? named.find((one) => one.value === null) ?? named[0];
  }

  /** Show where the label of the main field is explained. False where there is none to explain. */
  explain() {
    if (!this.explanation || !this.store.label(this.step, this.store.scheme.main)) return false;
    open(this.explanation.closest(".explanation"));
    return true;
  }

  /** Keep what is typed and not yet kept. */
  keepTexts() {
    for (const field of [...this.fields.values(), ...this.heres]) field.kind.close?.(field);
    if (this.explanation) this.#keepExplanation();
  }

  /** The card leaves the page. */
  leave() {
    this.keepTexts();
    for (const field of this.fields.values()) field.kind.gone?.(field);
  }

  #paintMain(label) {
    if (!this.explanation) return;
    const box = this.explanation.closest(".explanation");
    box.hidden = label === null && document.activeElement !== this.explanation;
    paintText(box, label?.explanation ?? "");
    this.#paintOffer();
    this.#paintFirst(label);
  }

  // What one had said before everything was shown, where one says something else now.
  #paintFirst(label) {
    const first = this.store.first.get(this.step);
    const note = this.root.querySelector("[data-first]");
    if (!note) return;
    note.hidden = first === undefined || JSON.stringify(first) === JSON.stringify(label?.value);
    if (!note.hidden) note.textContent = `Before you knew the end you said: ${this.#words(first)}.`;
  }

  #words(value) {
    return words(this.spec(this.store.scheme.main), value, (step) => `step ${this.numberOf(step)}`);
  }

  #paintOffer() {
    const box = this.root.querySelector("[data-offer]");
    if (!box) return;
    const offer = this.store.offer(this.step);
    box.hidden = offer === null;
    if (!offer) return box.replaceChildren();
    const accept = make("button", { type: "button", className: "small accept", textContent: `Accept ${this.#words(offer.value)}` });
    accept.dataset.accept = "";
    nameKeys(accept, this.keysOf("accept-suggestion"));
    return box.replaceChildren(accept, make("span", { className: "muted", textContent: sourceOf(offer) }));
  }

  #click(event) {
    const button = event.target.closest("button");
    if (!button) return;
    if ("accept" in button.dataset) return this.onAccept(this.step);
    if ("explain" in button.dataset) return this.explain();
    const element = button.closest("[data-field], [data-here]");
    const field = [...this.fields.values(), ...this.heres].find((one) => one.element === element);
    if (field && "take" in button.dataset) return field.takeProposed();
    const value = field?.kind.pressed?.(field, button);
    if (value !== undefined) field.set(value);
  }

  #keepExplanation() {
    const field = this.store.scheme.main;
    const label = this.store.label(this.step, field);
    const explanation = this.explanation.value.trim();
    if (label && explanation !== (label.explanation ?? "")) this.store.change([{ step: this.step, field, value: label.value, explanation }]);
  }
}

/** Who offers it, and how sure they are. */
function sourceOf({ source, confidence }) {
  const [kind, name] = [source.slice(0, source.indexOf(":")), source.slice(source.indexOf(":") + 1)];
  if (kind === "own") return "what you said of the same step in another rollout";
  const many = name.split("+").length;
  if (kind === "judges") return `${Math.round(confidence * many)} of ${many} judges`;
  return `${name}, ${confidence === null ? "how sure is not known" : `${Math.round(confidence * 100)} % sure`}`;
}
