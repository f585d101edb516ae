// Where characters of a text stand on the page, and which characters a place on the page is, both ways. Characters are code
// points of the text as it was imported; a place is known only where the text stands as it was written.
import { characters, pieces, units } from "../text-places.js";

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const WORDS = new Intl.Segmenter(undefined, { granularity: "word" });
const AROUND = 300; // characters looked at to find the next place a caret can have

/** One stretch of a text that stands in the page as it was written: `root` shows it, from the character `base` on. */
class Stretch {
  constructor(root, base) {
    Object.assign(this, { root, base, list: [] });
    let at = base;
    for (const { node, mark, size } of pieces(root)) {
      this.list.push({ node, mark, from: at, to: at + size });
      at += size;
    }
    this.end = at;
  }

  rangeOf(start, end) {
    const range = new Range();
    const [first, last] = [this.#holding(start), this.#holding(end - 1)];
    if (first.mark) range.setStartBefore(first.node);
    else range.setStart(first.node, units(first.node.data, start - first.from));
    if (last.mark) range.setEndAfter(last.node);
    else range.setEnd(last.node, units(last.node.data, end - last.from));
    return range;
  }

  /** A place in the page as a character; inside a mark, of its end where `upward`. */
  characterAt(node, offset, upward) {
    const spot = new Range();
    spot.setStart(node, offset);
    let [low, high] = [0, this.list.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const piece = this.list[middle];
      const side = piece.node === node ? 0 : this.#compare(spot, piece);
      if (side === 0) return this.#within(piece, node, offset, upward);
      if (side < 0) high = middle - 1;
      else low = middle + 1;
    }
    return this.list[low]?.from ?? this.end;
  }

  text(start, end) {
    let found = "";
    for (const { node, mark, from, to } of this.list) {
      if (to <= start || from >= end) continue;
      const [one, other] = [Math.max(start, from) - from, Math.min(end, to) - from];
      found += mark ? "\u0000".repeat(other - one) : node.data.slice(units(node.data, one), units(node.data, other));
    }
    return found;
  }

  #holding(character) {
    let [low, high] = [0, this.list.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.list[middle].to <= character) low = middle + 1;
      else high = middle;
    }
    return this.list[low];
  }

  // -1 before the piece, 1 behind it, 0 inside.
  #compare(spot, { node }) {
    const whole = new Range();
    whole.selectNode(node);
    if (spot.compareBoundaryPoints(Range.START_TO_START, whole) <= 0) return -1;
    whole.collapse(false);
    return spot.compareBoundaryPoints(Range.START_TO_START, whole) >= 0 ? 1 : 0;
  }

  #within({ node, mark, from, to }, container, offset, upward) {
    if (mark) return upward ? to : from;
    if (container !== node) return upward ? to : from;
    const unit = /[\udc00-\udfff]/.test(node.data[offset] ?? "") && /[\ud800-\udbff]/.test(node.data[offset - 1] ?? "") ? offset + (upward ? 1 : -1) : offset;
    return from + characters(node.data.slice(0, unit));
  }
}

/** A text of a step, in its block: what of it stands in the page as it was written. Made anew when another text stands there. */
export class Written {
  constructor(block, texts) {
    Object.assign(this, { block, big: texts.bigs.get(block) });
    this.stretches = rootsOf(block, this.big).map(([root, base]) => new Stretch(root, base));
  }

  get isExact() {
    return this.stretches.length > 0;
  }

  /** How many characters the text has; as far as it is in the page. */
  get end() {
    return this.big?.characters ?? this.stretches.at(-1)?.end ?? 0;
  }

  /** The ranges that show these characters, where they are in the page. */
  rangesOf(start, end) {
    const here = this.stretches.map((one) => [one, Math.max(start, one.base), Math.min(end, one.end)]);
    return here.filter(([, from, to]) => from < to).map(([one, from, to]) => one.rangeOf(from, to));
  }

  /** {start, end} of a range of the page; null where it does not begin and end in this text as it was written. */
  placeOf(range) {
    const start = this.characterAt(range.startContainer, range.startOffset, false);
    const end = this.characterAt(range.endContainer, range.endOffset, !range.collapsed);
    return start === null || end === null || end < start ? null : { start, end };
  }

  characterAt(node, offset, upward) {
    const stretch = this.stretches.find(({ root }) => root.contains(node)) ?? this.#edge(node, offset, upward);
    return stretch ? stretch.characterAt(node, offset, upward) : null;
  }

  /** The characters themselves, hidden ones as NUL; what is not in the page is left out. */
  text(start, end) {
    return this.stretches.map((one) => one.text(Math.max(start, one.base), Math.min(end, one.end))).join("");
  }

  /** The place of a caret after `at` (before it, where `by` is -1), by "character" as people count them, or by "word". */
  moved(at, by, unit) {
    const [from, to] = by > 0 ? [at, Math.min(this.end, at + AROUND)] : [Math.max(0, at - AROUND), at];
    const text = this.text(from, to);
    const found = [...(unit === "word" ? WORDS : GRAPHEMES).segment(text)].map(({ index, segment, isWordLike }) => ({ from: index, to: index + segment.length, stop: unit !== "word" || isWordLike }));
    const stop = by > 0 ? found.find((one) => one.stop)?.to : found.findLast((one) => one.stop)?.from;
    if (stop === undefined) return by > 0 ? to : from;
    return from + characters(text.slice(0, stop));
  }

  // A selection may end just outside of the text: at the element around it.
  #edge(node, offset, upward) {
    const shown = this.block.querySelector(":scope > .shown");
    if (!shown?.contains(node) || !this.isExact) return null;
    const spot = new Range();
    spot.setStart(node, offset);
    const behind = this.stretches.filter(({ root }) => spot.comparePoint(root, 0) < 0);
    return upward ? (behind.at(-1) ?? null) : (this.stretches[behind.length] ?? this.stretches.at(-1));
  }
}

function rootsOf(block, big) {
  if (big) return big.pieces.map((piece, place) => [piece.querySelector("pre"), big.at[big.first + place][0]]).filter(([root]) => root);
  const shown = block.querySelector(":scope > .shown");
  const root = shown && "exact" in shown.dataset && shown.querySelector("pre");
  return root ? [[root, 0]] : [];
}
