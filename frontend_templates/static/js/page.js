// The label page: reads what the server sent, and wires its parts together.
import { ahead } from "./ahead.js";
import { beside } from "./beside.js";
import { stopwatch } from "./clock.js";
import { Controls } from "./controls.js";
import { isOpenAt } from "./counts.js";
import { deedsOf } from "./deeds.js";
import { KINDS } from "./fields/index.js";
import { parts } from "./fields/parts.js";
import { askConflict } from "./dialogs.js";
import { fragment, get } from "./doors.js";
import { Feed, reveal } from "./feed.js";
import { Find } from "./find.js";
import { nameKeys, showKeys } from "./help.js";
import { Head } from "./head.js";
import { Keys } from "./keys.js";
import { isOfStep } from "./kinds.js";
import { Login } from "./login.js";
import { looks } from "./looks.js";
import { moving } from "./moving.js";
import { showOthers } from "./others.js";
import { Outbox } from "./outbox.js";
import { Reading } from "./reading.js";
import { Sender } from "./sender.js";
import { Status } from "./status.js";
import { Steps } from "./steps.js";
import { Store } from "./store.js";
import { Strip } from "./strip.js";
import { Ending } from "./submit.js";
import { talk } from "./talk.js";
import { Warnings } from "./warnings.js";
import { Whole } from "./whole.js";
import { Wording } from "./wording.js";

// More that the page does beside labelling: each is given the desk, and returns the deeds it brings by the names of keys.
const MORE = [looks, talk, moving, ahead, parts, beside];

const $ = (selector) => document.querySelector(selector);
const data = JSON.parse($("#workbench-data").textContent);
const { scheme } = data;
const dialog = $("[data-dialog]");
const closed = !["leased", "draft", "returned"].includes(data.state);

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

const spent = stopwatch();
const outbox = new Outbox(data);
const store = new Store({ scheme, propagation: data.propagation, outbox, spent });
const fetchCards = (from, to) => fragment(`${data.doors.cards}?from=${from}&to=${to}`);
const controls = new Map(); // step (null: the trajectory) → its Controls, where it is in the page
const holdsWork = (element) => element.contains(document.activeElement) || Boolean(element.querySelector("[data-step][aria-current]"));
const feed = new Feed({ root: $(".turns"), window: $("[data-window]"), size: data.window, turns: data.turns, at: data.at, fetchCards, keeps: holdsWork, tell });
const steps = new Steps({ feed, tell });
const wording = new Wording({ scheme, candidates: data.candidates, numberOf: (step) => steps.numberOf(step) });
const texts = new Reading({ root: $(".turns"), tell });
const find = new Find({ form: $("[data-find]"), feed, texts, url: data.doors.find, nameOf: (index) => (steps.has(index) ? `step ${steps.numberOf(index)}` : "one turn") });
const strip = new Strip({ root: $(".strip"), store, steps, wording, marks: (step) => desk.marks.get(step) ?? null });
const sender = new Sender({ store, outbox, doors: data.doors, ask: (conflict) => askConflict(dialog, conflict.items, wording), tell });
const status = new Status({ line: $("[data-status]"), bar: $("[data-trouble]"), sender, outbox, data });
const keepTexts = () => controls.forEach((one) => one.keepTexts());

const keysOf = (name) => data.keys.find((row) => row.name === name || row.name === `${scheme.name}/${name}`)?.keys;

function goTo(missing) {
  const { step, field } = missing[0];
  if (step !== null) steps.focus(step);
  else desk.showWhole();
  const control = controls.get(step)?.of(field);
  if (control) {
    if (step === null) reveal(control.element);
    if (control.kind.focus) control.kind.focus(control);
    else if (step === null) control.element.querySelector("button").focus({ preventScroll: true });
  }
  tell(`Still missing: ${wording.where(step, field)}${missing.length > 1 ? ` and ${missing.length - 1} more` : ""}.`);
}

const backToStep = () => steps.current !== null && steps.focus(steps.current, { scroll: false });
const whole = new Whole({ panel: $("[data-panel]"), button: $("[data-do=whole]"), arrive: () => focusWhole(), back: backToStep });

function focusWhole() {
  const asked = [...controls.get(null).fields.values()].filter(({ element }) => !element.hidden);
  const open = asked.filter(({ value }) => value === null);
  const field = open.find(({ spec }) => spec.required) ?? open.find(({ spec }) => spec.kind !== "text") ?? asked[0];
  if (field?.kind.focus?.(field) !== undefined || !field) return;
  if (!field.element.contains(document.activeElement)) field.element.querySelector("button:not([hidden])")?.focus();
}

const head = new Head({ store, data, closed, whole, isGrowing: () => Boolean(desk.growing) });
const ending = new Ending({ store, sender, status, dialog, data, tell, goTo, keep: keepTexts, accept: (all) => desk.acceptAll(all) });

/** The parts of the page, and the deeds that take several of them. */
const desk = {
  data, closed, store, steps, feed, texts, find, ending, sender, controls, wording, dialog, tell, say,
  held: null, // a field of the trajectory that one came to by key: answers are meant for it then

  accept(step) {
    if (!store.acceptOffers([step], (one) => desk.looked(one))) return false;
    desk.sayAnswer(step, scheme.main, 0);
    desk.done(wording.main);
    return true;
  },
  /** The main field has its whole answer here: on to the next step, for those who like that. */
  done(spec) {
    if (data.advance && spec.name === scheme.main && isOfStep(spec) && !controls.get(steps.current)?.parts.current) steps.move(1);
  },
  showWhole: () => whole.show(),
  explain() {
    const step = isOfStep(wording.main) ? steps.current : null;
    if (step === null) whole.show();
    return controls.get(step)?.explain() || tell(step === null ? "Give the label first; then say why." : "Give the step a label first; then say why.");
  },
  acceptAll(open) {
    store.acceptOffers(open.map(({ step }) => step), (step) => desk.looked(step));
    store.acceptGhosts();
  },
  looked: () => 0,
  marks: new Map(), // step → {share, title}: what the strip says beside one's own label
  sayAnswer(step, field, more) {
    const about = more > 0 ? `, ${more} suggested after it` : more < 0 ? `, ${-more} suggestion${more < -1 ? "s" : ""} gone` : "";
    say(`${wording.where(step, field)}: ${wording.title(field, store.value(step, field))}${about}${desk.appeared}`);
  },
  // What an undo or redo changed may be out of sight: go there and say it. After a reload only the server knows what it was.
  goBack(word, deed) {
    desk.going = word;
    return deed() || (desk.going = null);
  },
  goToItem(which) {
    if (data.items[which]) location.assign(data.items[which]);
    else tell(which === "next" ? "This is your newest item. Submit it to get the next." : "This is your first item.");
  },
  showOthers: () => showOthers(desk, strip),
  showGuidelines() {
    const guidelines = $("[data-guidelines]");
    if (!guidelines) return tell("This project has no guidelines.");
    guidelines.open = true;
    guidelines.scrollIntoView({ block: "nearest" });
    return guidelines.querySelector("summary").focus();
  },
  showKeys: () => showKeys(dialog, keys.rows, data.preferences),
  leaveText(target) {
    if (target.closest?.("[data-panel]")) return whole.close();
    if (!target.closest?.("textarea, input, [data-field], [data-here]")) return false;
    const card = target.closest("[data-step]");
    target.blur();
    return card?.dataset.step ? steps.focus(Number(card.dataset.step), { scroll: false }) : backToStep();
  },
  appeared: "", // what is asked now that was not before the last change, in words
};

// Fields whose answers say what else is asked.
const decisive = new Set([...scheme.fields.map(({ when }) => when?.field), ...scheme.rules.filter(({ rule }) => rule.includes("first-error")).map(({ field }) => field)]);
const decides = (field) => decisive.has(field.split("@")[0]);

store.addEventListener("change", ({ detail: { changes, ghosts, offers } }) => {
  for (const change of changes) paintPlace(change);
  desk.appeared = changes.some(({ field }) => decides(field)) ? paintAll() : "";
  for (const step of [...ghosts, ...offers]) controls.get(step)?.paint(scheme.main);
  strip.paint([...ghosts, ...offers, ...strip.touchedBy(changes)]);
  head.paintCounts();
  if (store.frontier !== null && store.frontier + 1 > feed.turns) desk.growing ??= showMore().finally(() => (desk.growing = null));
  head.paintEnds();
  if (desk.going && changes.length) wentBack(changes);
});

function paintPlace({ step, field }) {
  controls.get(step)?.paint(field);
  if (step === null) controls.forEach((one) => one.paintHere(field));
  else if (KINDS[wording.spec(field).kind]?.beside) for (const later of steps.order.slice(steps.numberOf(step))) controls.get(later)?.paint(field);
}

/** Paint every field. Returns in words which are asked now that were not, for those who do not see them come. */
function paintAll() {
  const closedBefore = [...controls.values()].flatMap((one) => [...one.fields.values()]).filter(({ element }) => element.hidden);
  controls.forEach((one) => one.paintAll());
  const titles = new Set(closedBefore.filter(({ element }) => !element.hidden).map(({ spec }) => spec.title));
  const appeared = titles.size ? ` Now asked: ${[...titles].join(", ")}.` : "";
  if (appeared) say(appeared.trim());
  return appeared;
}

function wentBack([{ step, field }, ...more]) {
  if (step !== null && step !== steps.current) steps.focus(step);
  tell(`${desk.going}: ${wording.where(step, field)}${more.length ? ` and ${more.length} more` : ""}.`);
  desk.going = null;
}

/** A first progressive pass came to the next step. */
async function showMore() {
  await feed.extend(store.frontier + 1);
  const cards = feed.cards().filter((card) => card.dataset.step);
  const order = [...new Set([...steps.order, ...cards.map((card) => Number(card.dataset.step))])].sort((one, other) => one - other);
  steps.begin(order);
  store.grow(order, store.after && new Map([...store.after, ...cards.map(({ dataset }) => [Number(dataset.step), dataset.after ? Number(dataset.after) : null])]));
  strip.build();
  head.paintCounts();
}

// What fields ask of the page.
const host = {
  tell, say,
  go: (step, how) => steps.focus(step, how),
  at: async (step) => controls.get(step) ?? ((await feed.bring(step)) && controls.get(step)),
  answered: ({ step, name }) => desk.sayAnswer(step, name, 0),
  done: ({ spec }) => desk.done(spec),
};

function addControls(root, step) {
  controls.set(step, new Controls({ root, step, store, closed, desk, keysOf, numberOf: (one) => steps.numberOf(one), onAccept: (one) => desk.accept(one), page: host }));
  controls.get(step).paintAll();
}

feed.addEventListener("shown", ({ detail: { cards } }) => {
  for (const card of cards) {
    card.setAttribute("aria-setsize", store.frontier === null ? feed.turns : -1);
    if (card.dataset.step) addControls(card, Number(card.dataset.step));
    texts.apply(card);
  }
});
feed.addEventListener("gone", ({ detail: { cards } }) => {
  for (const card of cards) {
    controls.get(Number(card.dataset.step))?.leave();
    controls.delete(Number(card.dataset.step));
  }
});

// Asked when the focus comes, for a later key press makes the focus of a click visible too.
$(".trajectory-fields").addEventListener("focusin", ({ target }) => (desk.held = target.matches(":focus-visible") && target.closest("[data-field]") ? wording.spec(target.closest("[data-field]").dataset.field) : null));
$(".trajectory-fields").addEventListener("focusout", () => (desk.held = null));

// What sticks below the head has to know how high it is: it wraps where the window is narrow, and trouble adds a line.
function measure() {
  new ResizeObserver(([{ target }]) => document.body.style.setProperty("--bar-height", `${target.offsetHeight}px`)).observe($(".head"));
}

/** The desk comes with the page where the trajectory is short, and after it where it is long. */
async function facts() {
  if (data.desk) return data.desk;
  for (;;) {
    const { kind, data: found } = await get(data.doors.desk);
    if (kind === "done") return found;
    tell("The labels could not be loaded yet: the server is away.");
    await new Promise((resolve) => setTimeout(resolve, 3000));
  }
}

const unrolled = (runs) => runs.flatMap(([first, stride, count]) => Array.from({ length: count }, (_, place) => first + stride * place));

let keys;
async function begin() {
  measure();
  const found = await facts();
  const order = unrolled(found.steps);
  steps.begin(order);
  Object.assign(store, { parts: found.parts, items: found.items, revealed: data.mode === "progressive" ? data.revealed : null });
  store.begin({ steps: order, state: found.state, after: found.after && new Map(order.map((step, place) => [step, found.after[place]])) });
  store.first = new Map(Object.entries(found.first).map(([step, value]) => [Number(step), value]));
  store.offerAll([...found.suggestions, ...found.prefix]); // one's own word counts before a machine's
  addControls($(".trajectory-fields"), null);
  feed.dispatchEvent(new CustomEvent("shown", { detail: { cards: feed.cards() } }));
  desk.warnings = new Warnings({ store, steps, wording, button: $("[data-do=warnings]"), door: data.doors.dismiss, facts: found, tell });
  const deeds = Object.assign(deedsOf(desk), { whole: () => whole.toggle() }, ...MORE.map((more) => more(desk)));
  keys = new Keys(data.keys, deeds);
  keys.listen();
  for (const button of document.querySelectorAll("[data-do]")) {
    button.addEventListener("click", () => deeds[button.dataset.do]());
    nameKeys(button, keysOf(button.dataset.do));
  }
  for (const [step, probability, scorer] of found.scores) desk.marks.set(step, { share: 1 - probability, title: `${scorer}: ${probability.toFixed(2)} likely not wrong` });
  strip.build();
  desk.warnings.look();
  head.paintCounts();
  head.paintEnds();
  if (!closed) ending.holdSeat();
  arrive(order);
  sender.kick();
  document.documentElement.dataset.ready = "";
}

function arrive(order) {
  const linked = Number(/^#step-(\d+)$/.exec(location.hash)?.[1] ?? NaN);
  const at = order.find((step) => step >= data.at) ?? order.at(-1);
  const start = order.includes(linked) ? linked : (order.find((step) => isOpenAt(store, step)) ?? at);
  if (start !== undefined) steps.focus(start, { scroll: start === linked || start !== order[0] });
}

new Login({ form: $("[data-login]"), sender, url: data.login, username: data.username });
addEventListener("pagehide", keepTexts);
addEventListener("pageshow", (event) => event.persisted && sender.refetch());
begin();
