// Which key does what. One table, made by the server, drives the handler and the list behind "?".

const TEXT = "input:not([type=range]), textarea, select, [contenteditable]:not([contenteditable=false]), [role=combobox], [role=textbox]";
const PRESSED = "button, a[href], summary, [role=button]"; // what Enter and Space work by themselves
const CODES = new Map([
  ...Array.from({ length: 10 }, (_, digit) => [`Digit${digit}`, String(digit)]),
  ...Array.from({ length: 10 }, (_, digit) => [`Numpad${digit}`, String(digit)]),
  ["Minus", "-"],
  ["Equal", "="],
  ["NumpadAdd", "+"],
  ["NumpadSubtract", "-"],
  ["NumpadDivide", "/"],
]);
const UNSHIFTED = /^(Digit|Numpad)/; // without Shift, these codes also stand for what other keyboards print on them
const PREFIX_FOR = 900; // ms in which the second key of a sequence has to come

export const isText = (target) => target instanceof Element && target.closest(TEXT) !== null;
const isDialogOpen = () => document.querySelector("dialog[open]") !== null;

/** The names a key press can have in the table, the likeliest first. Empty where a modifier makes it someone else's. */
export function namesOf(event) {
  // AltGr types characters ("[" on many keyboards) and is reported as Ctrl+Alt: it is no modifier here.
  if (event.getModifierState("AltGraph")) return [event.key];
  if (event.altKey) return [];
  if (event.ctrlKey || event.metaKey) return [`Mod+${event.shiftKey ? "Shift+" : ""}${event.key.length === 1 ? event.key.toLowerCase() : event.key}`];
  const code = CODES.get(event.code);
  if (event.shiftKey) return [event.key, ...(code === undefined ? [] : [`Shift+${code}`]), ...(event.key.length > 1 ? [`Shift+${event.key}`] : [])];
  return code === undefined || !UNSHIFTED.test(event.code) ? [event.key] : [event.key, code];
}

/**
 * `rows` are {name, keys, title, group, repeats, in_text}; `deeds` the functions that rows do, by name. A row without a
 * deed does nothing. Nothing fires while a text field or a dialog has the focus, but for `in_text` rows in text.
 */
export class Keys {
  constructor(rows, deeds) {
    this.rows = rows.filter(({ name, keys }) => deeds[name] && keys.length);
    this.deeds = deeds;
    this.table = new Map(this.rows.flatMap((row) => row.keys.map((key) => [key, row])));
    this.prefixes = new Set([...this.table.keys()].filter((key) => key.includes(" ")).map((key) => key.split(" ")[0]));
    this.prefix = "";
  }

  listen(target = document) {
    target.addEventListener("keydown", (event) => this.handle(event));
  }

  handle(event) {
    if (event.defaultPrevented || event.isComposing || event.keyCode === 229 || isDialogOpen()) return;
    const row = this.#find(event);
    if (!row || (isText(event.target) && !row.in_text) || (event.repeat && !row.repeats)) return;
    if (isOwnKey(event)) return;
    if (this.deeds[row.name](event) !== false) event.preventDefault();
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

const isOwnKey = (event) => (event.key === "Enter" || event.key === " ") && !event.ctrlKey && !event.metaKey && event.target instanceof Element && event.target.closest(PRESSED) !== null;
