// A number, or one for each of several dimensions: buttons where there are few to choose from, else a slider.
import { words } from "../kinds.js";
import { NumberButtons } from "./number-buttons.js";
import { Slider } from "./slider.js";

export const scale = {
  watch(field) {
    const rows = [...field.element.querySelectorAll("[data-row]")];
    field.rows = rows.map((element) => {
      const name = element.dataset.row;
      const store = (number) => field.answer(valueWith(field, name, number));
      if (element.querySelector(".numbers")) return new NumberButtons({ element, name, spec: field.spec, store, onward: () => onward(field, name) });
      return new Slider({ element, name, spec: field.spec, store, tell: (text) => field.controls.page.tell(text), wordsOf: (number) => wordsOf(field.spec, number) });
    });
  },

  paint(field, label) {
    for (const row of field.rows) row.paint(numberOf(label?.value, row.name), numberOf(field.spec.default, row.name));
    field.element.querySelector("[data-clear]").hidden = label === null;
  },

  pressed(field, button) {
    if ("clear" in button.dataset) return cleared(field);
    const { number } = button.dataset;
    const row = field.rows.find(({ element }) => element.contains(button));
    return number === undefined || !row ? undefined : valueWith(field, row.name, Number(number));
  },

  key: (field) => void scale.focus(field),

  focus(field) {
    const open = field.rows.find((row) => numberOf(field.value, row.name) === null);
    (open ?? field.rows[0]).focus();
  },

  close(field) {
    for (const row of field.rows) row.keep();
  },
};

const numberOf = (value, name) => (name ? (value?.[name] ?? null) : (value ?? null));

const wordsOf = (spec, number) => words({ ...spec, dimensions: [] }, number);

// The whole answer with this number in it; null where nothing is left of it.
function valueWith({ value }, name, number) {
  if (!name) return number;
  const { [name]: before, ...others } = value ?? {};
  const whole = number === null ? others : { ...others, [name]: number };
  return Object.keys(whole).length ? whole : null;
}

function cleared(field) {
  for (const row of field.rows) row.forget();
  return null;
}

// A dimension is rated: on to the next that is not.
function onward(field, name) {
  const place = field.rows.findIndex((row) => row.name === name);
  const after = [...field.rows.slice(place + 1), ...field.rows.slice(0, place)];
  const open = after.find((row) => numberOf(field.value, row.name) === null);
  if (open) open.focus();
  else field.controls.page.done(field);
}
