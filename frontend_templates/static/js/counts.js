// How far a pass has come: the places that make a step done, as services/frontier.py has them, and how many are answered.
import { isOfStep, lacking } from "./kinds.js";

const ALWAYS = ["choice", "scale", "progress", "taxonomy", "rubric"]; // kinds that every step has an answer to
const PLAIN = ["choice", "taxonomy", "progress"]; // kinds whose every answer is whole
const CLOSING = ["first-error", "stop-after-first-error"];

/** The fields whose answers make a step done; none where a step needs no answer. */
export function gates({ fields, main, rules }, revealed = null) {
  const lock = rules.find(({ rule }) => rule === "hindsight-lock");
  const gate = fields.find(({ name }) => name === (lock ? (revealed ? lock.then : lock.first) : main));
  if (isOfStep(gate) && !gate.when && (gate.required || ALWAYS.includes(gate.kind))) return [gate];
  return fields.filter((spec) => isOfStep(spec) && spec.required && !spec.when);
}

/** Whether something that makes the step done is still open there. */
export const isOpenAt = (store, step) => gates(store.scheme, store.revealed).some((spec) => asked(store, step, spec).some((name) => !isWhole(store, step, name, spec)));

/** {done, all} of the places of steps; where no step needs an answer, of what the whole trajectory needs. */
export function count(store) {
  const specs = gates(store.scheme, store.revealed);
  if (!specs.length) return countWhole(store);
  if (specs.length === 1 && isPlain(store.scheme, specs[0])) return { done: store.view.of(specs[0].name).size, all: store.steps.length };
  return countOf(store, store.steps, specs);
}

/** The same of what is required of the whole trajectory. */
export const countWhole = (store) => countOf(store, [null], store.scheme.fields.filter((spec) => !isOfStep(spec) && spec.required));

function countOf(store, steps, specs) {
  const found = { done: 0, all: 0 };
  for (const step of steps) {
    for (const spec of specs) {
      for (const name of asked(store, step, spec)) {
        found.all += 1;
        if (isWhole(store, step, name, spec)) found.done += 1;
      }
    }
  }
  return found;
}

const asked = (store, step, spec) => store.names(step, spec).filter((name) => !store.effects.closed(step, name));

function isWhole(store, step, name, spec) {
  const value = store.value(step, name);
  return value !== null && !lacking(spec, value, store.items[spec.name]);
}

// Nothing closes its places and nothing is half said: what is said need only be counted, however many steps there are.
const isPlain = ({ rules }, spec) => spec.target === "step" && PLAIN.includes(spec.kind) && !spec.when && !rules.some(({ rule }) => CLOSING.includes(rule));
