// Several answers out of a tree: buttons under their headings where they are few, else a list that opens, and chips.
import { make } from "../dialogs.js";
import { optionsOf, words } from "../kinds.js";
import { Picker } from "./picker.js";
import { moveAmong, press } from "./press.js";

/** The chosen with this one put in or taken out, in the order of the tree. null: none is left; undefined: no more may be chosen. */
export function toggled(spec, chosen, value) {
  const options = optionsOf(spec);
  const alone = new Set(options.filter((one) => one.alone).map((one) => one.value));
  const rest = chosen.filter((one) => one !== value);
  if (rest.length < chosen.length) return rest.length ? rest : null;
  if (alone.has(value) || spec.most === 1) return [value];
  const together = [...chosen.filter((one) => !alone.has(one)), value];
  if (spec.most && together.length > spec.most) return undefined;
  return options.map((one) => one.value).filter((one) => together.includes(one));
}

export const taxonomy = {
  watch(field) {
    const box = field.element.querySelector("[data-picker]");
    if (box) field.picker = new Picker({ box, opener: field.element.querySelector("[data-pick]"), choose: (place) => choose(field, optionsOf(field.spec)[place].value), back: () => back(field) });
    else moveAmong(field.element.querySelector(".tree"), "button");
  },

  paint(field, label) {
    const { element, spec, picker } = field;
    const chosen = label?.value ?? [];
    const options = optionsOf(spec);
    for (const button of element.querySelectorAll("[data-choice]")) {
      const { value } = options[button.dataset.choice];
      press(button, chosen.includes(value));
      button.classList.toggle("proposed", label === null && Boolean(spec.default?.includes(value)));
    }
    element.querySelector("[data-clear]").hidden = label === null || Boolean(picker);
    if (!picker) return;
    picker.paint(new Set(chosen.map((value) => options.findIndex((one) => one.value === value))));
    paintChips(field, chosen, options);
  },

  pressed(field, button) {
    const { choice, remove, clear, pick, pickerClose } = button.dataset;
    if (clear !== undefined) return null;
    if (pick !== undefined) return void field.picker.toggle();
    if (pickerClose !== undefined) return void field.picker.close();
    const place = choice ?? remove;
    return place === undefined ? undefined : next(field, optionsOf(field.spec)[place].value);
  },

  key: (field) => void taxonomy.focus(field),

  option: (field, value) => next(field, value),

  focus({ element, picker }) {
    if (picker) return picker.open();
    return (element.querySelector("[aria-pressed=true]") ?? element.querySelector("[data-choice]")).focus();
  },
};

function next({ spec, value, controls }, one) {
  const chosen = toggled(spec, value ?? [], one);
  if (chosen === undefined) controls.page.tell(`${spec.title} takes up to ${spec.most}. Take one back first.`);
  return chosen;
}

function choose(field, one) {
  const value = next(field, one);
  if (value !== undefined) field.answer(value);
}

// From the list one goes back to where one reads.
function back({ controls, element }) {
  if (controls.step === null) element.querySelector("[data-pick]").focus();
  else controls.page.go(controls.step, { scroll: false });
}

function paintChips({ element, spec }, chosen, options) {
  const box = element.querySelector("[data-chips]");
  const held = box.contains(document.activeElement);
  const chips = chosen.map((value) => {
    const title = words(spec, [value]);
    const place = options.findIndex((one) => one.value === value);
    const chip = make("button", { type: "button", className: `chip ${options[place]?.tone ?? ""}`, textContent: title });
    chip.setAttribute("aria-label", `Remove ${title}`);
    chip.dataset.remove = place;
    return chip;
  });
  box.replaceChildren(...chips);
  if (held) (chips[0] ?? element.querySelector("[data-pick]")).focus();
}
