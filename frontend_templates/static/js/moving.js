// Changes follow an item whose trajectory was imported anew, or whose scheme was changed, to the pass that took its place.
// What has no place there is kept in this browser too, and listed on that pass until it is waved away.
import { equal } from "./answers.js";
import { make } from "./dialogs.js";
import { post } from "./doors.js";
import { Outbox, waitingElsewhere } from "./outbox.js";

const PREFIX = "stepmark:unplaced";

export function moving({ data, ending: { sender, status }, wording }) {
  const own = sender.outbox;
  const notice = new Notice({ data });
  const doorOf = (annotation) => `${data.here.replace(/\d+\/$/, `${annotation}/`)}successor`;

  async function move(from) {
    const { kind, data: place } = await post(doorOf(from.annotation), { steps: stepsOf(from.ops), said: answersOf(from.ops) });
    if (kind !== "done" || place.annotation === null) return null;
    const { ops, lost } = placed(from.ops, place, wording);
    const to = place.annotation === own.annotation ? own : new Outbox({ user: data.user, annotation: place.annotation });
    const there = new Set(to.ops.map(({ change }) => change));
    for (const op of ops) if (!there.has(op.change)) to.add(op);
    keep(nameOf(data, place.annotation), lost);
    for (const { change } of from.ops) from.remove(change, { own: true });
    notice.show(place.annotation);
    return { url: place.url, count: ops.length, scheme: place.said !== null };
  }

  // What waits for items that this one, or another, took the place of: its page is not there any more.
  async function gather() {
    for (const annotation of status.others) await move(new Outbox({ user: data.user, annotation }));
    status.others = waitingElsewhere(data);
    status.paint();
  }

  sender.move = () => move(own);
  notice.show(data.annotation);
  if (status.others.length) gather();
}

const placesOf = (op) => op.items ?? (op.effect ?? []).map(([step, field, label]) => ({ step, field, value: label?.value ?? null, explanation: label?.explanation, rule: label?.origin === "propagated" }));

const stepsOf = (ops) => [...new Set(ops.flatMap(placesOf).map(({ step }) => step))].filter((step) => step !== null);

/** Every answer that was given and waits, or that was there before it. */
const answersOf = (ops) => ops.flatMap(placesOf).flatMap(({ step, field, value, was }) => (was === undefined ? [value] : [value, was]).map((one) => ({ step, field, value: one })));

const keyOf = ({ step, field }) => `${step}:${field}`;

/** What became of an answer there: {field, value}, or {why} where it has no place. */
function translator(ops, place) {
  if (place.said === null) return ({ field, value }) => ({ field, value });
  const spelled = ({ step, field, value }) => JSON.stringify([step, field, value]);
  const became = new Map(answersOf(ops).map((one, number) => [spelled(one), place.said[number]]));
  return ({ step, field, value }) => became.get(spelled({ step, field, value })) ?? { why: "" };
}

/** The changes as the other pass takes them, and in words what it does not: a step that is gone, a value that its scheme
 * does not know, a place where it says something that nobody here has seen. Undoing is a change like any other there; nothing is accepted unseen. */
function placed(ops, place, wording) {
  const steps = new Map(place.steps.map(([index, number, to]) => [index, { number, to }]));
  const translated = translator(ops, place);
  const held = new Map(place.labels.map((label) => [keyOf(label), label]));
  const known = new Map(); // place → what was there when one first changed it, and what one made of it since
  for (const one of ops.flatMap(placesOf)) known.set(keyOf(one), [...(known.get(keyOf(one)) ?? [one.was]), one.value]);
  const lost = new Map();

  function moved({ step, field, value, rule, ...more }) {
    if (rule) return null;
    const to = step === null ? null : (steps.get(step)?.to ?? undefined);
    const now = translated({ step, field, value });
    const there = to === undefined || now.why !== undefined ? null : held.get(keyOf({ step: to, field: now.field }));
    const before = known.get(keyOf({ step, field }));
    const seen = before.map((one) => (one === undefined ? one : translated({ step, field, value: one }).value));
    const foreign = before[0] !== undefined && there && there.origin !== "propagated" && !seen.some((one) => equal(one, there.value));
    if (to !== undefined && now.why === undefined && !foreign) return { was: seen[0] ?? null, ...more, step: to, ...now };
    lost.set(keyOf({ step, field }), words(wording, { number: steps.get(step)?.number, field, value, there: foreign ? there.value : null, why: now.why }));
    return null;
  }

  const found = [];
  for (const op of ops) {
    if (op.kind === "accept") lost.set("accept", "Accepting what was carried on: what is carried on now is hatched; accept it there");
    const items = placesOf(op).map(moved).filter(Boolean);
    if (items.length) found.push({ change: op.change, kind: "change", revision: op.revision, pinned: op.pinned, force: op.force, time_ms: op.time_ms, items });
  }
  return { ops: found, lost: [...lost.values()] };
}

function words(wording, { number, field, value, there, why }) {
  const where = [number === undefined ? "" : `step ${number}`, field === wording.scheme.main ? "" : wording.spec(field).title].filter(Boolean).join(", ");
  const said = value === null ? "taken back" : wording.title(field, value);
  if (why) return `${where}: ${said} (${why})`;
  return `${where}: ${said}${there === null ? "" : ` (the new version says ${wording.title(field, there)})`}`;
}

const nameOf = ({ user }, annotation) => `${PREFIX}:${user}:${annotation}`;

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "[]");
  } catch {
    return [];
  }
}

function keep(name, lost) {
  try {
    const all = [...new Set([...read(name), ...lost])];
    if (all.length) localStorage.setItem(name, JSON.stringify(all));
  } catch {
    // The browser keeps nothing; the notice is still shown.
  }
}

/** Lists what could not be placed, on the old page as on the new one. */
class Notice {
  constructor({ data }) {
    Object.assign(this, { data, box: make("div", { className: "trouble", hidden: true }) });
    this.box.setAttribute("role", "status");
    document.querySelector("[data-trouble]").after(this.box);
  }

  show(annotation) {
    const name = nameOf(this.data, annotation);
    const lost = read(name);
    this.box.hidden = !lost.length;
    if (!lost.length) return;
    const dismiss = make("button", { type: "button", className: "small", textContent: "I have seen it" });
    dismiss.addEventListener("click", () => {
      localStorage.removeItem(name);
      this.box.hidden = true;
    });
    const list = make("ul", { tabIndex: 0, ariaLabel: "What has no place" }, ...lost.map((textContent) => make("li", { textContent })));
    this.box.replaceChildren(make("p", { textContent: "This item was changed while you worked. Of what you said meanwhile, this has no place in the new version:" }), list, dismiss);
  }
}
