// Words that were not sent yet, kept in this browser until they are: over a reload, a lost server, the end of a session.
import { newId } from "./ids.js";

const PREFIX = "stepmark:draft";

/** One draft by its name: {key, text, …}, where `key` stays the same until the words were sent. */
export class Draft {
  constructor(name, storage = window.localStorage) {
    this.name = `${PREFIX}:${name}`;
    this.storage = storage;
    this.held = null; // where the browser keeps nothing
  }

  /** Whether the browser keeps a draft under that name. */
  static named(key) {
    return Boolean(key?.startsWith(PREFIX));
  }

  /** What is kept; null where nothing is. */
  get facts() {
    try {
      return JSON.parse(this.storage.getItem(this.name)) ?? this.held;
    } catch {
      return this.held;
    }
  }

  /** Keep these; without a text there is no draft. */
  put(facts) {
    if (!facts.text.trim()) return this.#write(null);
    return this.#write({ key: newId(), ...this.facts, ...facts });
  }

  /** These were sent: forget them. What was typed since, here or in another tab, stays as words of their own. */
  sent(facts) {
    const now = this.facts;
    this.#write(now && now.text.trim() !== facts.text ? { ...now, key: newId() } : null);
  }

  drop() {
    this.#write(null);
  }

  #write(facts) {
    this.held = facts;
    try {
      if (facts) this.storage.setItem(this.name, JSON.stringify(facts));
      else this.storage.removeItem(this.name);
      this.held = null;
    } catch {
      // It is held as long as the page is open.
    }
  }
}
