// The sheet of keys, made from the very table that handles them.
import { askIn, make } from "./dialogs.js";

const SHOWN = new Map([["ArrowDown", "↓"], ["ArrowUp", "↑"], ["ArrowLeft", "←"], ["ArrowRight", "→"], ["Escape", "Esc"], ["-", "−"], [" ", "Space"]]);
const MAC = /Mac|iPhone|iPad/.test(navigator.platform);

/** A key as people read it: Ctrl+Z for "Mod+z". */
export function shown(key) {
  const parts = key.replace(/\+(?=.)/g, "\u0000").split("\u0000").map((part) => (part === "Mod" ? (MAC ? "⌘" : "Ctrl") : (SHOWN.get(part) ?? part)));
  return parts.length > 1 ? [...parts.slice(0, -1), parts.at(-1).length === 1 ? parts.at(-1).toUpperCase() : parts.at(-1)].join("+") : parts[0];
}

const kbds = (keys) => keys.flatMap((key, place) => [...(place ? [" "] : []), ...key.split(" ").map((one) => make("kbd", { textContent: shown(one) }))]);

/** The key table as a sheet. `change` is where one's own keys are chosen. */
export function showKeys(dialog, rows, change) {
  const lists = [...grouped(rows)].map(([group, members]) => {
    const lines = members.flatMap(({ keys, title }) => [make("dt", {}, ...kbds(keys)), make("dd", { textContent: title })]);
    return make("section", {}, make("h3", { textContent: group }), make("dl", { className: "keys" }, ...lines));
  });
  const more = make("p", { className: "muted" }, "Keys do nothing while you type, and zooming the browser never labels. ", make("a", { href: change, textContent: "Choose keys of your own" }), ".");
  const body = [make("div", { className: "sheet-columns" }, ...lists), more];
  return askIn(dialog, { title: "Keys", body, answers: [{ word: "", title: "Close", primary: true }], wide: true });
}

/** Tell assistive technology and the pointer which keys work a control. */
export function nameKeys(element, keys) {
  if (!keys?.length) return;
  element.setAttribute("aria-keyshortcuts", keys.filter((key) => !key.includes(" ")).map((key) => key.replace("Mod+", MAC ? "Meta+" : "Control+")).join(" "));
  element.title = [element.title, `Key: ${keys.map(shown).join(" or ")}`].filter(Boolean).join(" ");
}

function grouped(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
  return groups;
}
