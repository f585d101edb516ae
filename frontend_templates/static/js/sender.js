// Sends waiting changes to the server, one at a time and in order, and says how that goes.
import { get, post } from "./doors.js";

const AGAIN = 3000; // ms between tries while the server is away,
const LATER = 30_000; // and while one's role does not allow it

/**
 * `states`: saved · saving · away · expired · denied · gone · moved · closed · conflict. Fires "status" on every change of
 * state or count. `ask(conflict, op)` resolves to "mine" or "theirs"; `tell(text)` says what was refused. `move()`, where
 * it is set, takes what waits along to {url, count, scheme: whether that is another} if the item is gone there; else null.
 */
export class Sender extends EventTarget {
  constructor({ store, outbox, doors, ask, tell }) {
    super();
    Object.assign(this, { store, outbox, doors, ask, tell });
    this.status = outbox.ops.length ? "saving" : "saved";
    this.channel = "BroadcastChannel" in window ? new BroadcastChannel(outbox.name) : null;
    this.channel?.addEventListener("message", ({ data }) => store.merge(data, () => true));
    outbox.addEventListener("change", () => this.kick());
    window.addEventListener("online", () => this.kick());
    window.addEventListener("offline", () => this.outbox.ops.length && this.#say("away"));
    document.addEventListener("visibilitychange", () => document.hidden || this.kick());
  }

  get waiting() {
    return this.outbox.ops.length;
  }

  /** Send what waits. Resolves when nothing waits any more or something is in the way. */
  kick() {
    clearTimeout(this.timer);
    this.running ??= this.#alone(() => this.#drain()).finally(() => {
      this.running = null;
      const again = { away: AGAIN, expired: AGAIN, denied: LATER }[this.status];
      if (again) this.timer = setTimeout(() => this.kick(), again);
      else if (this.waiting && ["saved", "saving"].includes(this.status)) this.kick();
    });
    this.#say(this.waiting && this.status === "saved" ? "saving" : this.status);
    return this.running;
  }

  /** After a time of not knowing: everything as the server has it now. */
  async refetch() {
    const { kind, data } = await get(this.doors.state);
    if (kind === "done") this.store.replace(data);
    return kind;
  }

  /** The item is gone: go on where it went, if it went anywhere. */
  async follow() {
    const moved = await this.move?.();
    if (!moved) return false;
    this.moved = { ...moved, count: moved.count + (this.moved?.count ?? 0) };
    this.#say("moved");
    return true;
  }

  // Of all tabs of this annotation one sends. Without locks (plain http) twice is harmless: a change has its id.
  #alone(work) {
    return navigator.locks ? navigator.locks.request(this.outbox.name, work) : Promise.resolve().then(work);
  }

  async #drain() {
    this.outbox.reload();
    while (this.waiting) {
      if (!["away", "expired", "denied"].includes(this.status)) this.#say("saving");
      const op = this.outbox.ops[0];
      const answer = await post(this.doors[op.kind], this.#body(op));
      if (!(await this.#take(op, answer))) return;
    }
    this.#say(this.moved ? "moved" : "saved");
  }

  #body({ change, kind, items, revision, pinned, force, time_ms }) {
    const body = { change, revision: pinned ? revision : this.store.revision };
    if (kind !== "change") return { ...body, time_ms };
    const told = items.map(({ step, field, value, explanation, accepted }) => ({ step, field, value, explanation, accepted }));
    return { ...body, items: told, time_ms, force: Boolean(force) };
  }

  /** Whether to go on with the next one. */
  async #take(op, { kind, data }) {
    if (kind === "done") {
      this.channel?.postMessage(data);
      this.store.confirm(op, data);
      return true;
    }
    if (kind === "conflict" && data?.error === "conflict") return this.#settle(op, data);
    if (kind === "refused" || kind === "conflict") return this.#refused(op, kind, data);
    if (kind === "gone" && (await this.follow())) return true;
    this.why = data?.error;
    this.#say(kind);
    return false;
  }

  async #settle(op, conflict) {
    this.#say("conflict");
    const choice = await this.ask(conflict, op);
    const asked = (item) => conflict.items.some((one) => one.step === item.step && one.field === item.field);
    if (choice === "mine") this.#insist(op, asked);
    else this.#yield(asked);
    await this.refetch();
    return true;
  }

  // One answer holds for everything that waits for the same places.
  #insist(op, asked) {
    this.outbox.update(op.change, { force: true });
    for (const other of this.outbox.ops) if (other.change !== op.change && other.items?.some(asked)) this.outbox.update(other.change, { force: true });
  }

  // What was asked about goes; the rest of a change stays.
  #yield(asked) {
    for (const { change, items } of this.outbox.ops.filter((one) => one.items?.some(asked))) {
      const rest = items.filter((item) => !asked(item));
      if (rest.length) this.outbox.update(change, { items: rest, pinned: false });
      else this.store.drop(change);
    }
  }

  async #refused(op, kind, data) {
    if (data?.error === "closed") {
      this.#say("closed");
      return false;
    }
    this.store.drop(op.change);
    this.tell(op.kind === "undo" || op.kind === "redo" ? `There is nothing more to ${op.kind}.` : `Not accepted: ${data?.error ?? kind}`);
    await this.refetch();
    return true;
  }

  #say(status) {
    this.status = status;
    this.dispatchEvent(new Event("status"));
  }
}
