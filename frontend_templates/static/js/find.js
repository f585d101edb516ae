// Finding text in the trajectory. Hits are painted as highlights: the page's text itself stays as it is.
import { fragment } from "./doors.js";

const LIMIT = 5000; // hits after which nobody counts on

export class Find {
  constructor({ form, list, url, tell }) {
    Object.assign(this, { form, list, url, tell, hits: [], place: -1 });
    this.input = form.querySelector("input");
    this.count = form.querySelector("output");
    this.input.addEventListener("input", () => this.search());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.next(1);
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
      if (event.key === "Enter" && event.shiftKey) {
        event.preventDefault();
        this.next(-1);
      }
    });
    form.querySelector("[data-find-close]").addEventListener("click", () => this.close());
  }

  open() {
    this.back = document.activeElement;
    this.form.hidden = false;
    this.input.select();
    this.input.focus();
    this.search();
  }

  close() {
    this.form.hidden = true;
    this.#paint([]);
    this.back?.focus({ preventScroll: true });
  }

  search() {
    const wanted = this.input.value.toLowerCase();
    this.hits = wanted ? [...this.#hitsOf(wanted)] : [];
    this.place = -1;
    this.#paint(this.hits);
    this.count.textContent = wanted ? (this.hits.length ? `${this.hits.length} found` : "Nothing found") : "";
    if (wanted) this.#lookInCut(wanted);
  }

  next(direction) {
    if (!this.hits.length) return;
    this.place = (this.place + direction + this.hits.length) % this.hits.length;
    const range = this.hits[this.place];
    const element = range.startContainer.parentElement;
    element.closest("[data-folded]")?.querySelector("[data-fold]").click();
    const { top } = range.getBoundingClientRect();
    scrollBy({ top: top - innerHeight / 3 });
    this.count.textContent = `${this.place + 1} of ${this.hits.length}`;
    if (window.Highlight) CSS.highlights.set("found-here", new Highlight(range));
  }

  *#hitsOf(wanted) {
    let count = 0;
    for (const text of this.list.querySelectorAll("pre.text, code.name")) {
      const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const body = node.data.toLowerCase();
        if (body.length !== node.data.length) continue; // lower case moved the places
        for (let at = body.indexOf(wanted); at >= 0; at = body.indexOf(wanted, at + wanted.length)) {
          if (++count > LIMIT) return;
          const range = new Range();
          range.setStart(node, at);
          range.setEnd(node, at + wanted.length);
          yield range;
        }
      }
    }
  }

  // Texts that are cut in the page are searched whole by the server.
  #lookInCut(wanted) {
    clearTimeout(this.asking);
    if (!this.list.querySelector("[data-cut]")) return;
    this.asking = setTimeout(async () => {
      const html = await fragment(`${this.url}?q=${encodeURIComponent(wanted)}`);
      if (html === null || this.input.value.toLowerCase() !== wanted || this.form.hidden) return;
      const { hits } = JSON.parse(html);
      if (hits.length) this.count.textContent += ` in ${hits.length} steps`;
    }, 250);
  }

  #paint(hits) {
    if (!window.Highlight) return;
    CSS.highlights.set("found", new Highlight(...hits));
    CSS.highlights.delete("found-here");
  }
}
