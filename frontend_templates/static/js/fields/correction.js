// The text as it should have been: of the step, of a call, of a sentence. The box opens with what the agent wrote.
import { Rewriting } from "./rewriting.js";

export const correction = {
  watch(field) {
    const part = field.name.split("@")[1] ?? "";
    field.writing = new Rewriting({
      element: field.element,
      original: () => originalOf(field.controls, part),
      tell: (text) => field.controls.page.tell(text),
      keep: (text) => field.set(text),
      said: () => field.value,
    });
  },

  paint: (field, label) => field.writing.paint(label?.value ?? null),

  pressed: (field, button) => ("open" in button.dataset ? void field.writing.open() : undefined),

  key: (field) => void field.writing.open(),

  focus: (field) => void field.writing.open(),

  close: (field) => field.writing.close(),
};

// A sentence is named by where it stands in the message, in code points.
async function originalOf(controls, part) {
  if (!/^\d+-\d+$/.test(part)) return controls.original(part || "message");
  const message = await controls.original("message");
  return message === null ? null : [...message].slice(...part.split("-").map(Number)).join("");
}
