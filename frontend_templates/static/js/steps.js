// Which step is in focus, and how one moves among the steps. Those that are not in the page come when one goes there.
import { reveal } from "./feed.js";

const HELD = 800; // ms for which a card that one goes to is held where it is seen
const SCROLLS = ["wheel", "touchmove", "pointerdown", "keydown"]; // how somebody may look elsewhere

export class Steps extends EventTarget {
  /** Fires "move" with detail {step} when another step comes into focus. */
  constructor({ feed, tell }) {
    super();
    Object.assign(this, { feed, tell, order: [], places: new Map(), held: null, holding: null, current: null, wanted: null, seen: new Set() });
    feed.root.addEventListener("focusin", ({ target }) => this.#noticed(target));
    feed.root.addEventListener("click", ({ target }) => (target.closest("button") || !String(getSelection())) && this.#noticed(target));
    feed.addEventListener("shown", ({ detail }) => this.#shown(detail.cards));
    for (const sign of SCROLLS) addEventListener(sign, () => (this.held = null), { passive: true, capture: true });
    this.sight = new IntersectionObserver((entries) => entries.forEach(({ isIntersecting, target }) => isIntersecting && this.seen.add(Number(target.dataset.step))));
  }

  /** The indexes of the steps, in order. */
  begin(order) {
    this.order = order;
    this.places = new Map(order.map((step, place) => [step, place]));
    this.#shown(this.feed.cards());
  }

  numberOf(step) {
    return (this.places.get(step) ?? -1) + 1;
  }

  has(step) {
    return this.places.has(step);
  }

  card(step) {
    return this.feed.card(step);
  }

  /** Bring the step into focus and into sight; at once where it is in the page. Until it is, no step is in focus. */
  focus(step, { scroll = true } = {}) {
    if (!this.places.has(step)) return;
    const card = this.feed.card(step);
    if (card) this.#arrive(step, card, scroll);
    else this.#fetch(step, scroll);
  }

  /** The next step in that direction (1 or -1), the first that passes where `passes` is given. False where there is none. */
  move(direction, passes = () => true) {
    const from = this.current ?? this.wanted;
    let place = from === null ? (direction > 0 ? -1 : this.order.length) : this.places.get(from);
    for (place += direction; place >= 0 && place < this.order.length; place += direction) {
      if (!passes(this.order[place])) continue;
      this.focus(this.order[place]);
      return true;
    }
    return false;
  }

  first() {
    this.focus(this.order[0]);
  }

  last() {
    this.focus(this.order.at(-1));
  }

  async #fetch(step, scroll) {
    this.#leave();
    this.wanted = step;
    this.dispatchEvent(new CustomEvent("move", { detail: { step } }));
    const card = await this.feed.bring(step);
    if (card && this.wanted === step) this.#arrive(step, card, scroll);
  }

  #arrive(step, card, scroll) {
    this.#mark(step, card);
    card.focus({ preventScroll: true });
    if (scroll) this.#hold(card);
  }

  // Cards out of sight have only a guessed height, and steps above may still be on their way: while these are laid out, the
  // card is held in sight, unless somebody scrolls meanwhile.
  #hold(card) {
    this.held = { card, until: performance.now() + HELD };
    this.holding ??= requestAnimationFrame(() => this.#reveal());
    reveal(card);
  }

  #reveal() {
    const { card, until } = this.held ?? {};
    this.holding = null;
    if (!card?.isConnected || !card.hasAttribute("aria-current") || performance.now() > until) return;
    reveal(card);
    this.holding = requestAnimationFrame(() => this.#reveal());
  }

  #noticed(target) {
    const card = target.closest("[data-step]");
    if (card) this.#mark(Number(card.dataset.step), card);
  }

  #mark(step, card) {
    if (step === this.current || !this.places.has(step)) return;
    this.#leave();
    this.current = step;
    card.setAttribute("aria-current", "step");
    this.dispatchEvent(new CustomEvent("move", { detail: { step } }));
  }

  #leave() {
    if (this.current !== null) this.feed.card(this.current)?.removeAttribute("aria-current");
    this.current = this.wanted = null;
  }

  #shown(cards) {
    if (this.held) this.held.until = performance.now() + HELD;
    for (const card of cards) {
      if (!card.dataset.step) continue;
      this.sight.observe(card);
      if (Number(card.dataset.step) === this.current) card.setAttribute("aria-current", "step");
    }
  }
}
