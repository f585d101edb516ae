// What a pass is asked, and what of it is still missing.
import { asked, isOfStep, lacking } from "./kinds.js";

/** Whether a field is a rubric for which there is no list yet, of the task or of the scheme. */
export const asksNothing = (spec, items) => spec.kind === "rubric" && !asked(spec, items).length;

/** The names under which a field is asked at a place: its own, or one a part where it is asked of parts or of pairs.
 * What compares siblings is asked of the first of them, and of no other step. */
export function names(parts, step, { name, target, kind, form }) {
  if (!["tool_call", "sentence"].includes(target) && !(kind === "preference" && (form === "pair" || target === "step"))) return [name];
  return (parts[step ?? ""]?.[name] ?? []).map((part) => (part ? `${name}@${part}` : name));
}

/**
 * Required answers that are missing or not whole, in reading order, then what a rule objects to; `open` are steps that
 * only a ghost or an offer would fill.
 */
export function missing(store) {
  const { fields, main, propagation } = store.scheme;
  const found = { missing: [], open: [] };
  const look = (step, spec) => {
    for (const field of store.names(step, spec)) {
      const label = store.label(step, field);
      if (store.effects.closed(step, field)) continue;
      if (label ? !lacking(spec, label.value, store.items[spec.name]) : !spec.required) continue;
      const fills = (field === propagation?.field && store.ghosts.has(step)) || (field === main && store.offer(step));
      (fills ? found.open : found.missing).push({ step, field });
    }
  };
  const [ofSteps, ofAll] = [fields.filter(isOfStep), fields.filter((spec) => !isOfStep(spec))];
  for (const step of store.steps) for (const spec of ofSteps) look(step, spec);
  for (const spec of ofAll) look(null, spec);
  found.missing.push(...store.effects.problems);
  return found;
}
