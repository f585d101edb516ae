// What this annotation says: what the server confirmed, and on top of it what waits to be sent. The page shows the sum.
import { impliedBy } from "./propagation.js";

export const keyOf = (step, field) => `${step ?? ""}:${field}`;
const same = (one, other) => ["value", "origin", "cause"].every((part) => (one?.[part] ?? null) === (other?.[part] ?? null));

/** What a person said there; what a rule filled in is nobody's answer. */
const said = (label) => (label && label.origin !== "propagated" ? label.value : null);

/** [key, label before, label after] of every key that differs; null is no label. */
function diff(before, after) {
  const keys = [...new Set([...before.keys(), ...after.keys()])].filter((key) => !same(before.get(key), after.get(key)));
  return keys.map((key) => [key, before.get(key) ?? null, after.get(key) ?? null]);
}

/** Ids for changes. crypto.randomUUID is missing where the page came over plain http from another machine. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/**
 * Fires "change" with detail {keys, ghosts}: the keys whose label is another one now, and the steps whose ghost is.
 * A label is {step, field, value, origin, cause}; a key is keyOf(step, field); no label is no entry.
 */
export class Store extends EventTarget {
  constructor({ scheme, steps, propagation, state, outbox, spent = () => 0 }) {
    super();
    Object.assign(this, { scheme, steps, propagation, outbox, spent });
    this.done = []; // changes of this page that undo takes back, the next one last
    this.undone = [];
    this.base = new Map();
    this.view = new Map();
    this.ghosts = new Map();
    this.#take(state);
    this.#pinAtLoad();
    outbox.addEventListener("change", () => this.refresh());
    let view = this.base;
    for (const op of outbox.ops) {
      const after = this.#after(view, op);
      this.#remember(op, diff(view, after));
      view = after;
    }
    this.refresh();
  }

  value(step, field) {
    return this.view.get(keyOf(step, field))?.value ?? null;
  }

  get canUndo() {
    return this.done.length > 0 || this.serverUndo;
  }

  get canRedo() {
    const forgotten = this.outbox.ops.some((op) => op.kind === "change" || op.kind === "accept");
    return this.undone.length > 0 || (this.serverRedo && !forgotten);
  }

  /** Required answers that are missing, in reading order; steps that a ghost would fill are counted apart. */
  missing() {
    const places = [...this.steps.flatMap((step) => this.scheme.fields.filter((spec) => spec.target === "step").map((spec) => [step, spec])),
      ...this.scheme.fields.filter((spec) => spec.target === "trajectory").map((spec) => [null, spec])];
    const open = places.filter(([step, spec]) => spec.required && this.value(step, spec.name) === null);
    const ghosted = ([step, spec]) => spec.name === this.scheme.propagation?.field && this.ghosts.has(step);
    return { missing: open.filter((place) => !ghosted(place)).map(([step, spec]) => ({ step, field: spec.name })), ghosts: open.filter(ghosted).length };
  }

  /** Set or (value null) clear answers; several are one undo unit. Says nothing when nothing would change. */
  change(items) {
    const real = items.filter(({ step, field, value }) => {
      const now = this.view.get(keyOf(step, field));
      return value === null ? now !== undefined : now?.value !== value || now.origin === "propagated";
    });
    if (real.length) this.#perform({ kind: "change", time_ms: this.spent(), items: real.map((item) => ({ ...item, was: said(this.base.get(keyOf(item.step, item.field))) })) });
    return real.length > 0;
  }

  /** Take the ghosts as labels. Returns how many. */
  accept() {
    const count = this.ghosts.size;
    if (count) this.#perform({ kind: "accept" });
    return count;
  }

  undo() {
    if (!this.canUndo) return false;
    const last = this.done.at(-1);
    this.#perform({ kind: "undo", target: last?.change, effect: last?.diff.map(([key, before]) => [key, before]) ?? [] });
    return true;
  }

  redo() {
    if (!this.canRedo) return false;
    const last = this.undone.at(-1);
    this.#perform({ kind: "redo", target: last?.change, effect: last?.diff.map(([key, , after]) => [key, after]) ?? [] });
    return true;
  }

  /** The server took the change; its answer names every label that is another one than our last revision showed. */
  confirm(op, answer) {
    const expected = diff(this.base, this.#after(this.base, op)).map(([key]) => key);
    const known = op.kind === "change" || op.effect?.length;
    this.merge(answer, new Set(known ? [...expected, ...(op.items ?? []).map((item) => keyOf(item.step, item.field))] : answer.labels.map((label) => keyOf(label.step, label.field))));
    this.outbox.remove(op.change);
  }

  /** Labels as the server has them now. Waiting changes to places that others changed keep the revision they saw. */
  merge(answer, own = new Set()) {
    if (answer.revision < this.revision) return;
    for (const label of answer.labels) {
      const key = keyOf(label.step, label.field);
      for (const op of this.outbox.ops) this.#pin(op, key, label, own.has(key));
      if (label.value === null) this.base.delete(key);
      else this.base.set(key, label);
    }
    this.#standing(answer);
    this.refresh();
  }

  /** The whole of what the server has, after a time of not knowing. */
  replace(state) {
    this.#take(state);
    this.#pinAtLoad();
    this.refresh();
  }

  /** Forget a waiting change, and the undo and redo that meant it. */
  drop(change) {
    this.done = this.done.filter((one) => one.change !== change);
    this.undone = this.undone.filter((one) => one.change !== change);
    for (const op of this.outbox.ops.filter((one) => one.change === change || one.target === change)) this.outbox.remove(op.change);
  }

  refresh() {
    const before = this.view;
    const haunted = this.ghosts;
    this.view = this.outbox.ops.reduce((view, op) => this.#after(view, op), this.base);
    this.ghosts = this.propagation === "suggest" ? this.#unfilled(this.view) : new Map();
    const keys = diff(before, this.view).map(([key]) => key);
    const ghosts = [...new Set([...haunted.keys(), ...this.ghosts.keys()])].filter((step) => haunted.get(step) !== this.ghosts.get(step));
    this.dispatchEvent(new CustomEvent("change", { detail: { keys, ghosts } }));
  }

  #perform(op) {
    const whole = { change: newId(), revision: this.revision, ...op };
    this.#remember(whole, diff(this.view, this.#after(this.view, whole)));
    this.outbox.add(whole); // its "change" brings the refresh
  }

  #take(state) {
    this.base = new Map(state.labels.filter((label) => label.value !== null).map((label) => [keyOf(label.step, label.field), label]));
    this.#standing(state);
  }

  #standing({ revision, state, undo, redo }) {
    Object.assign(this, { revision, state, serverUndo: undo, serverRedo: redo });
  }

  #remember(op, diff) {
    if (op.kind === "undo") this.undone.push(this.done.pop() ?? { change: op.change, diff: [] });
    else if (op.kind === "redo") this.done.push(this.undone.pop() ?? { change: op.change, diff: [] });
    else {
      this.done.push({ change: op.change, diff });
      this.undone = [];
    }
  }

  #after(view, op) {
    const after = new Map(view);
    const put = (key, label) => (label ? after.set(key, label) : after.delete(key));
    if (op.effect) op.effect.forEach(([key, label]) => put(key, label));
    else if (op.kind === "accept") this.#fill(after);
    else op.items.forEach(({ step, field, value }) => put(keyOf(step, field), value === null ? null : { step, field, value, origin: "human", cause: null }));
    if (!op.effect) this.#settle(after);
    return after;
  }

  #implied(view) {
    if (this.propagation === "off") return new Map();
    return impliedBy(this.scheme, this.steps, (step, field) => said(view.get(keyOf(step, field))));
  }

  #unfilled(view) {
    const field = this.scheme.propagation?.field;
    return new Map([...this.#implied(view)].filter(([step]) => !view.has(keyOf(step, field))));
  }

  #fill(view) {
    const { field, value } = this.scheme.propagation ?? {};
    for (const [step, cause] of this.#unfilled(view)) view.set(keyOf(step, field), { step, field, value, origin: "propagated", cause });
  }

  /** A propagated label stays while something implies it, and goes with its cause. */
  #settle(view) {
    const implied = this.#implied(view);
    for (const [key, label] of [...view]) {
      if (label.origin !== "propagated") continue;
      if (implied.has(label.step)) view.set(key, { ...label, cause: implied.get(label.step) });
      else view.delete(key);
    }
    if (this.propagation === "fill") this.#fill(view);
  }

  #pin(op, key, label, own) {
    for (const item of op.items ?? []) {
      if (keyOf(item.step, item.field) !== key) continue;
      if (own) item.was = said(label);
      else if (said(label) !== item.was && label.origin !== "propagated") op.pinned = true;
    }
  }

  /** Waiting changes meet a server that moved on meanwhile: those whose place holds something neither they nor we had put there keep the revision they saw. */
  #pinAtLoad() {
    const known = new Map();
    for (const op of this.outbox.ops) {
      for (const item of op.items ?? []) {
        const key = keyOf(item.step, item.field);
        known.set(key, [...(known.get(key) ?? [item.was]), item.value]);
      }
    }
    const foreign = (item) => {
      const key = keyOf(item.step, item.field);
      return !known.get(key).includes(said(this.base.get(key))) && this.base.get(key)?.origin !== "propagated";
    };
    for (const op of this.outbox.ops) if ((op.items ?? []).some(foreign)) op.pinned = true;
  }
}
