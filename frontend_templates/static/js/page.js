// The label page: reads what the server sent, and wires its parts together.
import { bindings } from "./bindings.js";
import { stopwatch } from "./clock.js";
import { Controls } from "./controls.js";
import { askConflict } from "./dialogs.js";
import { fragment } from "./doors.js";
import { Find } from "./find.js";
import { showKeys } from "./help.js";
import { Keys } from "./keys.js";
import { Outbox } from "./outbox.js";
import { Sender } from "./sender.js";
import { Status } from "./status.js";
import { Steps, reveal } from "./steps.js";
import { Store } from "./store.js";
import { Strip } from "./strip.js";
import { Ending } from "./submit.js";

const $ = (selector) => document.querySelector(selector);
const data = JSON.parse($("#workbench-data").textContent);
const { scheme } = data;
const dialog = $("[data-dialog]");
const closed = !["leased", "draft", "returned"].includes(data.state.state);

// For those who listen; `tell` also shows it, where nothing else on the page does.
const say = (text) => {
  $("[data-says]").classList.remove("shown");
  $("[data-says]").textContent = text;
};
const tell = (text) => {
  const says = $("[data-says]");
  says.textContent = text;
  says.classList.add("shown");
  clearTimeout(tell.hiding);
  tell.hiding = setTimeout(() => says.classList.remove("shown"), 4000);
};
const specOf = (name) => scheme.fields.find((spec) => spec.name === name);
const titleOf = (spec, value) => (value === null ? "open" : spec.kind === "choice" ? spec.choices.find((one) => one.value === value).title : spec.kind === "flag" ? "yes" : value);
const toneOf = (value) => data.tones[scheme.main]?.[specOf(scheme.main).choices.findIndex((one) => one.value === value)] ?? "plain";

const spent = stopwatch();
const outbox = new Outbox(data);
const store = new Store({ scheme, steps: data.steps, propagation: data.propagation, state: data.state, outbox, spent });
const fetchText = (step, part, raw) => fragment(`${data.doors.text}${step}/${part}/${raw ? "?raw=1" : ""}`);
const steps = new Steps({ list: $(".turns"), order: data.steps, fetchText, tell });
const numberOf = (step) => steps.numberOf(step);
const where = (step, field) => [step === null ? "" : `Step ${numberOf(step)}`, field === scheme.main ? "" : specOf(field).title].filter(Boolean).join(", ");
const placeOfKey = (key) => [key.startsWith(":") ? null : parseInt(key, 10), key.slice(key.indexOf(":") + 1)];
const strip = new Strip({ root: $(".strip"), store, steps, toneOf, titleOf: (value) => titleOf(specOf(scheme.main), value) });
const controls = new Map([
  [null, new Controls({ root: $(".trajectory-fields"), step: null, store, numberOf })],
  ...data.steps.map((step) => [step, new Controls({ root: steps.card(step).querySelector(".controls"), step, store, numberOf })]),
]);

async function ask(conflict) {
  const rows = conflict.items.map(({ step, field, yours, theirs }) => ({ where: where(step, field), mine: titleOf(specOf(field), yours), theirs: titleOf(specOf(field), theirs) }));
  return askConflict(dialog, { rows });
}

const sender = new Sender({ store, outbox, doors: data.doors, ask, tell });
const status = new Status({ line: $("[data-status]"), bar: $("[data-trouble]"), sender, outbox, data });
const keepTexts = () => controls.forEach((one) => one.keepTexts());
const find = new Find({ form: $("[data-find]"), list: $(".turns"), url: data.doors.find, tell });

function goTo(missing) {
  const { step, field } = missing[0];
  tell(`Still missing: ${where(step, field)}${missing.length > 1 ? ` and ${missing.length - 1} more` : ""}.`);
  if (step !== null) return steps.focus(step);
  const control = controls.get(null).fields.get(field);
  reveal(control);
  return control.querySelector("button").focus({ preventScroll: true });
}

const ending = new Ending({ store, sender, status, dialog, data, tell, goTo, keep: keepTexts });

function paintCounts() {
  const done = data.steps.filter((step) => store.value(step, scheme.main) !== null).length;
  $("[data-done]").textContent = done;
  $("[data-suggested]").textContent = store.ghosts.size ? `+ ${store.ghosts.size} suggested` : "";
  $("[data-do=undo]").disabled = closed || !store.canUndo;
  $("[data-do=redo]").disabled = closed || !store.canRedo;
}

store.addEventListener("change", ({ detail }) => {
  const touched = new Set(detail.ghosts);
  for (const key of detail.keys) {
    const [step, field] = placeOfKey(key);
    controls.get(step)?.paint(field);
    if (step !== null) touched.add(step);
  }
  for (const step of touched) {
    strip.paint(step);
    if (scheme.propagation) controls.get(step).paint(scheme.propagation.field);
  }
  paintCounts();
  if (going && detail.keys.length) wentBack(detail.keys[0]);
});

// What an undo or redo changed may be out of sight: go there and say it. After a reload only the server knows what it was.
let going = null;
function goBack(word, deed) {
  going = word;
  return deed() || (going = null);
}

function wentBack(key) {
  const [step, field] = placeOfKey(key);
  if (step !== null && step !== steps.current) steps.focus(step);
  tell(`${going}: ${where(step, field)}.`);
  going = null;
}

const open = (deed) => (...given) => (closed ? tell("This item is closed. Reopen it to change a label.") : deed(...given));
const placeOf = (spec) => (spec.target === "step" ? steps.current : null);
const targetOf = (spec) => (spec.target === "step" && steps.current === null ? null : { step: placeOf(spec), field: spec.name });

// A field of the trajectory that one came to by key: answers are meant for it then, not for a step elsewhere. Asked when
// the focus comes, for a later key press makes the focus of a click visible too.
let held = null;
$(".trajectory-fields").addEventListener("focusin", ({ target }) => (held = target.matches(":focus-visible") ? specOf(target.closest("[data-field]").dataset.field) : null));
$(".trajectory-fields").addEventListener("focusout", () => (held = null));

function set(spec, value) {
  const place = targetOf(spec);
  if (!place) return;
  const ghosts = store.ghosts.size;
  store.change([{ ...place, value }]);
  const more = store.ghosts.size - ghosts;
  say(`${where(place.step, place.field)}: ${titleOf(spec, store.value(place.step, place.field))}${more > 0 ? `, ${more} suggested after it` : more < 0 ? `, ${-more} suggestions gone` : ""}`);
}

const deeds = {
  move: (direction) => steps.move(direction),
  moveToOpen: (direction) => steps.move(direction, (step) => store.value(step, scheme.main) === null) || tell("No unlabelled step that way."),
  first: () => steps.first(),
  last: () => steps.last(),
  item: (which) => (data.items[which] ? location.assign(data.items[which]) : tell(which === "next" ? "This is your newest item. Submit it to get the next." : "This is your first item.")),
  answer: open((spec, value) => {
    const meant = spec.target === "step" && held ? held : spec;
    if (meant !== spec && !meant.choices.some((choice) => choice.value === value)) return tell(`${meant.title} has no such answer.`);
    set(meant, value);
  }),
  cycle: open((spec) => {
    const values = [...spec.choices.map((choice) => choice.value), null];
    set(spec, values[(values.indexOf(store.value(placeOf(spec), spec.name)) + 1) % values.length]);
  }),
  toggle: open((spec) => set(spec, store.value(placeOf(spec), spec.name) === null ? true : null)),
  write: open((spec) => targetOf(spec) && controls.get(placeOf(spec)).openText(spec.name)),
  clear: open(() => {
    const fields = scheme.fields.filter((spec) => spec.target === "step" && spec.kind !== "text");
    if (steps.current !== null) store.change(fields.map((spec) => ({ step: steps.current, field: spec.name, value: null })));
  }),
  accept: scheme.propagation && data.propagation === "suggest" ? open(() => {
    const count = store.accept();
    tell(count ? `${count} accepted` : "Nothing is suggested.");
  }) : null,
  undo: open(() => goBack("Undone", () => store.undo()) || tell("There is nothing to undo.")),
  redo: open(() => goBack("Redone", () => store.redo()) || tell("There is nothing to redo.")),
  fold: (all) => steps.fold({ all }),
  explain: $(".score") ? () => steps.card(steps.current)?.querySelectorAll(".score").forEach((one) => (one.open = !one.open)) : null,
  find: () => find.open(),
  leave: (target) => {
    if (!target.closest?.("textarea, input")) return false;
    const card = target.closest("[data-step]");
    target.blur();
    return card?.dataset.step ? steps.focus(Number(card.dataset.step), { scroll: false }) : undefined;
  },
  submit: open(() => ending.submit()),
  skip: open(() => ending.skip()),
  reopen: () => ending.reopen(),
  help: () => showKeys(dialog, keys.rows),
};
const keys = new Keys(bindings(scheme, deeds));

// What sticks below the head has to know how high it is: it wraps where the window is narrow, and trouble adds a line.
function measure() {
  new ResizeObserver(([{ target }]) => document.body.style.setProperty("--bar-height", `${target.offsetHeight}px`)).observe($(".head"));
}

function begin() {
  measure();
  controls.forEach((one) => one.paintAll());
  strip.paintAll();
  paintCounts();
  keys.listen();
  for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", () => deeds[button.dataset.do]());
  if (closed) close();
  else ending.holdSeat();
  const linked = Number(/^#step-(\d+)$/.exec(location.hash)?.[1] ?? NaN);
  const start = data.steps.includes(linked) ? linked : (data.steps.find((step) => store.value(step, scheme.main) === null) ?? data.steps[0]);
  if (start !== undefined) steps.focus(start, { scroll: start === linked || start !== data.steps[0] });
  sender.kick();
  document.documentElement.dataset.ready = "";
}

function close() {
  for (const button of document.querySelectorAll(".field-control button, .field-control textarea, [data-do=skip]")) button.disabled = true;
  $("[data-do=submit]").hidden = true;
  $("[data-do=reopen]").hidden = false;
}

addEventListener("pagehide", keepTexts);
addEventListener("pageshow", (event) => event.persisted && sender.refetch());
begin();
