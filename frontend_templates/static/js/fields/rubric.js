// Yes or no to each item. In the list y, n and a answer the item in focus and go to the next that is open.
import { asked } from "../kinds.js";
import { points } from "../points.js";
import { moveAmong, press } from "./press.js";

const LETTERS = { y: "yes", n: "no", a: "na" };
const SAID = { yes: "Yes", no: "No", na: "Does not apply" };

export const rubric = {
  watch(field) {
    const list = field.element.querySelector(".rubric");
    if (!list) return;
    moveAmong(list, "[data-item]", { ArrowDown: 1, ArrowUp: -1 });
    list.addEventListener("keydown", (event) => key(field, event));
  },

  paint(field, label) {
    const { element, spec } = field;
    if (!element.querySelector(".rubric")) return;
    const value = label?.value ?? {};
    for (const item of element.querySelectorAll("[data-item]")) {
      const said = value[item.dataset.item];
      item.classList.toggle("answered", said !== undefined);
      for (const button of item.querySelectorAll("[data-answer]")) press(button, button.dataset.answer === said);
    }
    const names = asked(spec, itemsOf(field)).map(({ name }) => name);
    element.querySelector("[data-answered]").textContent = `${names.filter((name) => name in value).length} of ${names.length} answered`;
    element.querySelector("[data-points]").textContent = score(field, value);
    element.querySelector("[data-clear]").hidden = label === null;
  },

  pressed(field, button) {
    if ("clear" in button.dataset) return null;
    const item = button.closest("[data-item]")?.dataset.item;
    const { answer } = button.dataset;
    if (!item || !answer) return undefined;
    return withAnswer(field, item, field.value?.[item] === answer ? null : answer);
  },

  key: (field) => void rubric.focus(field),

  focus(field) {
    const items = [...field.element.querySelectorAll("[data-item]")];
    const open = items.find(({ dataset }) => !(dataset.item in (field.value ?? {})));
    (open ?? items[0] ?? field.element.querySelector("[data-why-none]"))?.focus();
  },
};

const itemsOf = ({ store, spec }) => store.items[spec.name] ?? null;

function score(field, value) {
  const got = points(field.spec, value, itemsOf(field));
  return got === null ? "" : `Score ${got.toFixed(2)}`;
}

function withAnswer({ value }, item, answer) {
  const { [item]: before, ...others } = value ?? {};
  const whole = answer === null ? others : { ...others, [item]: answer };
  return Object.keys(whole).length ? whole : null;
}

function key(field, event) {
  const item = event.target.closest("[data-item]");
  if (!item || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.repeat) return;
  const answer = LETTERS[event.key];
  const takes = answer && item.querySelector(`[data-answer=${answer}]:not(:disabled)`);
  if (event.key === "Backspace" || event.key === "Delete") field.set(withAnswer(field, item.dataset.item, null));
  else if (takes) reply(field, item, answer);
  else return;
  event.preventDefault();
}

function reply(field, item, answer) {
  field.answer(withAnswer(field, item.dataset.item, answer), { quiet: true });
  const items = [...field.element.querySelectorAll("[data-item]")];
  const place = items.indexOf(item);
  const open = [...items.slice(place + 1), ...items.slice(0, place)].find(({ dataset }) => !(dataset.item in field.value));
  open?.focus();
  const rest = open ? "" : ` All ${items.length} are answered. ${score(field, field.value)}`;
  field.say(`${SAID[answer]}.${rest}`);
}
