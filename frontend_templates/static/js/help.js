// The sheet of keys, made from the very table that handles them.
import { askIn, make } from "./dialogs.js";

const SHOWN = new Map([["ArrowDown", "↓"], ["ArrowUp", "↑"], ["Escape", "Esc"], ["-", "−"]]);
const MAC = /Mac|iPhone|iPad/.test(navigator.platform);
const shown = (key) => key.replace("Mod+", MAC ? "⌘+" : "Ctrl+").replace(/(?<=\+)[a-z]$/, (letter) => letter.toUpperCase());

/** The key table as a sheet. */
export function showKeys(dialog, rows) {
  const lists = [...grouped(rows)].map(([group, members]) => {
    const lines = members.flatMap(({ keys, title }) => {
      const names = keys.flatMap((key, place) => [...(place ? [" "] : []), ...key.split(" ").map((one) => make("kbd", { textContent: SHOWN.get(one) ?? shown(one) }))]);
      return [make("dt", {}, ...names), make("dd", { textContent: title })];
    });
    return make("section", {}, make("h3", { textContent: group }), make("dl", { className: "keys" }, ...lines));
  });
  const body = [make("div", { className: "sheet-columns" }, ...lists)];
  return askIn(dialog, { title: "Keys", body, answers: [{ word: "", title: "Close", primary: true }], wide: true });
}

function grouped(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
  return groups;
}
