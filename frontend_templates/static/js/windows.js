// Steps (or rows) that are in the page, and how to get to the others: windows come in forward and backward.

export class Windows {
  /** `item` selects what is moved over; its id is `prefix` and its number, which data-step has. */
  constructor({ list, tell, item = ".step", prefix = "step-" }) {
    Object.assign(this, { list, tell, item, prefix });
    this.list.addEventListener("htmx:beforeSwap", ({ target }) => this.#hold(target));
    document.addEventListener("htmx:afterSettle", () => this.#settle());
    document.addEventListener("htmx:sendError", () => this.tell("More could not be loaded: the server is away."));
    document.addEventListener("htmx:responseError", () => this.tell("More could not be loaded."));
  }

  get steps() {
    return [...this.list.querySelectorAll(this.item)].filter((step) => step.offsetParent !== null);
  }

  get current() {
    return this.list.querySelector(`${this.item}[aria-current]`);
  }

  /** Goes to the step of that place, in this page or in the window that has it. */
  go(index) {
    const step = document.getElementById(`${this.prefix}${index}`);
    if (step && step.offsetParent !== null) return this.focus(step);
    const address = new URL(location.href);
    address.searchParams.set("at", index);
    if (step) address.searchParams.delete("hide");
    address.hash = `${this.prefix}${index}`;
    location.assign(address);
    return undefined;
  }

  focus(step) {
    this.mark(step);
    step.focus({ preventScroll: true });
    step.scrollIntoView({ block: "start" });
    history.replaceState(history.state, "", `#${step.id}`);
    step.dispatchEvent(new CustomEvent("step", { bubbles: true, detail: Number(step.dataset.step) }));
  }

  mark(step) {
    this.current?.removeAttribute("aria-current");
    step.setAttribute("aria-current", "step");
  }

  /** One step on (1) or back (-1); at the end of what is in the page, asks for more and goes there when it has come. */
  move(direction) {
    const { steps } = this;
    const here = steps.indexOf(this.current);
    const next = here < 0 ? this.#inSight(steps) : steps[here + direction];
    if (next) return this.focus(next);
    const more = this.list.querySelector(`[data-more=${direction > 0 ? "later" : "earlier"}]`);
    if (!more) return this.tell(direction > 0 ? "This is the end." : "This is the beginning.");
    this.waiting = direction;
    const button = more.querySelector("button");
    if (button) button.click();
    else more.dispatchEvent(new CustomEvent("wanted"));
    return undefined;
  }

  #inSight(steps) {
    return steps.find((step) => step.getBoundingClientRect().bottom > 40);
  }

  // What comes in above must not move what is being read.
  #hold(target) {
    if (target.dataset.more !== "earlier") return;
    this.anchor = this.steps[0];
    this.before = this.anchor?.getBoundingClientRect().top;
  }

  #settle() {
    if (this.anchor) scrollBy({ top: this.anchor.getBoundingClientRect().top - this.before, behavior: "instant" });
    this.anchor = undefined;
    if (!this.waiting) return;
    const direction = this.waiting;
    this.waiting = 0;
    this.move(direction);
  }
}
