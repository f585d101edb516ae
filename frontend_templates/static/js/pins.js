// A change that waits is pinned where its place says something else by now: it keeps the revision it saw, and the server
// asks instead of overwriting.
import { equal, said } from "./answers.js";

/** The server has `label` now. `own`: it is what we said ourselves, so what waits stands on it. */
export function pin(op, label, own) {
  for (const item of op.items ?? []) {
    if (item.step !== label.step || item.field !== label.field) continue;
    if (own) item.was = said(label);
    else if (!equal(said(label), item.was) && label.origin !== "propagated") op.pinned = true;
  }
}

/** Waiting changes meet a server that moved on meanwhile: pinned are those whose place holds what neither they nor we had
 * put there. */
export function pinAtLoad(ops, base) {
  const keyOf = ({ step, field }) => `${step}:${field}`;
  const known = new Map();
  for (const item of ops.flatMap(({ items }) => items ?? [])) known.set(keyOf(item), [...(known.get(keyOf(item)) ?? [item.was]), item.value]);
  const foreign = (item) => {
    const held = base.get(item.step, item.field);
    return !known.get(keyOf(item)).some((one) => equal(one, said(held))) && held?.origin !== "propagated";
  };
  for (const op of ops) if ((op.items ?? []).some(foreign)) op.pinned = true;
}
