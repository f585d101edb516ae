// Finding text in the whole trajectory: the server counts, step by step; hits in the page are painted as highlights.
import { get } from "./doors.js";

const LIMIT = 5000; // hits painted at once
const WAIT = 250; // ms without typing before the server is asked

export class Find {
  constructor({ form, feed, texts, url, nameOf }) {
    Object.assign(this, { form, feed, texts, url, nameOf, hits: [], at: null, asked: 0 });
    this.input = form.querySelector("input");
    this.count = form.querySelector("output");
    this.input.addEventListener("input", () => this.search());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.next(1);
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
      if (event.key === "Enter" && event.shiftKey) {
        event.preventDefault();
        this.next(-1);
      }
    });
    form.querySelector("[data-find-previous]").addEventListener("click", () => this.next(-1));
    form.querySelector("[data-find-close]").addEventListener("click", () => this.close());
    feed.addEventListener("shown", () => this.#paint());
    texts.addEventListener("drawn", () => this.#paint());
  }

  get wanted() {
    return this.form.hidden ? "" : this.input.value.toLowerCase();
  }

  open() {
    this.back = document.activeElement;
    this.form.hidden = false;
    this.input.select();
    this.input.focus();
    this.search();
  }

  close() {
    this.form.hidden = true;
    this.asked += 1;
    this.at = null;
    this.#paint();
    this.back?.focus({ preventScroll: true });
  }

  search() {
    clearTimeout(this.waiting);
    Object.assign(this, { hits: [], at: null, through: false });
    this.asked += 1;
    this.#paint();
    this.#say();
    if (this.wanted) this.waiting = setTimeout(() => this.#ask(this.asked, 0), WAIT);
  }

  /** Go to the next hit in that direction (1 or -1), loading its step where it is not in the page. */
  async next(direction) {
    if (!this.hits.length) return;
    const asked = this.asked;
    const [hit, nth] = this.#beside(direction);
    const card = await this.feed.bring(hit.index);
    if (!card || asked !== this.asked) return;
    this.at = { hit, nth };
    this.#say();
    const range = await this.#rangeOf(card, hit, nth);
    if (asked === this.asked) this.#show(card, range);
  }

  // One request after another: each says how far the server came before it ran out of patience.
  async #ask(asked, from) {
    const { kind, data } = await get(`${this.url}?q=${encodeURIComponent(this.wanted)}&from=${from}`);
    if (asked !== this.asked) return;
    if (kind !== "done") {
      this.count.textContent = "The server is away";
      return;
    }
    for (const [index, part, count] of data.hits) this.hits.push({ index, part, count });
    this.through = data.next === null;
    this.reached = data.next;
    this.#say();
    if (!this.through) await this.#ask(asked, data.next);
  }

  #say() {
    const total = this.hits.reduce((sum, { count }) => sum + count, 0);
    const turns = new Set(this.hits.map(({ index }) => index));
    const steps = turns.size === 1 ? this.nameOf(this.hits[0].index) : `${turns.size} turns`;
    const here = this.at ? `${this.#numberOf(this.at)} of ${total}` : total ? `${total} found in ${steps}` : this.through ? "Nothing found" : "";
    const going = this.wanted && !this.through ? `searching${this.reached ? `, turn ${this.reached}` : ""}…` : "";
    this.count.textContent = this.wanted ? [here, going].filter(Boolean).join(", ") : "";
  }

  #numberOf({ hit, nth }) {
    return this.hits.slice(0, this.hits.indexOf(hit)).reduce((sum, { count }) => sum + count, nth + 1);
  }

  // The hit before or after the one where one is, round and round.
  #beside(direction) {
    if (!this.at) return direction > 0 ? [this.hits[0], 0] : [this.hits.at(-1), this.hits.at(-1).count - 1];
    const nth = this.at.nth + direction;
    if (nth >= 0 && nth < this.at.hit.count) return [this.at.hit, nth];
    const hit = this.hits.at((this.hits.indexOf(this.at.hit) + direction) % this.hits.length);
    return [hit, direction > 0 ? 0 : hit.count - 1];
  }

  /** The nth hit of a text as a range of the page: of what stands there, or of what has to be brought first. */
  async #rangeOf(card, { index, part, count }, nth) {
    const [name, place] = part.split("/");
    const block = this.texts.block(index, name);
    if (!block) return null;
    if (place === "name") return [...hitsOf(block.querySelector("code.name"), this.wanted)][nth] ?? null;
    const ranges = "cut" in block.dataset ? [] : [...hitsOf(block.querySelector(".shown"), this.wanted)];
    if (ranges.length !== count) return this.#brought(block, index, name, nth);
    block.matches("[data-folded]") && block.querySelector("[data-fold]").click();
    return ranges[nth];
  }

  async #brought(block, index, name, nth) {
    let from = 0;
    for (let before = 0; from !== null; ) {
      const { kind, data } = await get(`${block.dataset.door}?find=${encodeURIComponent(this.wanted)}&from=${from}`);
      if (kind !== "done") return null;
      if (nth - before < data.hits.length) return this.texts.showOffset(index, name, data.hits[nth - before], this.wanted.length);
      before += data.hits.length;
      from = data.next;
    }
    return null;
  }

  #show(card, range) {
    if (!range) return card.scrollIntoView({ block: "start" });
    const { top } = range.getBoundingClientRect();
    scrollBy({ top: top - innerHeight / 3, behavior: "instant" });
    if (window.Highlight) CSS.highlights.set("found-here", new Highlight(range));
    return undefined;
  }

  #paint() {
    if (!window.Highlight) return;
    if (!this.at) CSS.highlights.delete("found-here");
    const ranges = [];
    if (this.wanted) for (const card of this.feed.cards()) for (const range of hitsIn(card, this.wanted)) if (ranges.push(range) >= LIMIT) break;
    CSS.highlights.set("found", new Highlight(...ranges));
  }
}

function* hitsIn(card, wanted) {
  for (const text of card.querySelectorAll("code.name, .shown")) yield* hitsOf(text, wanted);
}

// Text is looked through as it reads, across the elements that colour it.
function* hitsOf(root, wanted) {
  const nodes = [];
  const passes = root.querySelector("[data-beside]") ? ({ parentElement }) => (parentElement.closest("[data-beside]") ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT) : null;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT, passes);
  let whole = "";
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    nodes.push({ node, from: whole.length });
    whole += node.data;
  }
  const body = whole.toLowerCase();
  if (body.length !== whole.length) return; // lower case moved the places
  let place = 0;
  const end = (at) => {
    while (place + 1 < nodes.length && nodes[place + 1].from <= at) place += 1;
    return [nodes[place].node, at - nodes[place].from];
  };
  for (let at = body.indexOf(wanted); at >= 0; at = body.indexOf(wanted, at + wanted.length)) {
    const range = new Range();
    range.setStart(...end(at));
    const [node, offset] = end(at + wanted.length - 1);
    range.setEnd(node, offset + 1);
    yield range;
  }
}
