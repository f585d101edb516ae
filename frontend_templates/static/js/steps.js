// The step cards: which one is in focus, what is folded, and how one moves among them.

export class Steps extends EventTarget {
  /** Fires "move" with detail {step} when another step comes into focus. `fetchText(step, part, raw)` brings a whole text. */
  constructor({ list, order, fetchText, tell }) {
    super();
    Object.assign(this, { list, order, fetchText, tell });
    this.cards = new Map(order.map((step) => [step, list.querySelector(`[data-step="${step}"]`)]));
    this.current = null;
    list.addEventListener("focusin", (event) => this.#noticed(event.target));
    list.addEventListener("click", (event) => this.#click(event));
  }

  numberOf(step) {
    return this.order.indexOf(step) + 1;
  }

  card(step) {
    return this.cards.get(step);
  }

  /** Bring the step into focus and into sight. */
  focus(step, { scroll = true } = {}) {
    const card = this.cards.get(step);
    if (!card) return;
    this.#mark(step);
    card.focus({ preventScroll: true });
    if (!scroll) return;
    reveal(card);
    // Cards out of sight have only a guessed height; once they are laid out, the first scroll may have missed.
    requestAnimationFrame(() => this.current === step && reveal(card));
  }

  /** The next step in that direction (1 or -1), the first that passes where `wanted` is given. False where there is none. */
  move(direction, wanted = () => true) {
    const from = this.current === null ? (direction > 0 ? -1 : this.order.length) : this.order.indexOf(this.current);
    for (let place = from + direction; place >= 0 && place < this.order.length; place += direction) {
      if (wanted(this.order[place])) {
        this.focus(this.order[place]);
        return true;
      }
    }
    return false;
  }

  first() {
    this.focus(this.order[0]);
  }

  last() {
    this.focus(this.order.at(-1));
  }

  /** Fold or unfold all texts of the step in focus, or with `all` of every turn. */
  fold({ all = false } = {}) {
    const root = all ? this.list : this.cards.get(this.current);
    const buttons = [...(root?.querySelectorAll("[data-fold]") ?? [])];
    const open = buttons.some((button) => button.getAttribute("aria-expanded") === "false");
    for (const button of buttons) unfold(button, open);
    return buttons.length ? open : null;
  }

  #noticed(target) {
    const card = target.closest("[data-step]");
    if (card) this.#mark(Number(card.dataset.step));
  }

  #mark(step) {
    if (step === this.current) return;
    this.cards.get(this.current)?.removeAttribute("aria-current");
    this.current = step;
    this.cards.get(step).setAttribute("aria-current", "step");
    this.dispatchEvent(new CustomEvent("move", { detail: { step } }));
  }

  #click(event) {
    const button = event.target.closest("button");
    if (button && "fold" in button.dataset) unfold(button, button.getAttribute("aria-expanded") === "false");
    else if (button && "whole" in button.dataset) this.#load(button, false);
    else if (button && "raw" in button.dataset) this.#load(button, button.getAttribute("aria-pressed") === "false");
    else if (!button && !String(getSelection())) this.#noticed(event.target);
  }

  // The rest of a text, or the text as it was written, comes when it is asked for.
  async #load(button, raw) {
    const block = button.closest(".block");
    const step = block.closest(".turn").id.slice("step-".length);
    const html = await this.fetchText(step, block.dataset.part, raw);
    if (html === null) {
      this.tell("The text could not be loaded: the server is away.");
      return;
    }
    // The server escaped the text; parsed apart from the page, nothing in it runs.
    const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("pre");
    block.querySelector("pre").replaceWith(fresh);
    delete block.dataset.cut;
    if ("raw" in button.dataset) button.setAttribute("aria-pressed", String(raw));
    else button.remove();
    const more = block.querySelector("[data-fold]");
    if (more) unfold(more, true);
  }
}

function unfold(button, open) {
  const block = button.closest(".block");
  block.toggleAttribute("data-folded", !open);
  button.setAttribute("aria-expanded", String(open));
  button.firstChild.textContent = open ? "Show less" : "Show all";
}

/** Scroll as little as it takes to see the card, from its start where it is taller than the window. */
export function reveal(element) {
  const { top, bottom, height } = element.getBoundingClientRect();
  const margin = parseFloat(getComputedStyle(element).scrollMarginTop) || 0;
  if (top >= margin && bottom <= innerHeight) return;
  element.scrollIntoView({ block: height > innerHeight - margin || top < margin ? "start" : "end" });
}
