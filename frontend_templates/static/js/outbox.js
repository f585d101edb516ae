// Changes that the server has not confirmed, kept in this browser. They survive a reload and a restarted browser, and
// every tab of the same annotation sees the same queue.

const PREFIX = "stepmark:outbox";

/**
 * Fires "change" whenever the queue is another one, whoever changed it; detail.own says that whoever did it knows what it
 * means already. `kept` is false where the browser keeps nothing.
 */
export class Outbox extends EventTarget {
  constructor({ user, annotation, storage = window.localStorage }) {
    super();
    this.annotation = annotation;
    this.name = `${PREFIX}:${user}:${annotation}`;
    this.storage = storage;
    this.kept = true;
    this.ops = this.#read();
    window.addEventListener("storage", (event) => {
      if (event.key === this.name) this.reload();
    });
  }

  add(op, detail) {
    this.#write([...this.#latest(), op], detail);
  }

  remove(change, detail) {
    this.#write(this.#latest().filter((op) => op.change !== change), detail);
  }

  /** The same change, told otherwise (another revision, forced, fewer items); it keeps its place. */
  update(change, facts) {
    this.#write(this.#latest().map((op) => (op.change === change ? { ...op, ...facts } : op)));
  }

  reload() {
    const ops = this.#read();
    if (JSON.stringify(ops) === JSON.stringify(this.ops)) return;
    this.ops = ops;
    this.dispatchEvent(new CustomEvent("change"));
  }

  /** Other tabs write the same queue: never work from a copy where the browser keeps one. */
  #latest() {
    if (!this.kept) return this.ops;
    const marks = new Map(this.ops.map((op) => [op.change, op]));
    return this.#read().map((op) => marks.get(op.change) ?? op);
  }

  #read() {
    try {
      return JSON.parse(this.storage.getItem(this.name) ?? "[]");
    } catch {
      return [];
    }
  }

  #write(ops, detail) {
    this.ops = ops;
    try {
      if (ops.length) this.storage.setItem(this.name, JSON.stringify(ops));
      else this.storage.removeItem(this.name);
      this.kept = true;
    } catch {
      this.kept = false;
    }
    this.dispatchEvent(new CustomEvent("change", { detail }));
  }
}

/** Annotations of this person, other than this one, for which changes still wait in this browser. */
export function waitingElsewhere({ user, annotation, storage = window.localStorage }) {
  const mine = `${PREFIX}:${user}:`;
  return Object.keys(storage)
    .filter((key) => key.startsWith(mine) && key !== `${mine}${annotation}`)
    .map((key) => Number(key.slice(mine.length)));
}
