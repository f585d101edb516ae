// The buttons and texts of the scheme's fields, on steps and on the trajectory: painted from the store, read by mouse.
import { keyOf } from "./store.js";

const IDLE = 1500; // ms without typing after which a text is kept

/** All controls of one place (a step's index, or null for the trajectory) inside `root`. */
export class Controls {
  constructor({ root, step, store, numberOf, onText }) {
    Object.assign(this, { root, step, store, numberOf });
    this.fields = new Map([...root.querySelectorAll("[data-field]")].map((element) => [element.dataset.field, element]));
    root.addEventListener("click", (event) => this.#click(event));
    for (const area of root.querySelectorAll("[data-text]")) this.#watch(area, onText);
  }

  spec(field) {
    return this.store.scheme.fields.find((spec) => spec.name === field);
  }

  paint(field) {
    const element = this.fields.get(field);
    const spec = this.spec(field);
    const label = this.store.view.get(keyOf(this.step, field)) ?? null;
    if (spec.kind === "choice") this.#paintChoice(element, spec, label);
    else if (spec.kind === "flag") press(element.querySelector("[data-flag]"), label !== null);
    else this.#paintText(element, label?.value ?? "");
  }

  paintAll() {
    for (const field of this.fields.keys()) this.paint(field);
  }

  /** Show the field's text box, ready for typing. */
  openText(field) {
    const element = this.fields.get(field);
    element.querySelector("label").hidden = false;
    element.querySelector("[data-open]").setAttribute("aria-expanded", "true");
    element.querySelector("[data-text]").focus();
  }

  /** Keep what is typed and not yet kept. */
  keepTexts() {
    for (const area of this.root.querySelectorAll("[data-text]")) this.#keep(area);
  }

  #paintChoice(element, spec, label) {
    const ghost = label ? null : this.#ghost(spec);
    const suggested = ghost === null ? null : this.store.scheme.propagation.value;
    for (const button of element.querySelectorAll("[data-choice]")) {
      const { value } = spec.choices[button.dataset.choice];
      press(button, label?.value === value);
      button.classList.toggle("ghost", suggested === value);
      button.classList.toggle("propagated", label?.origin === "propagated" && label.value === value);
    }
    element.querySelector("[data-clear]").hidden = label === null;
    const why = this.root.querySelector("[data-why]");
    if (!why || spec.name !== this.store.scheme.propagation?.field) return;
    const cause = ghost ?? (label?.origin === "propagated" ? label.cause : null);
    why.hidden = cause === null;
    if (cause !== null) why.textContent = ghost === null ? `Carried on from step ${this.numberOf(cause)}.` : `Suggested, carried on from step ${this.numberOf(cause)}. p accepts.`;
  }

  #ghost(spec) {
    return spec.name === this.store.scheme.propagation?.field ? (this.store.ghosts.get(this.step) ?? null) : null;
  }

  #paintText(element, value) {
    const area = element.querySelector("[data-text]");
    const box = element.querySelector("label");
    if (document.activeElement !== area) area.value = value;
    if (value) box.hidden = false;
    element.querySelector("[data-open]").hidden = !box.hidden;
  }

  #click(event) {
    const button = event.target.closest("button");
    const field = button?.closest("[data-field]")?.dataset.field;
    if (!field) return;
    const set = (value) => this.store.change([{ step: this.step, field, value }]);
    if (button.dataset.choice !== undefined) set(this.spec(field).choices[button.dataset.choice].value);
    else if ("clear" in button.dataset) set(null);
    else if ("flag" in button.dataset) set(this.store.value(this.step, field) === null ? true : null);
    else if ("open" in button.dataset) this.openText(field);
  }

  #watch(area, onText) {
    let timer;
    area.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#keep(area), IDLE);
      onText?.();
    });
    area.addEventListener("blur", () => {
      clearTimeout(timer);
      this.#keep(area);
      this.paint(area.closest("[data-field]").dataset.field);
    });
  }

  #keep(area) {
    const field = area.closest("[data-field]").dataset.field;
    const text = area.value.trim() ? area.value : null;
    if (text !== this.store.value(this.step, field)) this.store.change([{ step: this.step, field, value: text }]);
  }
}

function press(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
}
