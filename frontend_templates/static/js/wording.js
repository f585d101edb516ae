// How fields, answers and places are called, and what an answer looks like.

import { preferred } from "./fields/preference-words.js";
import { isOfStep, tone, words } from "./kinds.js";

const SEEN = ["choice", "taxonomy", "scale", "progress", "rubric", "spans", "flag"]; // what a strip can show

export class Wording {
  constructor({ scheme, numberOf, candidates = {} }) {
    Object.assign(this, { scheme, numberOf, candidates });
    this.strip = isOfStep(this.main) ? this.main : (scheme.fields.find((spec) => isOfStep(spec) && SEEN.includes(spec.kind)) ?? null);
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
    if (this.spec(field).kind === "preference") return preferred(this.spec(field), value, this.candidates);
    return words(this.spec(field), value, (step) => `step ${this.numberOf(step)}`);
  }

  /** What an answer looks like, to the main field or to another. */
  tone(value, field = this.scheme.main) {
    return tone(this.spec(field), value);
  }

  /** "Step 3, Note"; the main field of steps needs no name, the trajectory no number. */
  where(step, field) {
    const parts = [step === null ? "" : `Step ${this.numberOf(step)}`, this.part?.(step, field) ?? "", step !== null && field.split("@")[0] === this.scheme.main ? "" : this.spec(field).title];
    return parts.filter(Boolean).join(", ");
  }
}
