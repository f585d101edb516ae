// The few numbers of a scale as a row of buttons, of which one is chosen. Digits choose while the row has the focus.
import { namesOf } from "../keys.js";
import { digitOf, moveAmong, Typing } from "./press.js";

export class NumberButtons {
  constructor({ element, name, spec, store, onward }) {
    Object.assign(this, { element, name, store, onward, value: null });
    this.buttons = [...element.querySelectorAll("[data-number]")];
    this.numbers = this.buttons.map(({ dataset }) => Number(dataset.number));
    // On a scale of fractions a digit counts the steps: 7 is 0.7 where they are tenths.
    this.typing = new Typing(this.numbers.map((number, place) => String(this.numbers.every(Number.isInteger) ? number : place)));
    moveAmong(element, "[data-number]");
    element.addEventListener("keydown", (event) => this.#key(event));
  }

  paint(value, proposed) {
    this.value = value;
    const reached = Math.max(0, this.numbers.indexOf(value ?? proposed));
    this.buttons.forEach((button, place) => {
      button.setAttribute("aria-checked", String(this.numbers[place] === value));
      button.classList.toggle("proposed", value === null && this.numbers[place] === proposed);
      button.tabIndex = place === reached ? 0 : -1;
    });
  }

  focus() {
    this.buttons.find((button) => button.tabIndex === 0).focus();
  }

  keep() {}

  forget() {}

  #key(event) {
    if (event.repeat || event.defaultPrevented) return;
    const digit = digitOf(namesOf(event));
    if (digit) this.#type(digit);
    else if (event.key === "Backspace" || event.key === "Delete") this.store(null);
    else return;
    event.preventDefault();
  }

  #type(digit) {
    const { place, open } = this.typing.type(digit);
    clearTimeout(this.leaving);
    if (place < 0) return;
    this.store(this.numbers[place]);
    this.buttons[place].focus();
    if (!open) return this.onward();
    this.leaving = setTimeout(() => this.element.contains(document.activeElement) && this.onward(), Typing.WAITS);
  }
}
