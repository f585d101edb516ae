// A list that opens in its card, is searched by typing and worked by arrows, Space, Enter and the numbers 1 to 9.
import { newId } from "../ids.js";
import { namesOf } from "../keys.js";

const NUMBERED = 9;
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

export class Picker {
  /** `choose(place)` turns the option of that place on or off, `back()` puts the focus where it belongs afterwards. */
  constructor({ box, opener, choose, back }) {
    Object.assign(this, { box, opener, choose, back, at: 0 });
    this.input = box.querySelector("input");
    this.list = box.querySelector("[role=listbox]");
    this.options = [...box.querySelectorAll("[role=option]")];
    const id = newId();
    this.list.id = `options-${id}`;
    this.options.forEach((option, place) => (option.id = `option-${id}-${place}`));
    this.input.setAttribute("aria-controls", this.list.id);
    this.input.addEventListener("input", () => this.#filter());
    box.addEventListener("keydown", (event) => this.#key(event));
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays in the search
    this.list.addEventListener("click", ({ target }) => target.closest("[role=option]") && this.#choose(target.closest("[role=option]")));
    box.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && !box.contains(relatedTarget) && relatedTarget !== opener && this.#hide());
  }

  toggle() {
    if (this.box.hidden) this.open();
    else this.close();
  }

  open() {
    this.box.hidden = false;
    this.opener.setAttribute("aria-expanded", "true");
    this.input.value = "";
    this.#filter();
    this.input.focus({ preventScroll: true });
    this.box.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.#hide();
    this.back();
  }

  /** Show these places as chosen. */
  paint(chosen) {
    for (const option of this.options) option.setAttribute("aria-selected", String(chosen.has(Number(option.dataset.option))));
  }

  #hide() {
    this.box.hidden = true;
    this.opener.setAttribute("aria-expanded", "false");
  }

  get #visible() {
    return this.options.filter((option) => !option.hidden);
  }

  #filter() {
    const wanted = fold(this.input.value.trim()).split(/\s+/);
    for (const option of this.options) {
      const text = fold(`${option.querySelector(".choice-title").textContent} ${option.closest("[role=group]").getAttribute("aria-label") ?? ""}`);
      option.hidden = !wanted.every((word) => text.includes(word));
    }
    for (const group of this.list.children) group.hidden = !group.querySelector("[role=option]:not([hidden])");
    const visible = this.#visible;
    for (const option of this.options) option.querySelector(".picker-number").textContent = "";
    visible.slice(0, NUMBERED).forEach((option, place) => (option.querySelector(".picker-number").textContent = place + 1));
    this.box.querySelector(".picker-none").hidden = visible.length > 0;
    this.#stand(0);
  }

  #stand(place) {
    const visible = this.#visible;
    this.at = Math.max(0, Math.min(place, visible.length - 1));
    for (const option of this.options) option.classList.toggle("active", option === visible[this.at]);
    this.input.setAttribute("aria-activedescendant", visible[this.at]?.id ?? "");
    visible[this.at]?.scrollIntoView({ block: "nearest" });
  }

  #choose(option) {
    this.#stand(this.#visible.indexOf(option));
    this.choose(Number(option.dataset.option));
  }

  #key(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const visible = this.#visible;
    const moves = { ArrowDown: this.at + 1, ArrowUp: this.at - 1, PageDown: this.at + NUMBERED, PageUp: this.at - NUMBERED };
    const number = event.target === this.input && namesOf(event).find((name) => /^[1-9]$/.test(name));
    if (event.key === "Escape") this.close();
    else if (event.target !== this.input) return;
    else if (event.key in moves) this.#stand(moves[event.key]);
    else if (number) visible[number - 1] && this.#choose(visible[number - 1]);
    else if (event.key === "Enter" || event.key === " ") visible[this.at] && this.#choose(visible[this.at]);
    else return;
    event.preventDefault();
  }
}
