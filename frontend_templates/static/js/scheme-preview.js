// A scheme as a label page shows it, over its sample: the same controls and rules, and nothing is sent anywhere.
import { Controls } from "./controls.js";
import { Store } from "./store.js";

/** In place of the queue to a server: what is said stays on the page. */
class Nowhere extends EventTarget {
  ops = [];
  add() {}
  remove() {}
  update() {}
}

/** Draws into `root`; `data` is what views/scheme_preview.py says of the scheme. */
export class Preview {
  constructor(root) {
    this.root = root;
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
    this.places = new Map();
    for (const root of this.root.querySelectorAll("[data-step]")) {
      const step = root.dataset.step === "" ? null : Number(root.dataset.step);
      this.places.set(step, new Controls({ root, step, store: this.store, numberOf, keysOf, closed: false, onAccept: () => {} }));
    }
    this.store.addEventListener("change", () => this.#paint());
    this.store.begin({ steps, state: data.state });
  }

  #paint() {
    for (const one of this.places.values()) one.paintAll();
    for (const place of this.root.querySelectorAll("[data-place]")) this.#told(place);
  }

  // What would be stored of the place, as JSON.
  #told(place) {
    const step = place.dataset.place === "" ? null : Number(place.dataset.place);
    const said = [...this.store.view.fields].filter(([, labels]) => labels.has(step)).map(([field, labels]) => [field, labels.get(step).value]);
    const box = place.querySelector("[data-stored]");
    box.hidden = said.length === 0;
    box.textContent = said.map(([field, value]) => `${field}: ${JSON.stringify(value)}`).join("\n");
  }
}
