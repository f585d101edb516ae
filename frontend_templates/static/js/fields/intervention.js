// The one step that a person writes in place of another. It is written at that step; the trajectory shows it.
import { shown } from "../help.js";
import { Rewriting } from "./rewriting.js";
import { pointTo } from "./pointed.js";

export const intervention = {
  paint(field, label) {
    const { element } = field;
    const value = label?.value ?? null;
    pointTo(field, element.querySelector("[data-go]"), value?.step ?? null);
    const written = element.querySelector("[data-written]");
    written.hidden = value === null;
    written.textContent = value?.text ?? "";
    for (const name of ["edit", "clear"]) element.querySelector(`[data-${name}]`).hidden = value === null;
    element.querySelector("[data-hint]").textContent = value === null ? howTo(field) : "";
  },

  pressed(field, button) {
    if ("clear" in button.dataset) return null;
    if ("edit" in button.dataset) edit(field, field.value.step);
    return undefined;
  },

  key(field, step) {
    if (step === null) return void field.controls.page.tell("This step is still on its way.");
    return void edit(field, step);
  },

  focus: (field) => void field.controls.page.tell(howTo(field)),

  here: {
    watch(field) {
      field.writing = new Rewriting({
        element: field.element,
        original: () => field.controls.original("message"),
        tell: (text) => field.controls.page.tell(text),
        keep: (text) => (text !== null || field.value?.step === field.at) && field.set(text === null ? null : { step: field.at, text }),
        said: () => textHere(field),
      });
    },

    paint(field) {
      field.element.classList.toggle("said", textHere(field) !== null);
      field.writing.paint(textHere(field));
    },

    pressed: (field, button) => ("open" in button.dataset ? void field.writing.open() : undefined),

    open: (field) => field.writing.open(),

    close: (field) => field.writing.close(),
  },
};

const textHere = ({ value, at }) => (value?.step === at ? value.text : null);

async function edit(field, step) {
  const { page } = field.controls;
  page.go(step);
  const here = (await page.at(step))?.here(field.name);
  if (here) here.kind.open(here);
}

function howTo({ controls, spec }) {
  const [key] = controls.keysOf(`field:${spec.name}`) ?? [];
  return key ? `Press ${shown(key)} at the step it replaces.` : "Write it at the step it replaces.";
}
