// A box that opens with what was there, and shows below it what is changed. What stays as it was is nothing to store.
import { make } from "../dialogs.js";
import { differences } from "./difference.js";
import { keepAsTyped } from "./text.js";

const LONG = 200_000; // characters beyond which a text is not rewritten here

export class Rewriting {
  /**
   * `original()` resolves to the text that was there, null where it cannot be had; `said()` is what is stored now, or null;
   * `keep(text)` stores, null takes it back.
   */
  constructor({ element, original, tell, keep, said }) {
    Object.assign(this, { fetchOriginal: original, tell, keep, said, original: null });
    this.opener = element.querySelector("[data-open]");
    this.box = element.querySelector("label");
    this.area = element.querySelector("textarea");
    this.difference = element.querySelector("[data-difference]");
    this.area.addEventListener("input", () => this.#soon());
    keepAsTyped(this.area, () => this.close(), () => this.paint(this.said()));
  }

  /** Show the box, with what was said or else what was there, ready for typing. */
  async open() {
    if (this.opener.disabled) return;
    if (this.original === null && !(await this.#load())) return;
    this.#show(true);
    if (document.activeElement !== this.area) this.area.value = this.said() ?? this.original;
    this.area.focus();
    this.#compare();
  }

  paint(text) {
    if (document.activeElement === this.area) return;
    this.#show(text !== null);
    if (text === null) return;
    this.area.value = text;
    if (this.original === null) this.#load({ quiet: true }).then(() => this.#compare());
    else this.#compare();
  }

  /** Keep what is typed: nothing where it is what was there. */
  close() {
    if (this.box.hidden || this.original === null) return;
    const text = this.area.value;
    const kept = text.trim() && text !== this.original ? text : null;
    if (kept !== this.said()) this.keep(kept);
  }

  async #load({ quiet = false } = {}) {
    this.loading ??= this.fetchOriginal().finally(() => (this.loading = null));
    const text = await this.loading;
    if (text !== null && text.length <= LONG) this.original = text.replace(/\r\n?/g, "\n");
    else if (!quiet) this.tell(text === null ? "What was there could not be loaded: the server is away." : "This text is too long to be rewritten here.");
    return this.original !== null;
  }

  #show(open) {
    this.box.hidden = !open;
    this.opener.hidden = open;
    this.difference.hidden = !open;
  }

  #soon() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      this.#compare();
    });
  }

  #compare() {
    if (this.original === null || this.box.hidden) return;
    const pieces = differences(this.original, this.area.value);
    const same = pieces.every(({ kind }) => kind === "same");
    this.difference.replaceChildren(...(same ? [make("span", { className: "muted", textContent: "As it was: nothing is stored." })] : pieces.map(drawn)));
  }
}

const TAGS = { same: "span", gone: "del", new: "ins" };

const drawn = ({ kind, text }) => make(TAGS[kind], { textContent: text });
