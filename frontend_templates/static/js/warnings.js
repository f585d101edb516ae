// Soft warnings: answers that do not go together. Each says why, can be waved away, and stops nobody.
import { make } from "./dialogs.js";
import { post } from "./doors.js";
import { RULES } from "./lint.js";

export class Warnings {
  constructor({ store, steps, wording, button, door, facts, tell }) {
    Object.assign(this, { store, steps, wording, button, door, facts, tell, found: [] });
    this.dismissed = new Set(facts.dismissed);
    store.addEventListener("change", () => this.#soon());
    steps.feed.addEventListener("shown", () => this.paint());
  }

  /** The ones that stand, in the order of the steps. */
  get standing() {
    return this.found.filter(({ key }) => !this.dismissed.has(key));
  }

  look() {
    this.found = RULES.flatMap((rule) => rule(this.store, this.facts, this.wording));
    this.paint();
  }

  paint() {
    const count = this.standing.length;
    const waved = this.found.length - count;
    this.button.hidden = !this.found.length;
    this.button.textContent = count ? `${count} warning${count === 1 ? "" : "s"}` : `${waved} dismissed`;
    for (const box of document.querySelectorAll("[data-warnings]")) this.#fill(box, Number(box.closest("[data-step]").dataset.step));
  }

  /** Go to the next one after the step in focus, round and round; where all are waved away, bring them back. */
  next() {
    const { standing } = this;
    if (!standing.length) return this.#recall();
    const here = this.steps.numberOf(this.steps.current);
    const next = standing.find(({ step }) => this.steps.numberOf(step) > here) ?? standing[0];
    this.steps.focus(next.step);
    return this.tell(next.text);
  }

  #soon() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.look(), 60);
  }

  #fill(box, step) {
    const mine = this.standing.filter((one) => one.step === step);
    const text = mine.map(({ key }) => key).join(" ");
    if (box.dataset.shown === text) return;
    box.dataset.shown = text;
    box.hidden = !mine.length;
    box.replaceChildren(...mine.map((warning) => this.#note(warning)));
  }

  #note({ key, text, mend }) {
    const buttons = [mend && make("button", { type: "button", className: "small", textContent: mend.title, onclick: mend.run }), make("button", { type: "button", className: "quiet", textContent: "Dismiss", onclick: () => this.#dismiss(key, true) })];
    return make("p", { className: "warning" }, text, " ", ...buttons.filter(Boolean));
  }

  #recall() {
    const waved = this.found.filter(({ key }) => this.dismissed.has(key));
    for (const { key } of waved) this.#dismiss(key, false);
    this.tell(waved.length ? "Dismissed warnings are shown again." : "There are no warnings.");
  }

  #dismiss(key, dismissed) {
    this.dismissed[dismissed ? "add" : "delete"](key);
    this.paint();
    post(this.door, { warning: key, dismissed });
  }
}
