// What several kinds of field do alike.

export function press(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
}

/** The next of the values after this one, in a circle. */
export const following = (values, value) => values[(values.indexOf(value) + 1) % values.length];

const WAYS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** Let the arrows go from one to the next of what `selector` finds in the box; the page's own use of them waits. */
export function moveAmong(box, selector, ways = WAYS) {
  box.addEventListener("keydown", (event) => {
    const way = ways[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const all = [...box.querySelectorAll(selector)].filter((one) => !one.disabled);
    const next = all[all.findIndex((one) => one.contains(event.target)) + way];
    event.preventDefault();
    next?.focus();
  });
}

/** The digits of a key press, whatever the keyboard; "" where it is none. */
export const digitOf = (names) => names.find((name) => /^[0-9]$/.test(name)) ?? "";

const WAITS = 700; // ms in which a second digit belongs to the first

/** Digits typed one after the other, as one of the texts that are possible. */
export class Typing {
  constructor(texts) {
    Object.assign(this, { texts, held: "", at: 0 });
  }

  /** The place of the text that is typed now, -1 for none, and whether another digit could follow. */
  type(digit, now = performance.now()) {
    const joined = now - this.at < WAITS ? this.held + digit : digit;
    const text = this.texts.some((one) => one.startsWith(joined)) ? joined : digit;
    Object.assign(this, { held: text, at: now });
    return { place: this.texts.indexOf(text), open: this.texts.some((one) => one !== text && one.startsWith(text)) };
  }
}

Typing.WAITS = WAITS;
