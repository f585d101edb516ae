// The buttons and texts of the scheme's fields, on a step or on the trajectory: painted from the store, read by mouse.
import { make } from "./dialogs.js";
import { nameKeys, shown } from "./help.js";

const IDLE = 1500; // ms without typing after which a text is kept

/** All controls of one place (a step's index, or null for the trajectory) inside `root`. */
export class Controls {
  constructor({ root, step, store, numberOf, keysOf, closed, onAccept }) {
    Object.assign(this, { root, step, store, numberOf, keysOf, onAccept });
    this.fields = new Map([...root.querySelectorAll("[data-field]")].map((element) => [element.dataset.field, element]));
    this.explanation = root.querySelector("[data-explanation]");
    root.addEventListener("click", (event) => this.#click(event));
    for (const area of root.querySelectorAll("textarea")) this.#watch(area);
    if (closed) for (const control of root.querySelectorAll("button, textarea")) control.disabled = true;
    this.#nameKeys();
  }

  spec(field) {
    return this.store.scheme.fields.find((spec) => spec.name === field);
  }

  paint(field) {
    const element = this.fields.get(field);
    const spec = this.spec(field);
    const label = this.store.label(this.step, field);
    if (spec.kind === "choice") this.#paintChoice(element, spec, label);
    else if (spec.kind === "flag") press(element.querySelector("[data-flag]"), label !== null);
    else paintText(element, label?.value ?? "");
    if (field === this.store.scheme.main) this.#paintMain(label);
  }

  paintAll() {
    for (const field of this.fields.keys()) this.paint(field);
  }

  /** Show the field's text box, ready for typing. */
  openText(field) {
    open(this.fields.get(field));
  }

  /** Show where the label of the main field is explained. False where there is none to explain. */
  explain() {
    if (!this.explanation || !this.store.label(this.step, this.store.scheme.main)) return false;
    open(this.explanation.closest(".explanation"));
    return true;
  }

  /** Keep what is typed and not yet kept. */
  keepTexts() {
    for (const area of this.root.querySelectorAll("textarea")) this.#keep(area);
  }

  #nameKeys() {
    const { keysOf } = this;
    for (const [field, element] of this.fields) {
      const { choices = [] } = this.spec(field);
      for (const button of element.querySelectorAll("[data-choice]")) nameKeys(button, keysOf(`answer:${field}:${choices[button.dataset.choice].value}`));
      nameKeys(element.querySelector("[data-flag], [data-open]") ?? element, element.querySelector("[data-flag], [data-open]") ? keysOf(`field:${field}`) : []);
    }
  }

  #paintChoice(element, spec, label) {
    const isMain = spec.name === this.store.scheme.main;
    const ghost = label ? null : this.#ghost(spec);
    const suggested = ghost === null ? null : this.store.scheme.propagation.fills;
    const offered = isMain && this.step !== null ? (this.store.offer(this.step)?.value ?? null) : null;
    for (const button of element.querySelectorAll("[data-choice]")) {
      const { value } = spec.choices[button.dataset.choice];
      press(button, label?.value === value);
      button.classList.toggle("ghost", suggested === value);
      button.classList.toggle("offered", offered === value);
      button.classList.toggle("propagated", label?.origin === "propagated" && label.value === value);
    }
    element.querySelector("[data-clear]").hidden = label === null;
    const why = this.root.querySelector("[data-why]");
    if (!why || spec.name !== this.store.scheme.propagation?.field) return;
    const cause = ghost ?? (label?.origin === "propagated" ? label.cause : null);
    why.hidden = cause === null;
    if (cause !== null) why.textContent = ghost === null ? `Carried on from step ${this.numberOf(cause)}.` : `Suggested, carried on from step ${this.numberOf(cause)}.${this.#accepts()}`;
  }

  #accepts() {
    const [key] = this.keysOf("accept-ghosts") ?? [];
    return key ? ` ${shown(key)} accepts.` : "";
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
    note.hidden = first === undefined || first === label?.value;
    if (!note.hidden) note.textContent = `Before you knew the end you said: ${this.#title(first)}.`;
  }

  #title(value) {
    return this.spec(this.store.scheme.main).choices?.find((choice) => choice.value === value)?.title ?? String(value);
  }

  #paintOffer() {
    const box = this.root.querySelector("[data-offer]");
    const offer = this.store.offer(this.step);
    box.hidden = offer === null;
    if (!offer) return box.replaceChildren();
    const accept = make("button", { type: "button", className: "small accept", textContent: `Accept ${this.#title(offer.value)}` });
    accept.dataset.accept = "";
    nameKeys(accept, this.keysOf("accept-suggestion"));
    return box.replaceChildren(accept, make("span", { className: "muted", textContent: sourceOf(offer) }));
  }

  #ghost(spec) {
    return spec.name === this.store.scheme.propagation?.field ? (this.store.ghosts.get(this.step) ?? null) : null;
  }

  #click(event) {
    const button = event.target.closest("button");
    if (!button) return;
    if ("accept" in button.dataset) return this.onAccept(this.step);
    if ("explain" in button.dataset) return this.explain();
    const field = button.closest("[data-field]")?.dataset.field;
    if (field) this.#pressed(button, field);
  }

  #pressed(button, field) {
    const set = (value) => this.store.change([{ step: this.step, field, value }]);
    if (button.dataset.choice !== undefined) set(this.spec(field).choices[button.dataset.choice].value);
    else if ("clear" in button.dataset) set(null);
    else if ("flag" in button.dataset) set(this.store.value(this.step, field) === null ? true : null);
    else if ("open" in button.dataset) this.openText(field);
  }

  #watch(area) {
    let timer;
    area.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#keep(area), IDLE);
    });
    area.addEventListener("blur", () => {
      clearTimeout(timer);
      this.#keep(area);
      this.paint(area === this.explanation ? this.store.scheme.main : area.closest("[data-field]").dataset.field);
    });
  }

  #keep(area) {
    if (area === this.explanation) return this.#keepExplanation(area.value.trim());
    const { field } = area.closest("[data-field]").dataset;
    const text = area.value.trim() ? area.value : null;
    if (text !== this.store.value(this.step, field)) this.store.change([{ step: this.step, field, value: text }]);
  }

  #keepExplanation(explanation) {
    const field = this.store.scheme.main;
    const label = this.store.label(this.step, field);
    if (label && explanation !== (label.explanation ?? "")) this.store.change([{ step: this.step, field, value: label.value, explanation }]);
  }
}

/** Who offers it, and how sure they are. */
function sourceOf({ source, confidence }) {
  const [kind, name] = [source.slice(0, source.indexOf(":")), source.slice(source.indexOf(":") + 1)];
  if (kind === "own") return "what you said of the same step in another rollout";
  return `${name}, ${confidence === null ? "how sure is not known" : `${Math.round(confidence * 100)} % sure`}`;
}

function open(element) {
  element.querySelector("label").hidden = false;
  element.querySelector("[data-open], [data-explain]").hidden = true;
  element.querySelector("textarea").focus();
}

function paintText(element, value) {
  const area = element.querySelector("textarea");
  const box = element.querySelector("label");
  if (document.activeElement !== area) area.value = value;
  if (value) box.hidden = false;
  else if (document.activeElement !== area) box.hidden = true;
  element.querySelector("[data-open], [data-explain]").hidden = !box.hidden;
}

function press(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
}
