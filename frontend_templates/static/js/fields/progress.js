// How far the work has come: a slider with a tick where the step before left it.
import { scale } from "./scale.js";

export const progress = {
  ...scale,

  beside: true,

  paint(field, label) {
    const before = earlier(field);
    const [row] = field.rows;
    row.paint(label?.value ?? null, field.spec.default ?? before?.value ?? null);
    field.element.querySelector("[data-clear]").hidden = label === null;
    const tick = row.element.querySelector("[data-tick]");
    tick.hidden = before === null;
    tick.style.setProperty("--at", before ? before.value / 100 : 0);
    paintHint(field, label, before);
  },

  key: (field) => void progress.focus(field),
};

/** What the last step before this one that says something says; in a tree, of those it hangs on. */
function earlier({ store, step, name }) {
  for (let before = store.before(step); before !== undefined; before = store.before(before)) {
    const value = store.value(before, name);
    if (value !== null) return { step: before, value };
  }
  return null;
}

function paintHint({ element, controls }, label, before) {
  const hint = element.querySelector("[data-hint]");
  hint.hidden = before === null;
  if (before === null) return;
  const where = `${before.value} % after step ${controls.numberOf(before.step)}`;
  hint.textContent = label !== null && label.value < before.value ? `Less than before: it was ${where}.` : `Before: ${where}.`;
  hint.classList.toggle("falls", label !== null && label.value < before.value);
}
