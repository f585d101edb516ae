// What is compared, beside each other, and the buttons and keys that answer. Rollouts lie over the page, below its head;
// siblings stand in their step. Where a window is narrow, one is shown at a time.
import { make } from "../dialogs.js";
import { fragment } from "../doors.js";
import { Reading } from "../reading.js";
import { TIE } from "./preference-value.js";

const KEPT_FOR_PAGE = ["u", "?"];

export class View {
  constructor(choice) {
    const root = choice.field.element.querySelector("[data-comparison]");
    Object.assign(this, { choice, root, columns: new Map(), tab: 0, drawn: "" });
    this.part = (name) => root.querySelector(`[data-${name}]`);
    this.isOver = root.hasAttribute("popover");
    root.addEventListener("keydown", (event) => this.#key(event));
    if (this.isOver) for (const sign of ["scroll", "resize"]) addEventListener(sign, () => this.isShown && this.#below(), { passive: true });
    if (this.isOver) root.hidden = false;
    else this.#watch();
  }

  get isShown() {
    return this.isOver ? this.root.matches(":popover-open") : !this.root.hidden;
  }

  open() {
    if (this.isOver) this.#below();
    if (this.isOver && !this.isShown) this.root.showPopover();
    this.root.hidden = false;
    this.paint();
    this.part("question").focus({ preventScroll: this.isOver });
  }

  close() {
    if (!this.isOver || !this.isShown) return;
    this.root.hidePopover();
    this.choice.field.element.querySelector("[data-open]").focus();
  }

  paint() {
    if (!this.isShown) return;
    const { choice } = this;
    const { shown, isPair } = choice;
    const drawn = JSON.stringify(shown);
    if (drawn !== this.drawn) this.#lay(shown);
    this.drawn = drawn;
    this.part("place").textContent = isPair ? `Pair ${choice.place + 1} of ${choice.names.length}, ${choice.answered} answered` : choice.progress;
    this.root.querySelector(".comparison-moves").hidden = !isPair || choice.names.length < 2;
    this.#paintVerdicts();
    this.#paintTabs();
  }

  // The head of the page stays in sight: what is saved, undo, submit.
  #below() {
    this.root.style.setProperty("--head-ends", `${Math.max(0, document.querySelector(".head").getBoundingClientRect().bottom)}px`);
  }

  pressed(button) {
    if (button.dataset.tab !== undefined) this.#show(Number(button.dataset.tab));
  }

  #lay(shown) {
    this.tab = 0;
    for (const candidate of shown) if (!this.columns.has(candidate)) this.columns.set(candidate, this.#column(candidate));
    this.part("candidates").replaceChildren(...shown.map((candidate) => this.columns.get(candidate)));
    this.part("candidates").style.setProperty("--many", shown.length);
  }

  #column(candidate) {
    const letter = this.choice.letter(candidate);
    const body = make("div", { className: "candidate-body", tabIndex: 0, ariaLabel: letter });
    body.setAttribute("role", "region");
    const column = make("div", { className: "candidate" }, make("h4", { className: "candidate-letter", textContent: letter }), body);
    if (this.isOver) this.#fillRollout(candidate, body);
    else this.#fillSibling(candidate, body);
    return column;
  }

  #fillRollout(candidate, body) {
    const reading = new Reading({ root: body, tell: this.choice.desk.tell });
    const door = `${this.choice.desk.data.here}candidates/${candidate}/`;
    const fill = async (from) => {
      const turns = await parsed(`${door}?from=${from}`, ".candidate-turns");
      if (!turns) return this.#failed(body, () => fill(from));
      body.replaceChildren(turns);
      body.scrollTop = 0;
      return reading.apply(body);
    };
    body.addEventListener("click", ({ target }) => target.dataset.from !== undefined && fill(target.dataset.from));
    fill("0");
  }

  // A sibling has a card of its own in the page: its texts are named otherwise here, so that they are found there.
  async #fillSibling(index, body) {
    const { desk } = this.choice;
    const card = await parsed(`${desk.data.doors.cards}?from=${index}&to=${index + 1}`, ".turn");
    if (!card) return this.#failed(body, () => this.#fillSibling(index, body));
    const blocks = [...card.querySelectorAll(".block")];
    for (const block of blocks) {
      block.dataset.of = `beside-${index}`;
      for (const asked of block.querySelectorAll("[data-beside]")) asked.remove();
    }
    body.replaceChildren(...blocks);
    return desk.texts.apply(body);
  }

  #failed(body, again) {
    const button = make("button", { type: "button", className: "small", textContent: "Try again" });
    button.addEventListener("click", again);
    body.replaceChildren(make("p", { className: "muted", textContent: "This could not be loaded: the server is away." }), button);
  }

  #paintVerdicts() {
    const { choice } = this;
    const held = document.activeElement;
    const name = this.part("verdicts").contains(held) ? (held.dataset.pick ?? held.closest("[data-candidate]")?.dataset.candidate) : undefined;
    this.part("verdicts").replaceChildren(...(choice.spec.form === "rank" ? this.#ranks() : this.#picks()));
    for (const control of this.part("verdicts").querySelectorAll("button")) control.disabled = !choice.isOpen;
    if (name !== undefined) this.part("verdicts").querySelector(`[data-pick="${name}"], [data-candidate="${name}"]`)?.focus();
  }

  #picks() {
    const { choice } = this;
    const { shown, value, spec } = choice;
    const word = choice.isPair ? "is better" : "is best";
    const buttons = shown.map((one, place) => pick(String(one), `${choice.letter(one)} ${word}`, value === one, String(place + 1)));
    if (spec.ties) buttons.splice(choice.isPair ? 1 : buttons.length, 0, pick(TIE, "Equal", value === TIE, "0"));
    if (value !== null) {
      const clear = make("button", { type: "button", className: "quiet", textContent: "Clear" });
      clear.dataset.clear = "";
      buttons.push(clear);
    }
    return buttons;
  }

  #ranks() {
    const { choice } = this;
    const rows = choice.order.flatMap((group, place) => group.map((one, within) => this.#rank(one, place, within > 0)));
    const list = make("ol", { className: "ranks" }, ...rows);
    const keep = make("button", { type: "button", className: "small", textContent: "This is my order" });
    keep.dataset.keep = "";
    keep.hidden = choice.value !== null;
    const clear = make("button", { type: "button", className: "quiet", textContent: "Clear" });
    clear.dataset.clear = "";
    clear.hidden = choice.value === null;
    const help = make("p", { className: "muted", textContent: choice.spec.ties ? "Shift+↑ and Shift+↓ move one; = puts it on one place with the one above." : "Shift+↑ and Shift+↓ move one." });
    return [list, keep, clear, help];
  }

  #rank(candidate, place, shares) {
    const { choice } = this;
    const letter = choice.letter(candidate);
    const button = (name, value, text, label) => {
      const made = make("button", { type: "button", className: "quiet", textContent: text, ariaLabel: `${letter}: ${label}` });
      made.dataset[name] = value;
      return made;
    };
    const ways = [button("up", "-1", "▲", "up"), button("up", "1", "▼", "down"), ...(choice.spec.ties && (place > 0 || shares) ? [button("tie", "", "=", shares ? "by itself" : "equal to the one above")] : [])];
    const row = make("li", { tabIndex: 0, ariaLabel: `Place ${place + 1}${shares ? ", shared" : ""}: ${letter}` }, make("span", { className: "rank-place", textContent: shares ? "=" : `${place + 1}.` }), make("strong", { textContent: letter }), ...ways);
    row.dataset.candidate = candidate;
    return row;
  }

  #paintTabs() {
    const { choice } = this;
    const tabs = choice.shown.map((one, place) => {
      const tab = make("button", { type: "button", className: "small", textContent: choice.letter(one) });
      tab.dataset.tab = place;
      tab.dataset.look = "";
      tab.setAttribute("aria-pressed", String(place === this.tab));
      return tab;
    });
    this.part("tabs").replaceChildren(...tabs);
    [...this.part("candidates").children].forEach((column, place) => column.toggleAttribute("data-front", place === this.tab));
  }

  #show(place) {
    this.tab = place;
    this.#paintTabs();
    this.part("tabs").children[place]?.focus();
    this.part("candidates").children[place]?.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
  }

  // Siblings load when their step comes near.
  #watch() {
    this.sight = new IntersectionObserver(([{ isIntersecting }]) => {
      if (!isIntersecting) return;
      this.sight.disconnect();
      this.root.hidden = this.choice.all.length === 0;
      this.paint();
    }, { rootMargin: "600px 0px" });
    this.sight.observe(this.choice.field.element);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea")) return;
    if (this.#deed(event)) event.preventDefault();
    else if (!this.isOver || KEPT_FOR_PAGE.includes(event.key)) return;
    event.stopPropagation(); // what lies below does not move
  }

  #deed(event) {
    const { choice } = this;
    const { key } = event;
    if (key === "Escape") return this.isOver ? (this.close() ?? true) : false;
    const row = event.target.closest?.(".ranks [data-candidate]");
    if (row) return this.#rankKey(event, row);
    if (choice.spec.form === "rank" && ["ArrowUp", "ArrowDown"].includes(key) && !event.target.matches(".candidate-body")) return this.#toRow(0);
    if (choice.isPair && (key === "," || key === ".")) return choice.beside(key === "." ? 1 : -1) ?? true;
    if (choice.spec.form === "rank") return false;
    if (choice.isPair && (key === "ArrowLeft" || key === "ArrowRight")) return choice.pick(choice.shown[key === "ArrowLeft" ? 0 : 1]) ?? true;
    if (key === "0" || key === "=") return choice.pick(TIE) ?? true;
    if (key === "x") return choice.clear() ?? true;
    const place = /^[1-9]$/.test(key) ? Number(key) - 1 : -1;
    return place >= 0 && place < choice.shown.length ? (choice.pick(choice.shown[place]) ?? true) : false;
  }

  #rankKey({ key, shiftKey, target }, row) {
    const candidate = Number(row.dataset.candidate);
    const by = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (by && shiftKey) this.choice.move(candidate, by);
    else if (by) return this.#toRow([...this.root.querySelectorAll(".ranks [data-candidate]")].indexOf(row) + by);
    else if (key === "=") this.choice.tie(candidate);
    else if (key === "Enter" && target === row) this.choice.keepOrder();
    else return false;
    return true;
  }

  #toRow(place) {
    this.root.querySelectorAll(".ranks [data-candidate]")[place]?.focus();
    return true;
  }
}

function pick(value, text, pressed, key) {
  const button = make("button", { type: "button", className: "verdict" }, text, " ", make("kbd", { textContent: key }));
  button.dataset.pick = value;
  button.setAttribute("aria-pressed", String(pressed));
  button.setAttribute("aria-keyshortcuts", key);
  return button;
}

async function parsed(url, selector) {
  const html = await fragment(url);
  return html === null ? null : new DOMParser().parseFromString(html, "text/html").querySelector(selector);
}
