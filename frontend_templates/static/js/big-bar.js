// What stands above a long text: where one is in it, going to a line or an end, finding, taking it away as a file.
import { get } from "./doors.js";
import { make } from "./dialogs.js";

const button = (text, run) => {
  const made = make("button", { type: "button", className: "small", textContent: text });
  made.addEventListener("click", run);
  return made;
};

export function bigBar(text, { tell }) {
  const bar = make("div", { className: "big-bar", role: "group", ariaLabel: "In this text" });
  const count = new Intl.NumberFormat();
  const where = make("span", { className: "muted" });
  let waiting = null;
  const say = () => {
    waiting = null;
    where.textContent = `about line ${count.format(text.line)} of ${count.format(text.lines)}`;
  };
  text.addEventListener("moved", () => (waiting ??= requestAnimationFrame(say)));
  const file = make("a", { href: `${text.door}?raw`, textContent: "As a file" });
  bar.append(where, button("Start", () => text.start()), button("End", () => text.end()), lineForm(text), findForm(text, tell), file);
  say();
  return bar;
}

function lineForm(text) {
  const input = make("input", { type: "number", min: 1, max: text.lines, required: true });
  const form = make("form", {}, make("label", { textContent: "Line " }, input), make("button", { className: "small", textContent: "Go" }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    text.goToLine(Number(input.value));
  });
  return form;
}

function findForm(text, tell) {
  const input = make("input", { type: "search", required: true, autocomplete: "off", spellcheck: false });
  const output = make("output", {});
  const form = make("form", { role: "search" }, make("label", { textContent: "Find here " }, input), make("button", { className: "small", textContent: "Next" }), output);
  const finder = new Finder(text, output, tell);
  input.addEventListener("input", () => (output.textContent = ""));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    finder.next(input.value);
  });
  return form;
}

/** Goes from hit to hit. The server says where they are, up to a thousand at a time. */
class Finder {
  constructor(text, output, tell) {
    Object.assign(this, { text, output, tell, wanted: "", hits: [], place: -1, from: 0 });
  }

  async next(wanted) {
    if (wanted !== this.wanted) Object.assign(this, { wanted, hits: [], place: -1, from: 0 });
    if (this.place + 1 >= this.hits.length && this.from !== null && !(await this.#more())) return this.tell("The server is away.");
    if (!this.hits.length) return (this.output.textContent = "Nothing found");
    this.place = (this.place + 1) % this.hits.length;
    this.output.textContent = `${this.place + 1} of ${this.hits.length}${this.from === null ? "" : " or more"}`;
    const range = await this.text.show(this.hits[this.place], [...wanted].length);
    if (range && window.Highlight) CSS.highlights.set("found-here", new Highlight(range));
    return undefined;
  }

  // The next hits; a search that ran out of time goes on until there is one.
  async #more() {
    const known = this.hits.length;
    while (this.from !== null && this.hits.length === known) {
      const { kind, data } = await get(`${this.text.door}?find=${encodeURIComponent(this.wanted)}&from=${this.from}`);
      if (kind !== "done") return false;
      this.hits.push(...data.hits);
      this.from = data.next;
    }
    return true;
  }
}
