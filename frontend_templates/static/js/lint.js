// The rules behind the warnings. A rule looks at the answers and returns {key, step, text, mend} for each thing that is odd.
import { equal } from "./answers.js";

const bestOf = (scheme) => {
  const main = scheme.fields.find(({ name }) => name === scheme.main);
  return main.kind === "choice" && main.level === "ordinal" ? main.choices[0].value : undefined;
};
const warning = (rule, step, text, mend) => ({ key: `${rule}:${step}`, step, text, mend });

/** Right directly after wrong, and nobody said that the error was set right. */
export function recovery(store, facts, wording) {
  const { main, propagation } = store.scheme;
  const best = bestOf(store.scheme);
  if (!propagation?.until) return [];
  const { title } = wording.spec(propagation.until);
  return store.steps.flatMap((step) => {
    const before = store.before(step);
    const after = before !== undefined && store.value(before, main) === propagation.value && store.value(step, main) === best;
    if (!after || store.value(step, propagation.until) !== null) return [];
    const text = `${wording.title(main, best)} directly after ${wording.title(main, propagation.value)}, and no ${title.toLowerCase()} is marked.`;
    return [warning("recovery", step, text, { title: `Mark as ${title.toLowerCase()}`, run: () => store.change([{ step, field: propagation.until, value: true }]) })];
  });
}

/** The last step is wrong, and yet all is said to have ended well. A tree has many ends. */
export function ending(store, facts, wording) {
  const { final, main, propagation } = store.scheme;
  const step = store.steps.at(-1);
  const spec = final && wording.spec(final);
  if (spec?.kind !== "choice" || !propagation || step === undefined || store.after || store.frontier !== null) return [];
  if (store.value(step, main) !== propagation.value || store.value(null, final) !== spec.choices[0]?.value) return [];
  return [warning("ending", step, `The last step is ${wording.title(main, propagation.value)}, and yet the ${spec.title.toLowerCase()} is ${wording.title(final, spec.choices[0].value)}.`)];
}

/** The same call with the same arguments as before, and called right. */
export function repetition(store, facts, wording) {
  const best = bestOf(store.scheme);
  const again = facts.repeats.flatMap((group) => group.slice(1).map((step) => [step, group[0]]));
  return again.filter(([step]) => best !== undefined && store.value(step, store.scheme.main) === best)
    .map(([step, first]) => warning("repetition", step, `The same call as in step ${wording.numberOf(first)}, with the same arguments, and still ${wording.title(store.scheme.main, best)}.`));
}

/** The same step, judged otherwise in another rollout. */
export function twins(store, facts, wording) {
  const { main } = store.scheme;
  return Object.entries(facts.twins).flatMap(([index, others]) => {
    const step = Number(index);
    const value = store.value(step, main);
    const other = value === null ? null : others.find(([, , said]) => !equal(said, value));
    return other ? [warning("twins", step, `You called the same step ${wording.title(main, other[2])} in item ${other[0]}.`)] : [];
  });
}

export const RULES = [recovery, ending, repetition, twins];
