// A scheme as a label page shows it, over its sample: the same controls and rules, and nothing is sent anywhere.
import { Controls } from "./controls.js";
import { Store } from "./store.js";
import { rangeOf } from "./text-places.js";

/** In place of the queue to a server: what is said stays on the page. */
class Nowhere extends EventTarget {
  ops = [];
  add() {}
  remove() {}
  update() {}
}

/** The texts of the sample, as reading.js has those of a pass. They are whole, and where one marks in them as written. */
class Texts extends EventTarget {
  bigs = new WeakMap();

  constructor(root) {
    super();
    this.root = root;
  }

  block(step, part) {
    return this.root.querySelector(`.block[data-of="${step}"][data-part="${CSS.escape(part)}"]`);
  }

  async showOffset(step, part, offset, length) {
    const written = this.block(step, part)?.querySelector("[data-exact] pre");
    return written ? rangeOf(written, offset, length) : null;
  }

  asWritten() {}
}

/** Draws into `root`; `data` is what views/scheme_preview.py says of the scheme. */
export class Preview {
  constructor(root, tell = () => {}) {
    this.root = root;
    this.texts = new Texts(root);
    this.tell = tell;
    this.current = null; // the step that was last worked on
    root.addEventListener("focusin", ({ target }) => (this.current = stepOf(target.closest("[data-step]")) ?? this.current));
  }

  /** The fragment the server drew, and what it was drawn of. */
  show(html, data) {
    const top = this.root.scrollTop;
    const drawn = new DOMParser().parseFromString(html, "text/html"); // the server escaped it
    this.root.replaceChildren(...drawn.body.childNodes);
    this.root.scrollTop = top;
    this.begin(data);
  }

  /** Bring what is drawn to life. */
  begin(data) {
    const { scheme, keys } = data;
    const steps = data.steps.flatMap(([first, stride, count]) => Array.from({ length: count }, (_, place) => first + stride * place));
    this.store = Object.assign(new Store({ scheme, propagation: data.propagation, outbox: new Nowhere() }), { parts: data.parts ?? {}, items: data.items ?? {} });
    const keysOf = (name) => keys.find((row) => row.name === name || row.name === `${scheme.name}/${name}`)?.keys;
    const numberOf = (step) => steps.indexOf(step) + 1;
    const desk = this.#desk(steps, numberOf);
    this.places = new Map();
    for (const root of this.root.querySelectorAll("[data-step]")) {
      const step = stepOf(root);
      this.places.set(step, new Controls({ root, step, store: this.store, numberOf, keysOf, desk, closed: false, onAccept: () => {} }));
    }
    this.store.addEventListener("change", () => this.#paint());
    this.store.begin({ steps, state: data.state });
  }

  // What the fields know of the page around them.
  #desk(steps, numberOf) {
    const { root, texts, tell } = this;
    const card = (step) => root.querySelector(`[data-step="${step}"]`);
    const at = () => this.current;
    return {
      texts, tell, say: tell,
      feed: { root, card, bring: async () => {} },
      steps: { has: (step) => steps.includes(step), numberOf, focus: () => {}, get current() { return at(); } },
    };
  }

  #paint() {
    for (const one of this.places.values()) one.paintAll();
    for (const place of this.root.querySelectorAll("[data-place]")) this.#told(place);
  }

  // What would be stored of the place, as JSON.
  #told(place) {
    const step = stepOf(place);
    const said = [...this.store.view.fields].filter(([, labels]) => labels.has(step)).map(([field, labels]) => [field, labels.get(step).value]);
    const box = place.querySelector("[data-stored]");
    box.hidden = said.length === 0;
    box.textContent = said.map(([field, value]) => `${field}: ${JSON.stringify(value)}`).join("\n");
  }
}

function stepOf(place) {
  const { step = place?.dataset.place } = place?.dataset ?? {};
  return step === undefined ? undefined : step === "" ? null : Number(step);
}
