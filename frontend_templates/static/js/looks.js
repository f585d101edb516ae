// How long each step is in sight, how often one comes to it, how often one of its texts is unfolded. People are told:
// "What is recorded" stands below the task. Only sums leave the page, and whether they arrive stops nobody.
import { make } from "./dialogs.js";
import { post } from "./doors.js";
import { newId } from "./ids.js";

const IDLE = 60_000; // ms without a key, a pointer or a scroll after which nobody is taken to be reading
const SEND = 20_000; // ms between packets
const TICK = 1_000; // ms after which what is in sight is looked at again, whatever happened
const STIR = 100; // and this long after somebody does something
const ROWS = 800; // of one packet: small enough for a request that outlives the page
const SIGNS = ["keydown", "pointerdown", "pointermove", "wheel", "touchmove", "scroll"];

export function looks(desk) {
  if (desk.closed) return undefined;
  tell();
  const sums = new Sums();
  const watch = new Watch({ turns: desk.feed.root, onLook: (step, ms) => sums.add(step, "visible", ms) });
  desk.steps.addEventListener("move", ({ detail: { step } }) => desk.steps.current === step && sums.add(step, "visits", 1));
  onUnfold(desk.feed, (step) => sums.add(step, "unfolds", 1));
  desk.looked = (step) => {
    watch.tick();
    return sums.of(step).visible;
  };
  const courier = new Courier({ sums, door: `${desk.data.here}looks`, before: () => watch.tick() });
  courier.begin();
  return undefined;
}

// The line is there where something is recorded, and nowhere else.
function tell() {
  const help = document.querySelector(".top a[href$='/help/']");
  const link = make("a", { href: `${help.href}#recorded`, textContent: "What is recorded" });
  document.querySelector(".task").append(make("p", { className: "facts muted" }, link));
}

/** Sums by step since the page was opened, and the steps whose sums are not known to have arrived. */
class Sums {
  constructor() {
    this.bySteps = new Map();
    this.changed = new Set();
  }

  of(step) {
    return this.bySteps.get(step) ?? { visible: 0, visits: 0, unfolds: 0 };
  }

  add(step, what, amount) {
    const sum = this.of(step);
    sum[what] += amount;
    this.bySteps.set(step, sum);
    this.changed.add(step);
  }

  /** Some rows to send; they count as arrived until `again` says otherwise. */
  take() {
    const steps = [...this.changed].slice(0, ROWS);
    for (const step of steps) this.changed.delete(step);
    return steps.map((step) => [step, Math.round(this.of(step).visible), this.of(step).visits, this.of(step).unfolds]);
  }

  again(rows) {
    for (const [step] of rows) this.changed.add(step);
  }
}

/** Counts the time for which steps are in sight of somebody: `onLook(step, ms)`. */
class Watch {
  constructor({ turns, onLook }) {
    Object.assign(this, { turns, onLook, since: performance.now(), active: performance.now(), inSight: [], hidden: document.hidden });
    this.head = document.querySelector(".head");
    for (const sign of SIGNS) addEventListener(sign, () => this.#stir(), { passive: true, capture: true });
    document.addEventListener("visibilitychange", () => this.#turn());
    addEventListener("resize", () => this.tick());
    setInterval(() => this.tick(), TICK);
    this.tick();
  }

  /** Count the time since it was last counted for what was in sight meanwhile, then see what is in sight now. */
  tick() {
    const now = performance.now();
    const until = Math.min(now, this.active + IDLE);
    if (!this.hidden && until > this.since) for (const step of this.inSight) this.onLook(step, until - this.since);
    this.since = now;
    this.hidden = document.hidden;
    this.inSight = this.hidden ? [] : this.#measure();
  }

  #turn() {
    this.tick();
    if (!document.hidden) this.active = performance.now(); // whoever comes back to the tab is there
  }

  // What was in sight while nobody was there must not be counted now that somebody is.
  #stir() {
    if (performance.now() > this.active + IDLE) this.tick();
    this.active = performance.now();
    this.soon ??= setTimeout(() => {
      this.soon = null;
      this.tick();
    }, STIR);
  }

  // At least a third of a step, or its head, or so much of a long one that it fills half of the window.
  #measure() {
    const top = Math.max(0, this.head.getBoundingClientRect().bottom);
    const height = innerHeight - top;
    const found = [];
    for (const card of this.turns.querySelectorAll("[data-step]")) {
      const box = card.getBoundingClientRect();
      if (box.bottom <= top) continue;
      if (box.top >= innerHeight) break; // cards stand in order
      const seen = Math.min(box.bottom, innerHeight) - Math.max(box.top, top);
      if (seen >= box.height / 3 || seen >= height / 2 || isWhole(card.querySelector(".turn-head"), top)) found.push(Number(card.dataset.step));
    }
    return found;
  }
}

function isWhole(head, top) {
  const box = head.getBoundingClientRect();
  return box.top >= top && box.bottom <= innerHeight;
}

/** Calls with the step whenever somebody opens a folded text of it, by whatever key or button. */
function onUnfold(feed, call) {
  const seen = new MutationObserver((records) => {
    for (const { target, oldValue } of records) {
      const card = oldValue !== null && !target.hasAttribute("data-folded") && target.closest("[data-step]");
      if (card) call(Number(card.dataset.step));
    }
  });
  seen.observe(feed.root, { subtree: true, attributeFilter: ["data-folded"], attributeOldValue: true });
  feed.addEventListener("shown", () => seen.takeRecords()); // a card that comes back unfolded was unfolded before
}

/** Sends the sums now and then, and when the page is left. What does not arrive is sent again, as it is by then. */
class Courier {
  constructor({ sums, door, before }) {
    Object.assign(this, { sums, door, before, page: newId(), over: false });
  }

  begin() {
    setInterval(() => this.send(), SEND);
    addEventListener("pagehide", () => this.send());
    document.addEventListener("visibilitychange", () => document.hidden && this.send());
  }

  async send() {
    this.before();
    while (this.sums.changed.size && !this.over) {
      const rows = this.sums.take();
      const { kind } = await post(this.door, { page: this.page, looks: rows });
      if (kind === "done") continue;
      this.sums.again(rows);
      this.over = kind === "gone" || kind === "refused";
      return;
    }
  }
}
