// One of a few answers: a button each. What a rule carries on and what is offered shows on the buttons too.
import { shown } from "../help.js";
import { following, press } from "./press.js";

export const choice = {
  paint({ element, spec, name, step, controls }, label) {
    const { store } = controls;
    const rule = name === store.scheme.propagation?.field ? store.scheme.propagation : null;
    const ghost = label || !rule ? null : (store.ghosts.get(step) ?? null);
    const offered = name === store.scheme.main && step !== null ? (store.offer(step)?.value ?? null) : null;
    for (const button of element.querySelectorAll("[data-choice]")) {
      const { value } = spec.choices[button.dataset.choice];
      press(button, label?.value === value);
      button.classList.toggle("ghost", ghost !== null && rule.fills === value);
      button.classList.toggle("offered", offered === value);
      button.classList.toggle("propagated", label?.origin === "propagated" && label.value === value);
    }
    element.querySelector("[data-clear]").hidden = label === null;
    if (rule) paintWhy(controls, ghost, label);
  },

  pressed({ spec }, button) {
    if ("clear" in button.dataset) return null;
    return button.dataset.choice === undefined ? undefined : spec.choices[button.dataset.choice].value;
  },

  key: ({ spec, value }) => following([...spec.choices.map((one) => one.value), null], value),

  option: (field, value) => value,
};

function paintWhy({ root, numberOf, keysOf }, ghost, label) {
  const why = root.querySelector("[data-why]");
  if (!why) return;
  const cause = ghost ?? (label?.origin === "propagated" ? label.cause : null);
  why.hidden = cause === null;
  if (cause === null) return;
  const [key] = keysOf("accept-ghosts") ?? [];
  const accepts = key ? ` ${shown(key)} accepts.` : "";
  why.textContent = ghost === null ? `Carried on from step ${numberOf(cause)}.` : `Suggested, carried on from step ${numberOf(cause)}.${accepts}`;
}
