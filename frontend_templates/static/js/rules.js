// The rules a scheme can name, as annotations/schemes/rules.py has them; a test holds the two together.
//
// A view is {steps, before(step), answer(step, field), places(field), revealed}: the agent's steps in order, the step
// before each on the way to it (undefined before the first), what the person said and nothing that was filled in, the
// places [step, name] of a field's answers and of those to its parts, and whether the end was shown (null: nothing is
// kept back). A rule returns {implied, isClosed, sealed, problems}, of which what is absent is nothing.

/** What follows a field's name, with its "@"; "" where it is asked of no part. */
const partOf = (name) => (name.includes("@") ? name.slice(name.indexOf("@")) : "");
/** Whether the answer is one of the values or, of several chosen, has one of them. */
const says = (answer, values) => [answer].flat().some((one) => values.includes(one));
const isSaid = (answer) => answer !== null && answer !== undefined;

/** What `before` says: of the step that was tried before each, in a tree (`after`: step → the one it hangs on), else in order. */
export function lineage(steps, after) {
  const found = after ?? new Map(steps.map((step, place) => [step, steps[place - 1]]));
  return (step) => found.get(step) ?? undefined;
}

/** A `value` reaches every later step until one that is labelled or where `until` says something. */
export function carryForward(view, { field, value, until = "" }) {
  const implied = new Map();
  const causes = new Map();
  for (const step of view.steps) {
    const answer = view.answer(step, field);
    let cause = causes.get(view.before(step)) ?? null;
    if (isSaid(answer)) cause = answer === value ? step : null;
    else if (until !== "" && isSaid(view.answer(step, until))) cause = null;
    else if (cause !== null) implied.set(step, cause);
    causes.set(step, cause);
  }
  return { implied };
}

/** The steps that come after one of which the field says that. */
function stepsAfter(view, { field, value }) {
  const found = new Set();
  for (const step of view.steps) {
    const before = view.before(step);
    if (found.has(before) || (before !== undefined && view.answer(before, field) === value)) found.add(step);
  }
  return found;
}

/** The first `value` ends the work: what is unlabelled before it is `before`, what comes after it is not asked. */
export function firstError(view, { field, value }) {
  const implied = new Map();
  const after = stepsAfter(view, { field, value });
  const walked = new Set();
  for (const step of view.steps) {
    if (view.answer(step, field) !== value || after.has(step)) continue;
    for (let above = view.before(step); above !== undefined && !walked.has(above); above = view.before(above)) {
      walked.add(above);
      if (!isSaid(view.answer(above, field))) implied.set(above, step);
    }
  }
  return { implied, isClosed: (step) => after.has(step) };
}

/** Steps after the first `value` are not asked. */
export function stopAfterFirstError(view, rule) {
  const after = stepsAfter(view, rule);
  return { isClosed: (step) => after.has(step) };
}

/** `first` is asked before the end is shown and sealed by showing it, `then` is asked after. */
export function hindsightLock(view, { first, then }) {
  if (view.revealed === null) return {};
  if (view.revealed) return { sealed: { [first]: "It was given before the end was known, and stays." } };
  return { isClosed: (step, field) => field === then, sealed: { [then]: "It is asked once the end is shown." } };
}

/** At one place only one of the `fields` says something. */
export function exclusive(view, { fields }) {
  const problems = new Map();
  for (const [step, name] of fields.flatMap((field) => view.places(field))) {
    const part = partOf(name);
    const said = fields.filter((field) => isSaid(view.answer(step, field + part)));
    if (said.length > 1) problems.set(`${step}:${part}`, { step, field: said.at(-1) + part, reason: `goes not with ${said[0]}` });
  }
  return { problems: [...problems.values()] };
}

/** Where `field` says one of the `values`, the field `by` says why. */
export function mustExplain(view, { field, values, by }) {
  const places = view.places(field).filter(([step, name]) => says(view.answer(step, name), values) && !isSaid(view.answer(step, by + partOf(name))));
  return { problems: places.map(([step, name]) => ({ step, field: by + partOf(name), reason: "has to say why" })) };
}

export const RULES = {
  "carry-forward": carryForward,
  "first-error": firstError,
  "stop-after-first-error": stopAfterFirstError,
  "hindsight-lock": hindsightLock,
  exclusive,
  "must-explain": mustExplain,
};
const FILL = ["carry-forward", "first-error"];
const ONLY_FILLS = "carry-forward"; // and closes, seals and minds nothing: at each key it is worked out once, by impliedBy
const OF_STEPS = ["step", "tool_call", "sentence"];

/** Whether an answer meets a field's `when`. */
export function holds({ values }, answer) {
  if (!isSaid(answer)) return false;
  if (!values.length) return true;
  return says(answer, values);
}

/** What the rules of the scheme make of what is said: closed(step, field), sealed(field) → why or "", problems. */
export class Effects {
  constructor(scheme, view) {
    this.scheme = scheme;
    this.view = view;
    this.found = scheme.rules.filter(({ rule }) => rule !== ONLY_FILLS).map(({ rule, ...settings }) => RULES[rule](view, settings));
    this.anywhere = new Map(); // field → whether its condition holds of the trajectory
  }

  /** Whether the place is not asked, or not any more. */
  closed(step, name) {
    const field = name.split("@")[0];
    return this.found.some(({ isClosed }) => isClosed?.(step, field)) || !this.#isWanted(step, field, partOf(name));
  }

  sealed(name) {
    return this.found.map(({ sealed }) => sealed?.[name.split("@")[0]]).find(Boolean) ?? "";
  }

  get problems() {
    return this.found.flatMap(({ problems = [] }) => problems);
  }

  #isWanted(step, field, part) {
    const spec = this.#spec(field);
    if (!spec?.when) return true;
    const other = this.#spec(spec.when.field);
    const ofStep = OF_STEPS.includes(other.target);
    if (OF_STEPS.includes(spec.target) && ofStep) {
      if (spec.target === other.target) return holds(spec.when, this.view.answer(step, other.name + part));
      return this.#isSaidAt(spec.when, other.name, (one) => one === step);
    }
    if (!this.anywhere.has(field)) this.anywhere.set(field, this.#isSaidAt(spec.when, other.name, () => true));
    return this.anywhere.get(field);
  }

  #isSaidAt(when, field, isThere) {
    return this.view.places(field).some(([step, name]) => isThere(step) && holds(when, this.view.answer(step, name)));
  }

  #spec(field) {
    return this.scheme.fields.find(({ name }) => name === field);
  }
}

/** What the scheme's filling rule implies: step → the step whose label implies it. `answer(step, field)` is what a person said. */
export function impliedBy(scheme, steps, answer, before = lineage(steps, null)) {
  const rule = scheme.rules.find((one) => FILL.includes(one.rule));
  if (!rule) return new Map();
  return RULES[rule.rule]({ steps, before, answer, places: () => [], revealed: null }, rule).implied ?? new Map();
}
