// Which key does what. One table drives the handler and the help sheet.

const TEXT = "input, textarea, select, [contenteditable]:not([contenteditable=false])";
const CODES = new Map([
  ...Array.from({ length: 10 }, (_, digit) => [`Digit${digit}`, String(digit)]),
  ...Array.from({ length: 10 }, (_, digit) => [`Numpad${digit}`, String(digit)]),
  ["NumpadAdd", "+"],
  ["NumpadSubtract", "-"],
  ["NumpadDivide", "/"],
]);
const PREFIX_FOR = 900; // ms in which the second key of a sequence has to come

export const isText = (target) => target instanceof Element && target.closest(TEXT) !== null;
const isDialogOpen = () => document.querySelector("dialog[open]") !== null;

/** The names a key press can have in the table, the likeliest first. Empty where a modifier makes it someone else's. */
export function namesOf(event) {
  // AltGr types characters ("[" on many keyboards) and is reported as Ctrl+Alt: it is no modifier here.
  const altGr = event.getModifierState("AltGraph");
  if (altGr) return [event.key];
  if (event.altKey) return [];
  if (event.ctrlKey || event.metaKey) return [`Mod+${event.shiftKey ? "Shift+" : ""}${event.key.length === 1 ? event.key.toLowerCase() : event.key}`];
  const code = event.shiftKey ? undefined : CODES.get(event.code);
  return code === undefined ? [event.key] : [event.key, code];
}

/**
 * Rows are {keys, run, title, group, repeats, inText}. A key is a KeyboardEvent.key, "g g" for two in a row, or "Mod+…"
 * for Ctrl or ⌘. Nothing fires while a text field or a dialog has the focus, but for `inText` rows in text.
 */
export class Keys {
  constructor(rows) {
    this.rows = rows;
    this.table = new Map(rows.flatMap((row) => row.keys.map((key) => [key, row])));
    this.prefixes = new Set([...this.table.keys()].filter((key) => key.includes(" ")).map((key) => key.split(" ")[0]));
    this.prefix = "";
  }

  listen(target = document) {
    target.addEventListener("keydown", (event) => this.handle(event));
  }

  handle(event) {
    if (event.defaultPrevented || event.isComposing || isDialogOpen()) return;
    const row = this.#find(event);
    if (!row || (isText(event.target) && !row.inText) || (event.repeat && !row.repeats)) return;
    if (row.run(event) !== false) event.preventDefault();
  }

  #find(event) {
    const names = namesOf(event);
    const prefix = this.prefix;
    this.#hold("");
    const found = names.map((name) => this.table.get(prefix ? `${prefix} ${name}` : name) ?? this.table.get(name)).find(Boolean);
    if (!found && !isText(event.target)) this.#hold(names.find((name) => this.prefixes.has(name)) ?? "");
    return found;
  }

  #hold(prefix) {
    clearTimeout(this.forgetting);
    this.prefix = prefix;
    if (prefix) this.forgetting = setTimeout(() => (this.prefix = ""), PREFIX_FOR);
  }
}
