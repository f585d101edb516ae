// Asking and flagging at a step, and what was answered: one's own threads, under the steps they are about.
import { localise } from "./dates.js";
import { make } from "./dialogs.js";
import { get, post } from "./doors.js";
import { DraftForm } from "./draft-form.js";
import { Draft } from "./drafts.js";
import { reveal } from "./feed.js";
import { guidelines } from "./guidelines.js";
import { nameKeys } from "./help.js";
import { Login } from "./login.js";
import { Seen } from "./seen.js";

const AGAIN = 60_000; // ms between looks for answers while the page is in sight
const KINDS = [["ask", "Question"], ["flag", "Flag"]];

export function talk(desk) {
  guidelines(desk);
  const threads = new Talk(desk);
  threads.begin();
  const ask = (event) => {
    if (event?.target.closest(".task, .bar")) return threads.ask(null);
    return desk.steps.current === null ? desk.tell("This step is still on its way.") : threads.ask(desk.steps.current);
  };
  return { ask };
}

const slotOf = (step) => document.querySelector(`[data-talk="${step ?? ""}"]`);
const stepOf = (slot) => (slot.dataset.talk === "" ? null : Number(slot.dataset.talk));

class Talk {
  constructor({ data, feed, steps, tell }) {
    Object.assign(this, { data, feed, steps, tell });
    this.threads = []; // as the server told them: {id, step, kind, state, new, newest, html}
    this.boxes = new Map(); // thread → its element, which outlives the card it stands in
    this.asking = new Map(); // step (null: the whole item) → the form that is open there
    this.replying = new Map(); // thread → the form that is open there
    this.keys = data.keys.find(({ name }) => name === "ask")?.keys;
    this.seen = new Seen((thread, upto) => post(`${data.here}seen`, { thread, upto }));
    this.channel = "BroadcastChannel" in window ? new BroadcastChannel(`stepmark:talk:${data.user}:${data.annotation}`) : null;
  }

  begin() {
    document.querySelector("[data-guidelines]")?.before(slotOf(null)); // what was answered is not to be looked for below
    this.#offer(slotOf(null), null);
    this.#shown(this.feed.cards());
    this.feed.addEventListener("shown", ({ detail }) => this.#shown(detail.cards));
    this.channel?.addEventListener("message", () => this.load());
    window.addEventListener("storage", (event) => this.#elsewhere(event));
    document.addEventListener("visibilitychange", () => document.hidden || this.load());
    setInterval(() => document.hidden || this.load(), AGAIN);
    this.load();
  }

  /** Open the form for a new thread at the step (null: about the whole item). */
  ask(step) {
    const form = this.asking.get(step) ?? this.#formAt(step);
    this.#paint(step);
    reveal(form.element);
    form.focus();
  }

  async load() {
    const { kind, data } = await get(`${this.data.here}talk`);
    if (kind === "done") this.#take(data.threads);
  }

  #take(threads) {
    const known = new Map(this.threads.map(({ id, newest }) => [id, newest]));
    const fresh = this.loaded ? threads.filter(({ id, newest, new: unread }) => unread && known.get(id) !== newest) : [];
    this.loaded = true;
    this.threads = threads;
    for (const { id } of threads) if (this.#replyDraft(id).facts && !this.replying.has(id)) this.#replyForm(id);
    this.#paintAll();
    if (fresh.length) this.tell(`An answer ${this.#where(fresh[0])}${fresh.length > 1 ? `, and ${fresh.length - 1} more` : ""}.`);
  }

  #paintAll() {
    for (const slot of document.querySelectorAll("[data-talk]")) this.#paint(stepOf(slot));
  }

  #where({ step }) {
    return step === null ? "about the whole item" : `at step ${this.steps.numberOf(step)}`;
  }

  #shown(cards) {
    for (const slot of cards.map((card) => card.querySelector("[data-talk]")).filter(Boolean)) {
      const step = stepOf(slot);
      if (!slot.dataset.offers) this.#offer(slot, step);
      if (!this.asking.has(step) && this.#askDraft(step).facts) this.#formAt(step);
      this.#paint(step);
    }
  }

  // A button to ask with, at the end of the step's other controls, and one for the whole item.
  #offer(slot, step) {
    const button = make("button", { type: "button", className: "quiet ask", onclick: () => this.ask(step) });
    button.dataset.ask = step ?? "";
    slot.dataset.offers = "";
    if (step === null) slot.append(button);
    else slot.closest("[data-step]").querySelector("[data-offer]").before(button);
    if (step !== null) nameKeys(button, this.keys);
    slot.addEventListener("click", ({ target }) => this.#pressed(target.closest("button")));
    if (step === null && this.#askDraft(null).facts) this.#formAt(null);
    this.#paint(step);
  }

  #pressed(button) {
    const thread = Number(button?.closest("[data-thread]")?.dataset.thread);
    if (!thread) return;
    if ("reply" in button.dataset) this.#reply(thread);
    else if ("close" in button.dataset) this.#close(thread, button.closest("[data-thread]"));
  }

  #paint(step) {
    const slot = slotOf(step);
    if (!slot) return;
    const mine = this.threads.filter((one) => one.step === step);
    const form = this.asking.get(step)?.element;
    const button = document.querySelector(`[data-ask="${step ?? ""}"]`);
    const what = step === null ? " about the whole item" : "";
    button.textContent = this.#askDraft(step).facts && !form ? "Go on with your draft" : `Ask or flag${what}`;
    button.setAttribute("aria-expanded", String(Boolean(form)));
    const rest = step === null ? [this.#list(), button] : [];
    place(slot, [...mine.map((thread) => this.#box(thread)), form, form?.signingIn, ...rest].filter(Boolean));
    for (const article of slot.querySelectorAll("[data-new]")) this.seen.watch(article);
  }

  #box(thread) {
    const box = this.boxes.get(thread.id) ?? make("div", { className: "thread-box" });
    this.boxes.set(thread.id, box);
    if (box.shown !== thread.html) this.#fill(box, thread.html);
    const form = this.replying.get(thread.id)?.element;
    place(box, [box.article, form, form?.signingIn].filter(Boolean));
    return box;
  }

  // The server escaped the texts; parsed apart from the page, nothing in them runs.
  #fill(box, html) {
    const held = box.article?.contains(document.activeElement);
    box.article?.remove();
    box.article = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
    localise(box.article);
    box.shown = html;
    box.prepend(box.article);
    if (held) box.article.focus({ preventScroll: true });
  }

  // Threads at steps that may be far away: where they are, and which have something new.
  #list() {
    const far = this.threads.filter(({ step }) => step !== null).sort((one, other) => Boolean(other.new) - Boolean(one.new) || one.step - other.step);
    const lines = far.map((thread) => {
      const go = make("button", { type: "button", className: "link", textContent: `Step ${this.steps.numberOf(thread.step)}`, onclick: () => this.steps.focus(thread.step) });
      const state = make("span", { className: thread.new ? "badge accent" : "muted", textContent: thread.new ? "new answer" : thread.state });
      return make("li", {}, go, ` ${thread.kind.toLowerCase()} `, state);
    });
    const text = lines.map((line) => line.textContent).join("\n");
    if (this.listed?.dataset.text !== text) {
      this.listed = make("ul", { className: "thread-list", ariaLabel: "Your questions and flags" }, ...lines);
      this.listed.dataset.text = text;
    }
    return lines.length ? this.listed : null;
  }

  #askDraft(step) {
    return new Draft(`${this.data.user}:${this.data.annotation}:${step ?? ""}`);
  }

  #replyDraft(thread) {
    return new Draft(`${this.data.user}:thread:${thread}`);
  }

  #formAt(step) {
    const form = new DraftForm({
      name: step === null ? "Ask or flag about the whole item" : `Ask or flag at step ${this.steps.numberOf(step)}`,
      draft: this.#askDraft(step),
      kinds: KINDS,
      send: (facts) => post(`${this.data.here}ask`, { ...facts, step }),
      onSent: (data, facts) => {
        this.asking.delete(step);
        this.#back(step);
        this.#arrived(data, facts, "Sent. The answer will stand here.");
      },
      onClose: () => {
        this.asking.delete(step);
        this.#paint(step);
        this.#back(step);
      },
      signIn: (element, again) => this.#signIn(element, again),
    });
    this.asking.set(step, form);
    return form;
  }

  #reply(thread) {
    const form = this.replying.get(thread) ?? this.#replyForm(thread);
    this.#paintOf(thread);
    reveal(form.element);
    form.focus();
  }

  #replyForm(thread) {
    const leave = () => {
      this.replying.delete(thread);
      this.#paintOf(thread);
      this.boxes.get(thread).article.focus({ preventScroll: true });
    };
    const form = new DraftForm({
      name: "Reply",
      draft: this.#replyDraft(thread),
      send: (facts) => post(`${this.data.here}reply`, { ...facts, thread }),
      onSent: (data, facts) => {
        leave();
        this.#arrived(data, facts, "Sent.");
      },
      onClose: leave,
      signIn: (element, again) => this.#signIn(element, again),
    });
    this.replying.set(thread, form);
    return form;
  }

  // A first answer may have been lost on its way, and the words changed since: those are said as well, not instead.
  #arrived({ thread, said }, { text }, word) {
    this.#replace(thread);
    if (said === text) return this.tell(word);
    this.#replyDraft(thread.id).put({ text });
    this.#reply(thread.id);
    return this.tell("Your first words had arrived already. What you changed since is here, as a reply.");
  }

  async #close(thread, article) {
    if ("new" in article.dataset) await this.seen.read(article);
    const { kind, data } = await post(`${this.data.here}close`, { thread });
    if (kind === "done") this.#replace(data.thread);
    else this.tell("Not closed: the server cannot be reached or has signed you out.");
  }

  #replace(thread) {
    this.threads = [...this.threads.filter(({ id }) => id !== thread.id), thread].sort((one, other) => one.id - other.id);
    this.#paint(thread.step);
    this.#paint(null);
    this.channel?.postMessage("changed");
  }

  #paintOf(thread) {
    this.#paint(this.threads.find(({ id }) => id === thread).step);
  }

  #back(step) {
    if (step === null) slotOf(null).querySelector("[data-ask]").focus();
    else this.steps.focus(step, { scroll: false });
  }

  // Another tab of this browser typed on a draft, sent it, or gave it up.
  #elsewhere({ key, oldValue, newValue }) {
    if (!Draft.named(key)) return null;
    const named = ([, form]) => form.draft.name === key;
    const [place, form] = [...this.asking].find(named) ?? [...this.replying].find(named) ?? [];
    if (!form) return this.#paintAll();
    if (newValue !== null) return form.read();
    if (form.area.value !== JSON.parse(oldValue ?? "{}").text) return form.draft.put(form.facts);
    if (this.asking.get(place) === form) this.asking.delete(place);
    else this.replying.delete(place);
    return this.#paintAll();
  }

  // The page's own way of signing in, once more, where the words wait; unless the page shows it already.
  #signIn(element, again) {
    const original = document.querySelector(".head [data-login]");
    if (!original.hidden || element.signingIn) return;
    const form = original.cloneNode(true);
    const sender = Object.assign(new EventTarget(), {
      status: "expired",
      kick: () => {
        element.signingIn = null;
        form.remove();
        again();
      },
    });
    new Login({ form, sender, url: this.data.login, username: this.data.username });
    sender.dispatchEvent(new Event("status"));
    element.signingIn = form;
    element.after(form);
  }
}

/** The element's children are these, in this order; those that are there already are not touched. */
function place(parent, nodes) {
  for (const child of [...parent.children]) if (!nodes.includes(child)) child.remove();
  nodes.forEach((node, at) => parent.children[at] === node || parent.insertBefore(node, parent.children[at] ?? null));
}
