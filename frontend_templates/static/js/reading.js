// Reading texts of steps: folding, other views of a text, the rest of long ones, places in them. The server made every text
// inert; parsed apart from the page, nothing in it runs.
import { bigBar } from "./big-bar.js";
import { BigText } from "./big-text.js";
import { fragment } from "./doors.js";
import { drawMaths } from "./maths.js";
import { bindPictures, toggleMarks } from "./pictures.js";
import { rangeOf } from "./text-places.js";

const CHOICE = "stepmark.rendered"; // whether this person wants drawn what can be
const KEPT = 4_000_000; // characters of fetched texts that stay at hand
const NEAR = "600px 0px";

/**
 * Binds all texts (templates/_shared/blocks.html) in `root`. What a reader folded, unfolded, loaded and turned is kept, and
 * comes back with `apply` when a card is put into the page again.
 *
 * Fires "read" with detail {step, part, what} when somebody asks for more of a text (what: unfold, whole, written, rendered),
 * and "drawn" with detail {block} when another text stands in a block.
 */
export class Reading extends EventTarget {
  constructor({ root, tell = () => {} }) {
    super();
    Object.assign(this, { root, tell, known: new Map(), first: new WeakMap(), bigs: new WeakMap(), fetched: new Fetched(), allOpen: null });
    this.rendered = read(CHOICE);
    this.sight = new IntersectionObserver((entries) => entries.forEach((entry) => entry.isIntersecting && this.#near(entry.target)), { rootMargin: NEAR });
    root.addEventListener("click", ({ target }) => this.#click(target.closest(".block button")));
    bindPictures(root);
    this.apply(root);
  }

  /** Put on the texts in there what was done to them before. For cards that come into the page, again or for the first time. */
  apply(within) {
    for (const block of within.querySelectorAll(".block[data-door]")) this.#settle(block);
  }

  /** Fold or unfold all texts in there. Returns whether they are open now; null where nothing folds. */
  fold(card) {
    const blocks = foldable(card);
    const open = blocks.some(isFolded);
    for (const block of blocks) this.#unfold(block, open);
    return blocks.length ? open : null;
  }

  /** The same for every text, those to come included. */
  foldAll() {
    const blocks = foldable(this.root);
    this.allOpen = blocks.some(isFolded) || (!blocks.length && !this.allOpen);
    for (const state of this.known.values()) delete state.open;
    for (const block of blocks) setFold(block, this.allOpen);
    return this.allOpen;
  }

  /** Draw Markdown, maths and tables on the whole page, or show them as they were written. Remembered for this person. */
  setRendered(rendered) {
    this.rendered = rendered;
    write(CHOICE, rendered);
    for (const state of this.known.values()) if (state.view !== "written") delete state.view;
    this.apply(this.root);
    for (const button of document.querySelectorAll("[data-render-all]")) button.setAttribute("aria-pressed", String(rendered));
  }

  /** Let a button switch the page between the two; it shows which it is. */
  switchWith(button) {
    button.dataset.renderAll = "";
    button.setAttribute("aria-pressed", String(this.rendered));
    button.addEventListener("click", () => this.setRendered(!this.rendered));
  }

  /** The element of a text, where it is in the page. */
  block(step, part) {
    return this.root.querySelector(`.block[data-of="${step}"][data-part="${CSS.escape(part)}"]`);
  }

  /**
   * Bring a place of a text into the page, whatever is folded, cut or drawn over it. `offset` and `length` are in characters of
   * the text as it was written. Resolves to its range, laid out, for the caller to scroll to; null where it cannot be shown.
   */
  async showOffset(step, part, offset, length) {
    const block = this.block(step, part);
    if (!block) return null;
    this.#unfold(block, true);
    if ("cut" in block.dataset && !(await this.#whole(block))) return null;
    if (this.bigs.has(block)) return this.bigs.get(block).show(offset, length);
    if (!("exact" in shownOf(block).dataset) && !(await this.#turn(block, "written"))) return null;
    return rangeOf(shownOf(block).querySelector("pre"), offset, length);
  }

  /** Show this text as it was written where it comes near, unless somebody turned it already. */
  asWritten(block) {
    this.#state(block).view ??= "written";
    this.#settle(block);
  }

  #click(button) {
    const block = button?.closest(".block");
    if (!block || !this.root.contains(block)) return;
    if ("marks" in button.dataset) toggleMarks(button);
    else if ("fold" in button.dataset) this.#unfold(block, isFolded(block));
    else if ("whole" in button.dataset) this.#whole(block);
    else if ("raw" in button.dataset) this.#turn(block, viewOf(block) === "written" ? "first" : "written");
    else if ("render" in button.dataset) this.#turn(block, viewOf(block) === "rendered" ? "first" : "rendered");
  }

  #state(block) {
    const key = `${block.dataset.of}/${block.dataset.part}`;
    if (!this.known.has(key)) this.known.set(key, {});
    return this.known.get(key);
  }

  #settle(block) {
    const state = this.#state(block);
    const open = state.open ?? this.allOpen;
    if (open !== null && open !== undefined) setFold(block, open);
    if (state.whole && "cut" in block.dataset) this.#whole(block);
    else if (this.#wanted(block) !== viewOf(block)) this.sight.observe(block);
  }

  /** The view that this text is to have: what was chosen for it, else what was chosen for the page. */
  #wanted(block) {
    return this.#state(block).view ?? (this.rendered && shownOf(block).dataset.offers === "rendered" ? "rendered" : "first");
  }

  #near(block) {
    this.sight.unobserve(block);
    if (this.#wanted(block) !== viewOf(block)) this.#show(block, this.#wanted(block));
  }

  #unfold(block, open) {
    if (!foldButton(block) || isFolded(block) !== open) return;
    setFold(block, open);
    this.#state(block).open = open;
    if (open) this.#tellRead(block, "unfold");
  }

  // Somebody turned this one text: it stays so whatever is chosen for the page.
  async #turn(block, view) {
    this.#state(block).view = view;
    this.#unfold(block, true);
    if (view !== "first") this.#tellRead(block, view);
    return this.#show(block, view);
  }

  async #show(block, view) {
    const known = view === "first" && this.first.get(block);
    const shown = known || (await this.#fetch(view === "first" ? block.dataset.door : `${block.dataset.door}?as=${view}`));
    if (!shown || this.#wanted(block) !== view) return false;
    if (viewOf(block) === "first" && !("cut" in block.dataset)) this.first.set(block, shownOf(block));
    this.#put(block, shown, view);
    return true;
  }

  #put(block, shown, view) {
    shownOf(block).replaceWith(shown);
    block.dataset.view = view;
    for (const button of block.querySelectorAll(":scope > header > [data-raw]")) button.setAttribute("aria-pressed", String(view === "written"));
    for (const button of block.querySelectorAll(":scope > header > [data-render]")) button.setAttribute("aria-pressed", String(view === "rendered"));
    drawMaths(shown);
    this.dispatchEvent(new CustomEvent("drawn", { detail: { block } }));
  }

  /** The rest of a text that is cut; one that is very long comes in a box of its own. Resolves to whether it is there. */
  async #whole(block) {
    block.coming ??= this.#load(block).finally(() => (block.coming = null));
    return block.coming;
  }

  async #load(block) {
    const done = "big" in block.dataset ? await this.#box(block) : await this.#rest(block);
    if (!done) return false;
    const { whole } = this.#state(block);
    this.#state(block).whole = true;
    delete block.dataset.cut;
    block.querySelector(":scope > [data-whole]")?.remove();
    this.#unfold(block, true);
    if (!whole) this.#tellRead(block, "whole");
    this.#settle(block);
    return true;
  }

  async #rest(block) {
    const shown = await this.#fetch(block.dataset.door);
    if (!shown) return false;
    this.#put(block, shown, "first");
    offer(block, shown.dataset.offers);
    return true;
  }

  async #box(block) {
    const text = new BigText(block.dataset.door);
    const shown = shownOf(block).cloneNode(false);
    shown.append(text.box);
    const before = shownOf(block);
    before.replaceWith(shown);
    if (!(await text.open())) {
      shown.replaceWith(before);
      this.tell("The text could not be loaded: the server is away.");
      return false;
    }
    shown.prepend(bigBar(text, { tell: this.tell }));
    this.bigs.set(block, text);
    const state = this.#state(block);
    if (state.line > 1) text.goToLine(state.line);
    text.addEventListener("moved", () => (state.line = text.line));
    text.addEventListener("drawn", () => this.dispatchEvent(new CustomEvent("drawn", { detail: { block } })));
    return true;
  }

  async #fetch(url) {
    const html = this.fetched.get(url) ?? (await fragment(url));
    if (html === null) {
      this.tell("The text could not be loaded: the server is away.");
      return null;
    }
    this.fetched.put(url, html);
    return new DOMParser().parseFromString(html, "text/html").querySelector(".shown");
  }

  #tellRead(block, what) {
    this.dispatchEvent(new CustomEvent("read", { detail: { step: Number(block.dataset.of), part: block.dataset.part, what } }));
  }
}

const shownOf = (block) => block.querySelector(":scope > .shown");
const viewOf = (block) => block.dataset.view ?? "first";
const foldButton = (block) => block.querySelector(":scope > [data-fold]");
const isFolded = (block) => "folded" in block.dataset;
const foldable = (root) => [...(root?.querySelectorAll(".block[data-door]") ?? [])].filter(foldButton);

function setFold(block, open) {
  const button = foldButton(block);
  if (!button) return;
  block.toggleAttribute("data-folded", !open);
  button.setAttribute("aria-expanded", String(open));
  button.firstChild.textContent = open ? "Show less" : "Show all";
}

// A text that came whole only now may have another view.
function offer(block, view) {
  const header = block.querySelector(":scope > header");
  if (!view || header.querySelector("[data-raw], [data-render]")) return;
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "quiet", textContent: view === "written" ? "as written" : "rendered" });
  button.dataset[view === "written" ? "raw" : "render"] = "";
  button.setAttribute("aria-pressed", "false");
  header.append(button);
}

/** Texts that were fetched, the last ones. */
class Fetched {
  constructor() {
    Object.assign(this, { texts: new Map(), size: 0 });
  }

  get(url) {
    return this.texts.get(url);
  }

  put(url, html) {
    this.size += html.length - (this.texts.get(url)?.length ?? 0);
    this.texts.delete(url);
    this.texts.set(url, html);
    for (const [oldest, text] of this.texts) {
      if (this.size <= KEPT) return;
      this.texts.delete(oldest);
      this.size -= text.length;
    }
  }
}

function read(name) {
  try {
    return localStorage.getItem(name) === "true";
  } catch {
    return false;
  }
}

function write(name, value) {
  try {
    if (value) localStorage.setItem(name, "true");
    else localStorage.removeItem(name);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}
