// The first step that is wrong, or none. It is said at the step itself; the trajectory shows which it is.
import { shown } from "../help.js";
import { press } from "./press.js";
import { pointTo } from "./pointed.js";

const NONE = "none";

export const firstError = {
  paint(field, label) {
    const { element } = field;
    const value = label?.value ?? null;
    press(element.querySelector("[data-none]"), value === NONE);
    pointTo(field, element.querySelector("[data-go]"), value === NONE ? null : value);
    element.querySelector("[data-clear]").hidden = value === null;
    element.querySelector("[data-hint]").textContent = value === null ? `or ${howTo(field)}` : "";
  },

  pressed({ value }, button) {
    if ("clear" in button.dataset) return null;
    if ("none" in button.dataset) return value === NONE ? null : NONE;
    return undefined;
  },

  key(field, step) {
    if (step === null) return void field.controls.page.tell("This step is still on its way.");
    return field.value === step ? null : step;
  },

  option: ({ value }, option) => (value === option ? null : option),

  focus: ({ element }) => element.querySelector("[data-none]").focus(),

  here: {
    paint: (field, label) => press(field.element.querySelector("[data-point]"), label?.value === field.at),
    pressed: (field) => (field.value === field.at ? null : field.at),
  },
};

function howTo({ controls, spec }) {
  const [key] = controls.keysOf(`field:${spec.name}`) ?? [];
  return key ? `press ${shown(key)} at the step` : "choose it at the step";
}
