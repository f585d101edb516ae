// How fields, answers and places are called, and what an answer looks like.

import { words } from "./kinds.js";

export class Wording {
  constructor({ scheme, tones, numberOf }) {
    Object.assign(this, { scheme, tones, numberOf });
  }

  spec(field) {
    return this.scheme.fields.find(({ name }) => name === field.split("@")[0]);
  }

  get main() {
    return this.spec(this.scheme.main);
  }

  /** An answer by its title; "open" where there is none. */
  title(field, value) {
    if (value === null || value === undefined) return "open";
    return words(this.spec(field), value);
  }

  tone(value) {
    return this.tones[this.scheme.main]?.[(this.main.choices ?? []).findIndex((one) => one.value === value)] ?? "plain";
  }

  /** "Step 3, Note"; the main field needs no name, the trajectory no number. */
  where(step, field) {
    const parts = [step === null ? "" : `Step ${this.numberOf(step)}`, field === this.scheme.main ? "" : this.spec(field).title];
    return parts.filter(Boolean).join(", ");
  }
}
