// What this annotation says: what the server confirmed, and on top of it what waits to be sent. The page shows the sum.
import { Answers, equal, Log, said } from "./answers.js";
import { asksNothing, missing, names } from "./asking.js";
import { newId } from "./ids.js";
import { pin, pinAtLoad } from "./pins.js";
import { Effects, impliedBy, lineage } from "./rules.js";

/**
 * Fires "change" with detail {changes, ghosts, offers}: the places {step, field} that say something else now, and the
 * steps of which a ghost or an offer came or went. A label is {step, field, value, origin, cause, explanation}.
 */
export class Store extends EventTarget {
  constructor({ scheme, propagation, outbox, spent = () => 0 }) {
    super();
    Object.assign(this, { scheme, propagation, outbox, spent });
    Object.assign(this, { steps: [], after: null, before: lineage([], null) });
    this.done = []; // changes of this page that undo takes back, the next one last
    this.undone = [];
    this.base = new Answers();
    this.view = new Answers();
    this.ghosts = new Map(); // step → the step whose label carries on to it
    this.first = new Map(); // step → what was said of it before everything was shown
    this.offered = new Map(); // step → {value, confidence, source}
    this.parts = {}; // step ("": the trajectory) → field → its parts there, of fields that are asked of parts
    this.items = {}; // field → the rubric items that are asked here, where they are the task's own
    this.revealed = null; // whether the end was shown; null: nothing is kept back
  }

  /** Start from what the server has, and what waits in this browser. `after`: of a tree, step → the one it hangs on. */
  begin({ steps, state, after = null }) {
    Object.assign(this, { steps, after, before: lineage(steps, after) });
    this.#take(state);
    pinAtLoad(this.outbox.ops, this.base);
    this.view = this.base.copy();
    for (const op of this.outbox.ops) this.#remember(op, this.#apply(this.view, op));
    this.outbox.addEventListener("change", ({ detail }) => detail?.own || this.rebuild());
    this.#tell([]);
  }

  label(step, field) {
    return this.view.get(step, field);
  }

  value(step, field) {
    return this.view.get(step, field)?.value ?? null;
  }

  /** The suggestion for a step that has no answer of its own yet. */
  offer(step) {
    return this.label(step, this.scheme.main) ? null : (this.offered.get(step) ?? null);
  }

  /** Offer these: [step, value, confidence, source]. */
  offerAll(rows) {
    const before = [...this.offered.keys()];
    this.offered = new Map(rows.map(([step, value, confidence, source]) => [step, { value, confidence, source }]));
    this.#tell([], [...before, ...this.offered.keys()]);
  }

  names(step, spec) {
    return asksNothing(spec, this.items[spec.name]) ? [] : names(this.parts, step, spec);
  }

  /** What the scheme's rules make of what is said now. */
  get effects() {
    this.worked ??= new Effects(this.scheme, {
      steps: this.steps,
      before: this.before,
      revealed: this.revealed,
      answer: (step, field) => said(this.view.get(step, field)),
      places: (field) => this.view.places(field),
    });
    return this.worked;
  }

  get canUndo() {
    return this.done.length > 0 || this.serverUndo;
  }

  get canRedo() {
    const forgotten = this.outbox.ops.some((op) => op.kind === "change" || op.kind === "accept");
    return this.undone.length > 0 || (this.serverRedo && !forgotten);
  }

  missing() {
    return missing(this);
  }

  /** Set or (value null) clear answers; several are one undo unit. False when nothing would change. */
  change(items) {
    const real = items.filter((item) => this.#changes(item));
    if (real.length) this.#perform({ kind: "change", time_ms: this.spent(), items: real.map((item) => ({ ...item, was: said(this.base.get(item.step, item.field)) })) });
    return real.length > 0;
  }

  /** Take the ghosts as labels. Returns how many. */
  acceptGhosts() {
    const count = this.ghosts.size;
    if (count) this.#perform({ kind: "accept", time_ms: this.spent() });
    return count;
  }

  /** Take what is offered for these steps; `looked(step)` says for how long it was in sight, in ms. Returns how many. */
  acceptOffers(steps, looked) {
    const items = steps.filter((step) => this.offer(step)).map((step) => {
      const { value, source } = this.offer(step);
      return { step, field: this.scheme.main, value, accepted: { source, looked_ms: Math.round(looked(step)) } };
    });
    if (items.length) this.change(items);
    return items.length;
  }

  undo() {
    if (!this.canUndo) return false;
    const last = this.done.at(-1);
    this.#perform({ kind: "undo", target: last?.change, effect: last?.changes.map(({ step, field, before }) => [step, field, before]) ?? [] });
    return true;
  }

  redo() {
    if (!this.canRedo) return false;
    const last = this.undone.at(-1);
    this.#perform({ kind: "redo", target: last?.change, effect: last?.changes.map(({ step, field, after }) => [step, field, after]) ?? [] });
    return true;
  }

  /** The server took the change; its answer names every label that is another one than our last revision showed. */
  confirm(op, answer) {
    const places = this.#places(op);
    const keys = new Set(places.map(({ step, field }) => `${step}:${field}`));
    const isKnown = op.kind === "change" || op.effect?.length;
    this.outbox.remove(op.change, { own: true });
    this.merge(answer, isKnown ? ({ step, field }) => keys.has(`${step}:${field}`) : () => true, places);
  }

  /**
   * Labels as the server has them now. Waiting changes to places that others changed keep the revision they saw; `own`
   * tells which of the labels are none of theirs. `places` are shown as the server has them, whether it names them or not.
   */
  merge(answer, own = () => false, places = []) {
    if (answer.revision < this.revision) return;
    for (const label of answer.labels) {
      for (const op of this.outbox.ops) pin(op, label, own(label));
      this.base.set(label.step, label.field, label);
    }
    this.#standing(answer);
    if (this.outbox.ops.length) this.rebuild();
    else this.#agree([...places, ...answer.labels]);
  }

  /** The whole of what the server has, after a time of not knowing; unless it was asked before what we know by now. */
  replace(state) {
    if (state.revision < this.revision) return;
    this.#take(state);
    pinAtLoad(this.outbox.ops, this.base);
    this.rebuild();
  }

  /** More steps are shown now. */
  grow(steps, after) {
    Object.assign(this, { steps, after, before: lineage(steps, after) });
    this.#tell([]);
  }

  /** Forget a waiting change, and the undo and redo that meant it. */
  drop(change) {
    this.done = this.done.filter((one) => one.change !== change);
    this.undone = this.undone.filter((one) => one.change !== change);
    for (const op of this.outbox.ops.filter((one) => one.change === change || one.target === change)) this.outbox.remove(op.change);
  }

  /** Work out the view anew: the queue is another one, or the ground beneath it. */
  rebuild() {
    const before = this.view;
    this.view = this.base.copy();
    for (const op of this.outbox.ops) this.#apply(this.view, op);
    this.#tell(before.changesTo(this.view));
  }

  #changes({ step, field, value, explanation, accepted }) {
    const now = this.view.get(step, field);
    if (value === null) return now !== null;
    if (now === null || !equal(now.value, value) || now.origin === "propagated") return true;
    return (now.origin === "accepted" && !accepted) || (explanation !== undefined && explanation !== (now.explanation ?? ""));
  }

  #perform(op) {
    const whole = { change: newId(), revision: this.revision, ...op };
    const changes = this.#apply(this.view, whole);
    this.#remember(whole, changes);
    this.outbox.add(whole, { own: true });
    this.#tell(changes);
  }

  #tell(changes, offers = []) {
    this.worked = null;
    const before = this.ghosts;
    const ruled = !changes.length || changes.some(({ field }) => this.#isRuled(field));
    if (ruled) this.ghosts = this.propagation === "suggest" ? this.#unfilled(this.view) : new Map();
    const ghosts = [];
    if (ruled) {
      for (const [step, cause] of this.ghosts) if (before.get(step) !== cause) ghosts.push(step);
      for (const step of before.keys()) if (!this.ghosts.has(step)) ghosts.push(step);
    }
    this.dispatchEvent(new CustomEvent("change", { detail: { changes, ghosts, offers } }));
  }

  #isRuled(field) {
    return field === this.scheme.propagation?.field || field === this.scheme.propagation?.until;
  }

  #take(state) {
    this.base = new Answers(state.labels);
    this.#standing(state);
  }

  #standing({ revision, state, undo, redo, frontier }) {
    Object.assign(this, { revision, state, serverUndo: undo, serverRedo: redo, frontier });
  }

  #remember(op, changes) {
    if (op.kind === "undo") this.undone.push(this.done.pop() ?? { change: op.change, changes: [] });
    else if (op.kind === "redo") this.done.push(this.undone.pop() ?? { change: op.change, changes: [] });
    else {
      this.done.push({ change: op.change, changes });
      this.undone = [];
    }
  }

  #apply(answers, op) {
    const log = new Log(answers);
    this.#write(log, op);
    return log.changes();
  }

  #write(log, op) {
    if (op.effect) return op.effect.forEach(([step, field, label]) => log.put(step, field, label));
    if (op.kind === "accept") this.#fill(log);
    else op.items.forEach((item) => log.put(item.step, item.field, this.#answer(item, log.answers.get(item.step, item.field))));
    if (op.kind === "accept" || op.items.some(({ field }) => this.#isRuled(field))) this.#settle(log);
  }

  // What explains the old answer goes on explaining the new one.
  #answer({ step, field, value, explanation, accepted }, held) {
    if (value === null) return null;
    const why = explanation ?? held?.explanation ?? "";
    if (accepted && held && held.origin !== "propagated" && equal(held.value, value)) return { ...held, explanation: why };
    return { step, field, value, origin: accepted ? "accepted" : "human", cause: null, explanation: why };
  }

  #implied(answers) {
    const { field, value } = this.scheme.propagation ?? {};
    const answered = answers.of(field);
    const carries = (label) => said(label) === value;
    if (this.propagation === "off" || ![...answered.values()].some(carries)) return new Map();
    return impliedBy(this.scheme, this.steps, (step, name) => said((name === field ? answered : answers.of(name)).get(step)), this.before);
  }

  #unfilled(answers) {
    const implied = this.#implied(answers);
    for (const step of answers.of(this.scheme.propagation?.field).keys()) implied.delete(step);
    return implied;
  }

  #fill(log) {
    const { field, fills } = this.scheme.propagation ?? {};
    for (const [step, cause] of this.#unfilled(log.answers)) log.put(step, field, { step, field, value: fills, origin: "propagated", cause });
  }

  /** A propagated label stays while something implies it, and goes with its cause. */
  #settle(log) {
    const { field } = this.scheme.propagation ?? {};
    const filled = [...log.answers.of(field).values()].filter((label) => label.origin === "propagated");
    if (filled.length) {
      const implied = this.#implied(log.answers);
      for (const label of filled) log.put(label.step, field, implied.has(label.step) ? { ...label, cause: implied.get(label.step) } : null);
    }
    if (this.propagation === "fill") this.#fill(log);
  }

  /** The places a change touches, its own and those of the rule. */
  #places(op) {
    const log = new Log(this.base);
    this.#write(log, op);
    log.undo();
    return [...log.touched.values(), ...(op.items ?? [])];
  }

  /** Nothing waits: what these places show is what the server has. */
  #agree(places) {
    const log = new Log(this.view);
    for (const { step, field } of places) log.put(step, field, this.base.get(step, field));
    this.#tell(log.changes());
  }
}
