// Spans as highlights of the browser: drawn over the text without touching it, for the cards that are in the page. Each type
// has a line of its own kind, so that they are told apart without colour; where two of a type overlap the ground is darker.
import { overlap } from "./spans-value.js";

const STYLES = 8; // css/fields-more.css has as many
const can = typeof window.Highlight === "function";

function highlight(name, priority) {
  if (!can) return null;
  if (!CSS.highlights.has(name)) {
    const made = new Highlight();
    made.priority = priority;
    CSS.highlights.set(name, made);
  }
  return CSS.highlights.get(name);
}

/** What one field has drawn, by name of the highlight. */
export class Drawn {
  constructor() {
    this.held = [];
  }

  /** Draw these spans ({type, part, start, end}) of a field anew. `written(part)` is the text as it stands in the page. */
  draw(spans, types, written) {
    this.clear();
    spans.forEach((span, place) => {
      const style = types.findIndex(({ value }) => value === span.type) % STYLES;
      this.#add(`span-${style}`, style, written(span.part)?.rangesOf(span.start, span.end));
      for (const other of spans.slice(0, place)) {
        if (other.type !== span.type || !overlap(other, span)) continue;
        this.#add("span-twice", STYLES, written(span.part)?.rangesOf(Math.max(span.start, other.start), Math.min(span.end, other.end)));
      }
    });
  }

  /** Set off one more stretch: what is chosen, what speaks for it, what is being marked. */
  point(name, ranges) {
    this.#add(name, STYLES + 1, ranges);
  }

  clear() {
    for (const [name, range] of this.held) highlight(name, 0)?.delete(range);
    this.held = [];
  }

  #add(name, priority, ranges = []) {
    const to = highlight(name, priority);
    for (const range of to ? ranges : []) {
      to.add(range);
      this.held.push([name, range]);
    }
  }
}

/** Which style of line a type has. */
export const styleOf = (types, value) => types.findIndex((type) => type.value === value) % STYLES;
