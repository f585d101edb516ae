// The score of a rubric, as annotations/schemes/fields/rubric.py works it out; a test holds the two together.

const checksOf = (item) => (item.checks?.length ? item.checks : [item]);
const applies = (answer) => answer === "yes" || answer === "no";
const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);

/** From 0 to 1 by the field's rule; null where nothing applies. `items` are those of the place, else the scheme's own. */
export function points(spec, value, items = null) {
  const asked = items ?? spec.items;
  if (spec.score === "share") return share(Object.values(value).filter(applies));
  return spec.score === "weighted" ? weighted(asked.flatMap(checksOf), value) : penalised(asked, value, spec.power);
}

function share(answers) {
  return answers.length ? answers.filter((one) => one === "yes").length / answers.length : null;
}

// Weights of what holds over those of what could add to them; a fault takes points, and there is no best of faults alone.
function weighted(items, value) {
  const answered = items.filter(({ name }) => applies(value[name]));
  const best = sum(answered.filter(({ weight }) => weight > 0).map(({ weight }) => weight));
  const held = sum(answered.filter(({ name }) => value[name] === "yes").map(({ weight }) => weight));
  return best ? held / best : null;
}

function penalised(items, value, power) {
  const parts = items.map((item) => ({ weight: item.weight, got: share(checksOf(item).map(({ name }) => value[name]).filter(applies)) }));
  const answered = parts.filter(({ got }) => got !== null);
  const total = sum(answered.map(({ weight }) => weight));
  return total ? sum(answered.map(({ weight, got }) => weight * got ** power)) / total : null;
}
