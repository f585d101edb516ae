// What a person writes: a box that opens by its button or key, and keeps itself a moment after typing ends.

const IDLE = 1500; // ms without typing after which a text is kept

export const text = {
  paint: ({ element }, label) => paintText(element, label?.value ?? ""),

  pressed({ element }, button) {
    if ("open" in button.dataset) open(element);
  },

  key: ({ element }) => open(element),

  focus: ({ element }) => open(element),

  watch(field) {
    keepAsTyped(field.element.querySelector("textarea"), () => text.close(field), () => text.paint(field, field.label));
  },

  close(field) {
    const area = field.element.querySelector("textarea");
    const said = area.value.trim() ? area.value : null;
    if (said !== field.value) field.set(said);
  },
};

/** Show the box, ready for typing. */
export function open(element) {
  element.querySelector("label").hidden = false;
  element.querySelector("[data-open], [data-explain]").hidden = true;
  element.querySelector("textarea").focus();
}

/** The box with this text; closed where there is none and nobody is writing. */
export function paintText(element, value) {
  const area = element.querySelector("textarea");
  const box = element.querySelector("label");
  if (document.activeElement !== area) area.value = value;
  if (value) box.hidden = false;
  else if (document.activeElement !== area) box.hidden = true;
  element.querySelector("[data-open], [data-explain]").hidden = !box.hidden;
}

/** Calls `keep` when typing rests or the box is left, and then `left`. */
export function keepAsTyped(area, keep, left) {
  let timer;
  area.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(keep, IDLE);
  });
  area.addEventListener("blur", () => {
    clearTimeout(timer);
    keep();
    whenReleased(left);
  });
}

let pressed = false;
for (const sign of ["pointerdown", "pointerup", "pointercancel"]) addEventListener(sign, () => (pressed = sign === "pointerdown"), { capture: true, passive: true });

// A box that closes while a button is pressed would take the button away from under the pointer.
function whenReleased(deed) {
  if (!pressed) return deed();
  const controller = new AbortController();
  for (const sign of ["pointerup", "pointercancel"]) addEventListener(sign, () => (controller.abort(), setTimeout(deed)), { signal: controller.signal });
  return undefined;
}
