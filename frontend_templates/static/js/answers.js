// Labels by field and step (null: the whole trajectory). No label is no entry.

const PARTS = ["value", "origin", "cause", "explanation"];
const same = (one, other) => PARTS.every((part) => equal(one?.[part] || null, other?.[part] || null));

/** Whether two answers are the same: lists and objects by what they hold. */
export function equal(one, other) {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  const names = Object.keys(one);
  if (Array.isArray(one) !== Array.isArray(other) || names.length !== Object.keys(other).length) return false;
  return names.every((name) => name in other && equal(one[name], other[name]));
}

/** What a person said there; what a rule filled in is nobody's answer. */
export const said = (label) => (label && label.origin !== "propagated" ? label.value : null);

const NONE = new Map();

export class Answers {
  constructor(labels = []) {
    this.fields = new Map();
    for (const label of labels) this.set(label.step, label.field, label);
  }

  get(step, field) {
    return this.fields.get(field)?.get(step) ?? null;
  }

  of(field) {
    return this.fields.get(field) ?? NONE;
  }

  /** [step, name] of every answer a person gave to the field, or to a part of it. */
  places(field) {
    const names = [...this.fields.keys()].filter((name) => name.split("@")[0] === field);
    return names.flatMap((name) => [...this.fields.get(name)].filter(([, label]) => said(label) !== null).map(([step]) => [step, name]));
  }

  set(step, field, label) {
    if (!this.fields.has(field)) this.fields.set(field, new Map());
    if (label && label.value !== null) this.fields.get(field).set(step, label);
    else this.fields.get(field).delete(step);
  }

  copy() {
    const copied = new Answers();
    for (const [field, labels] of this.fields) copied.fields.set(field, new Map(labels));
    return copied;
  }

  /** {step, field, before, after} of every place that differs in the other. */
  changesTo(other) {
    const changes = [];
    for (const field of new Set([...this.fields.keys(), ...other.fields.keys()])) {
      const [now, then] = [this.of(field), other.of(field)];
      for (const [step, before] of now) if (!same(before, then.get(step))) changes.push({ step, field, before, after: then.get(step) ?? null });
      for (const [step, after] of then) if (!now.has(step)) changes.push({ step, field, before: null, after });
    }
    return changes;
  }
}

/** Writes into answers and remembers what was there before. */
export class Log {
  constructor(answers) {
    this.answers = answers;
    this.touched = new Map(); // "step:field" → {step, field, before}
  }

  put(step, field, label) {
    const before = this.answers.get(step, field);
    if (same(before, label)) return;
    const key = `${step}:${field}`;
    if (!this.touched.has(key)) this.touched.set(key, { step, field, before });
    this.answers.set(step, field, label);
  }

  /** {step, field, before, after} of what is different now. */
  changes() {
    const found = [...this.touched.values()].map((one) => ({ ...one, after: this.answers.get(one.step, one.field) }));
    return found.filter(({ before, after }) => !same(before, after));
  }

  undo() {
    for (const { step, field, before } of this.touched.values()) this.answers.set(step, field, before);
  }
}
