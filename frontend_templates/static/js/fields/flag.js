// Set or not: one button.
import { press } from "./press.js";

export const flag = {
  paint: ({ element }, label) => press(element.querySelector("[data-flag]"), label !== null),
  pressed: ({ value }) => (value === null ? true : null),
  key: ({ value }) => (value === null ? true : null),
};
