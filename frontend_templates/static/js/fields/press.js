// What several kinds of field do alike.

export function press(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
}

/** The next of the values after this one, in a circle. */
export const following = (values, value) => values[(values.indexOf(value) + 1) % values.length];
