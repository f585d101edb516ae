// The rules that fill in labels, as annotations/schemes/rules.py has them; a test holds the two together.

/** A `value` reaches every later place until one that is labelled or marked as a stop. Map of place → place of the cause. */
export function carryForward(said, stops, value) {
  const implied = new Map();
  let cause = null;
  said.forEach((answer, place) => {
    if (answer !== null && answer !== undefined) cause = answer === value ? place : null;
    else if (stops[place]) cause = null;
    else if (cause !== null) implied.set(place, cause);
  });
  return implied;
}

export const RULES = { "carry-forward": carryForward };

/** What the scheme's rule implies: step → the step whose label implies it. `answer(step, field)` is what a person said. */
export function impliedBy(scheme, steps, answer) {
  const rule = scheme.propagation;
  if (!rule) return new Map();
  const said = steps.map((step) => answer(step, rule.field));
  const stops = steps.map((step) => rule.until !== "" && answer(step, rule.until) !== null);
  const implied = new Map();
  for (const [place, cause] of RULES[rule.rule](said, stops, rule.value)) implied.set(steps[place], steps[cause]);
  return implied;
}
