// The turns of a trajectory in chunks, of which only those near what is looked at are in the page.

const NEAR = "1200px 0px"; // from the window's edge: chunks this near are filled,
const FAR = "5000px 0px"; // and emptied again beyond this
const GUESS = 420; // px a turn may take, while none has been measured
const TALLEST = 12_000_000; // px; browsers lay out nothing beyond some 17 million

/**
 * Fires "shown" and "gone" with detail {cards} when turns come into the page or leave it. `fetchCards(from, to)` brings
 * the HTML of turns from ≤ index < to, or null; `keeps(chunk)` tells of an element that has to stay.
 */
export class Feed extends EventTarget {
  constructor({ root, window: first, size, turns, at, fetchCards, keeps, tell }) {
    super();
    Object.assign(this, { root, size, turns, fetchCards, keeps, tell, chunks: [], measured: { turns: 0, height: 0 } });
    root.querySelectorAll(".elsewhere").forEach((link) => link.remove());
    const here = Math.floor(at / size);
    for (let place = 0; place < this.#count(); place++) this.#add(place, place === here ? first : null);
    this.near = new IntersectionObserver((entries) => entries.forEach((entry) => entry.isIntersecting && this.fill(placeOf(entry.target))), { rootMargin: NEAR });
    this.far = new IntersectionObserver((entries) => entries.forEach((entry) => entry.isIntersecting || this.#empty(placeOf(entry.target))), { rootMargin: FAR });
    requestAnimationFrame(() => this.chunks.forEach(({ element }) => this.#watch(element)));
  }

  /** The card of a turn, where it is in the page. */
  card(index) {
    return this.chunks[Math.floor(index / this.size)]?.element.querySelector(`[data-turn="${index}"]`) ?? null;
  }

  /** All turns that are in the page, in order. */
  cards() {
    return [...this.root.querySelectorAll("[data-turn]")];
  }

  /** Bring the chunk of that turn into the page. Resolves to its card, or null where the server is away. */
  async bring(index) {
    return this.card(index) ?? ((await this.fill(Math.floor(index / this.size))) ? this.card(index) : null);
  }

  /** Put the turns of a chunk into the page. Resolves to whether they are there. */
  async fill(place) {
    const chunk = this.chunks[place];
    if (!chunk || chunk.full) return Boolean(chunk);
    chunk.coming ??= this.#load(chunk).finally(() => (chunk.coming = null));
    return chunk.coming;
  }

  /** More turns are there now. */
  async extend(turns) {
    const known = this.turns;
    if (turns <= known) return;
    this.turns = turns;
    const last = this.chunks.at(-1);
    if (last?.full && known % this.size) await this.#append(last, known, Math.min(turns, last.to));
    while (this.chunks.length < this.#count()) {
      this.#add(this.chunks.length, null);
      this.#watch(this.chunks.at(-1).element);
    }
    await this.fill(this.chunks.length - 1);
  }

  #count() {
    return Math.max(1, Math.ceil(this.turns / this.size));
  }

  #add(place, element) {
    const chunk = { place, from: place * this.size, to: (place + 1) * this.size, full: element !== null, coming: null };
    chunk.element = element ?? document.createElement("div");
    chunk.element.className = "chunk";
    chunk.element.dataset.chunk = place;
    this.chunks[place] = chunk;
    if (!element) this.#reserve(chunk);
    this.root.append(chunk.element);
  }

  #watch(element) {
    this.near.observe(element);
    this.far.observe(element);
  }

  async #load(chunk) {
    const cards = await this.#cards(chunk.from, Math.min(chunk.to, this.turns));
    if (!cards) return false;
    this.#steady(() => {
      chunk.element.replaceChildren(...cards);
      chunk.element.style.height = "";
      chunk.full = true;
      this.#show(cards);
    });
    this.#measure(chunk);
    return true;
  }

  async #append(chunk, from, to) {
    const cards = await this.#cards(from, to);
    if (!cards) return;
    chunk.element.append(...cards);
    this.#show(cards);
  }

  async #cards(from, to) {
    const html = await this.fetchCards(from, to);
    if (html === null) {
      this.tell("These steps could not be loaded: the server is away.");
      return null;
    }
    // The server escaped the texts; parsed apart from the page, nothing in them runs.
    return [...new DOMParser().parseFromString(html, "text/html").body.children];
  }

  #show(cards) {
    this.dispatchEvent(new CustomEvent("shown", { detail: { cards } }));
  }

  #empty(place) {
    const chunk = this.chunks[place];
    if (!chunk.full || this.chunks.length === 1 || this.keeps(chunk.element)) return;
    this.dispatchEvent(new CustomEvent("gone", { detail: { cards: [...chunk.element.querySelectorAll("[data-turn]")] } }));
    this.#measure(chunk);
    chunk.element.style.height = `${chunk.element.offsetHeight}px`;
    chunk.element.replaceChildren();
    chunk.full = false;
  }

  #measure(chunk) {
    this.measured.turns += Math.min(chunk.to, this.turns) - chunk.from;
    this.measured.height += chunk.element.offsetHeight;
  }

  #reserve(chunk) {
    const each = this.measured.turns ? this.measured.height / this.measured.turns : GUESS;
    const turns = Math.min(chunk.to, this.turns) - chunk.from;
    chunk.element.style.height = `${Math.round(turns * Math.min(each, TALLEST / this.turns))}px`;
  }

  // What one looks at stays where it is, whatever comes in above it.
  #steady(change) {
    const anchor = this.cards().find((card) => card.getBoundingClientRect().bottom > 0);
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (!anchor?.isConnected) return;
    const moved = anchor.getBoundingClientRect().top - before;
    if (Math.abs(moved) > 0.5 && before < innerHeight) scrollBy({ top: moved, behavior: "instant" });
  }
}

const placeOf = (element) => Number(element.dataset.chunk);

/** Scroll as little as it takes to see the element, from its start where it is taller than the window. False where it
 * was in sight. */
export function reveal(element) {
  const { top, bottom, height } = element.getBoundingClientRect();
  const margin = parseFloat(getComputedStyle(element).scrollMarginTop) || 0;
  const tall = height > innerHeight - margin;
  if (tall ? Math.abs(top - margin) < 1 : top >= margin && bottom <= innerHeight) return false;
  element.scrollIntoView({ block: tall || top < margin ? "start" : "end", behavior: "instant" });
  return true;
}
