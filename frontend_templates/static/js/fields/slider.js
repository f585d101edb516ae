// A fine scale: a slider and the number itself, kept together. Nothing is stored before it is touched, and nothing while it
// is dragged: a moment after, or when it is let go.
import { namesOf } from "../keys.js";
import { digitOf } from "./press.js";

const IDLE = 400; // ms without a move after which a number is kept
const NARROW = 200; // steps up to which the slider is what the field's key goes to
const MOVES = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"];

export class Slider {
  constructor({ element, name, spec, store, tell, wordsOf }) {
    Object.assign(this, { element, name, spec, store, tell, wordsOf, value: null, pending: undefined, start: null });
    this.range = element.querySelector("[type=range]");
    this.exact = element.querySelector("[type=number]");
    this.range.addEventListener("input", () => this.#move(Number(this.range.value)));
    this.range.addEventListener("pointerup", () => this.#let(Number(this.range.value)));
    this.range.addEventListener("keydown", (event) => this.#key(event));
    this.range.addEventListener("blur", () => this.keep());
    this.exact.addEventListener("input", () => this.#written());
    this.exact.addEventListener("blur", () => this.#left());
    this.exact.addEventListener("keydown", (event) => event.key === "Enter" && this.keep());
  }

  /** `start` is where an untouched slider stands. */
  paint(value, start) {
    Object.assign(this, { value, start: start ?? this.spec.min });
    if (this.pending === undefined) this.#show(value);
  }

  focus() {
    const { min, max, step } = this.spec;
    const target = step && (max - min) / step <= NARROW ? this.range : this.exact;
    target.focus();
    if (target === this.exact) target.select();
  }

  keep() {
    clearTimeout(this.timer);
    const number = this.pending;
    this.pending = undefined;
    if (number !== undefined && number !== this.value) this.store(number);
    else this.#show(this.value);
  }

  forget() {
    clearTimeout(this.timer);
    this.pending = undefined;
    this.#mark("");
  }

  #show(number) {
    const untouched = number === null;
    this.element.classList.toggle("untouched", untouched);
    this.range.value = untouched ? this.start : number;
    this.range.setAttribute("aria-valuetext", untouched ? "no value yet" : this.wordsOf(number));
    if (document.activeElement !== this.exact || this.pending === undefined) this.exact.value = untouched ? "" : number;
  }

  #move(number) {
    this.pending = number;
    this.#show(number);
    this.exact.value = number ?? "";
    this.#soon();
  }

  #let(number) {
    if (this.range.disabled) return;
    this.#move(number);
    this.keep();
  }

  #soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keep(), IDLE);
  }

  #written() {
    const number = this.exact.value === "" ? null : Number(this.exact.value);
    clearTimeout(this.timer);
    if (this.exact.validity.badInput || (number !== null && !fits(this.spec, number))) {
      this.pending = undefined;
      return this.#mark("true");
    }
    this.#mark("");
    this.pending = number;
    this.#show(number);
    return this.#soon();
  }

  #left() {
    const odd = this.exact.getAttribute("aria-invalid");
    this.keep();
    if (odd) this.tell(`Not stored: ${rangeOf(this.spec)}.`);
    this.#mark("");
  }

  #mark(odd) {
    if (odd) this.exact.setAttribute("aria-invalid", odd);
    else this.exact.removeAttribute("aria-invalid");
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (MOVES.includes(event.key)) return event.stopPropagation(); // the slider's own, not the page's
    const digit = digitOf(namesOf(event));
    if (digit) this.#let(share(this.spec, Number(digit) / 10));
    else if (event.key === "Enter") this.#let(Number(this.range.value));
    else if (event.key === "Backspace" || event.key === "Delete") this.#let(null);
    else return undefined;
    return event.preventDefault();
  }
}

const tidy = (number) => Number(number.toFixed(9));

/** The number that far up the scale, on one of its steps. */
function share({ min, max, step }, part) {
  const number = min + part * (max - min);
  return tidy(step ? min + Math.round((number - min) / step) * step : number);
}

function fits({ min, max, step }, number) {
  const steps = (number - min) / step;
  return number >= min && number <= max && (!step || Math.abs(steps - Math.round(steps)) < 1e-9);
}

const rangeOf = ({ min, max, step }) => `a number from ${min} to ${max}${step ? ` in steps of ${step}` : ""} is wanted`;
