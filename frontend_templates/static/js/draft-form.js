// A small form for words that must not be lost on their way.
import { make } from "./dialogs.js";

const TROUBLE = {
  away: "Not sent: the server cannot be reached. Your words are kept in this browser.",
  expired: "Not sent: you are signed out. Your words are kept in this browser.",
  gone: "Not sent: this is not yours to open any more. Your words are kept in this browser.",
};

/**
 * `kinds` are [value, title] to choose from, none for a reply. `send(facts)` resolves to an answer of doors.js,
 * `onSent(data, facts)` is told of one that arrived, `onClose()` of a form that was left; `signIn(form, again)` helps
 * with a session that ended.
 */
export class DraftForm {
  constructor({ name, draft, kinds = [], send, onSent, onClose, signIn }) {
    Object.assign(this, { draft, kinds, send, onSent, onClose, signIn, busy: false });
    this.area = make("textarea", { rows: 3, maxLength: 10_000, ariaLabel: name });
    this.line = make("p", { className: "trouble-line" });
    this.line.setAttribute("role", "status");
    this.button = make("button", { className: "primary small", textContent: "Send" });
    this.discard = make("button", { type: "button", className: "quiet", textContent: "Discard", onclick: () => this.#leave(true) });
    this.element = this.#build(name);
    this.read();
  }

  get facts() {
    const kind = this.element.querySelector("input:checked")?.value;
    return { text: this.area.value, ...(kind && { kind }) };
  }

  /** Show what is kept: one draft for all tabs of this browser. */
  read() {
    const kept = this.draft.facts;
    const text = kept?.text ?? "";
    if (this.area.value !== text) this.area.value = text; // else the caret stays where it is
    for (const radio of this.element.querySelectorAll("input")) radio.checked = radio.value === (kept?.kind ?? this.kinds[0][0]);
    this.discard.hidden = !this.area.value;
  }

  focus() {
    this.area.focus({ preventScroll: true });
  }

  /** Send what is written. What is sent twice is said once: it has one key. */
  async submit() {
    if (this.busy) return;
    if (!this.area.value.trim()) return this.#refuse("Write something first.");
    this.draft.put(this.facts);
    const facts = { ...this.facts, text: this.area.value.trim(), key: this.draft.facts.key };
    this.#work(true);
    const { kind, data } = await this.send(facts);
    this.#work(false);
    if (kind !== "done") return this.#failed(kind, data);
    this.draft.sent(facts);
    return this.onSent(data, facts);
  }

  #build(name) {
    const cancel = make("button", { type: "button", className: "small", textContent: "Cancel", onclick: () => this.#leave(false) });
    const hint = make("span", { className: "muted small hint" }, make("kbd", { textContent: "Ctrl" }), "+", make("kbd", { textContent: "Enter" }), " sends");
    const actions = make("div", { className: "actions" }, this.button, cancel, this.discard, hint);
    const form = make("form", { className: "words-form", ariaLabel: name }, ...this.#choice(name), this.area, this.line, actions);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    form.addEventListener("input", () => {
      this.draft.put(this.facts);
      this.discard.hidden = !this.area.value;
      if (this.line.dataset.refused !== undefined) this.#say("");
    });
    form.addEventListener("keydown", (event) => this.#key(event));
    return form;
  }

  #choice(name) {
    if (!this.kinds.length) return [];
    const group = `kind ${this.draft.name}`;
    const labels = this.kinds.map(([value, title]) => make("label", {}, make("input", { type: "radio", name: group, value }), ` ${title}`));
    return [make("fieldset", { className: "kinds" }, make("legend", { className: "visually-hidden", textContent: name }), ...labels)];
  }

  // The page has other plans with these keys.
  #key(event) {
    if (event.isComposing) return;
    const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (!sends && event.key !== "Escape") return;
    event.preventDefault();
    if (sends) this.submit();
    else this.#leave(false);
  }

  #leave(discarding) {
    if (discarding) {
      this.draft.drop();
      this.area.value = "";
    }
    this.onClose();
  }

  #failed(kind, data) {
    this.#say(TROUBLE[kind] ?? `Not accepted: ${data?.error ?? kind}`);
    this.button.textContent = "Send again";
    if (kind === "expired") this.signIn(this.element, () => this.submit());
  }

  #refuse(text) {
    this.#say(text);
    this.line.dataset.refused = "";
    this.focus();
  }

  #work(busy) {
    this.busy = busy;
    this.button.disabled = this.area.readOnly = busy;
    if (busy) this.#say("Sending…");
  }

  #say(text) {
    delete this.line.dataset.refused;
    this.line.textContent = text;
  }
}
