// Places in a text as it was written, and where they are on the page. A hidden character is a mark there, and one here.

/**
 * The range that holds `length` characters from `offset` on, counted in characters (not UTF-16 units) from the beginning of
 * `root`, which shows a text as it was written. Null where the text ends before.
 */
export function rangeOf(root, offset, length) {
  const range = new Range();
  let [at, begun] = [0, false];
  for (const { node, size, mark } of pieces(root)) {
    if (!begun && at + size > offset) {
      if (mark) range.setStartBefore(node);
      else range.setStart(node, units(node.data, offset - at));
      begun = true;
    }
    if (begun && at + size >= offset + length) {
      if (mark) range.setEndAfter(node);
      else range.setEnd(node, units(node.data, offset + length - at));
      return range;
    }
    at += size;
  }
  if (!begun) return null;
  range.setEnd(root, root.childNodes.length);
  return range;
}

/** The line of that number, counted from 0, as a range; the last one where there are fewer. */
export function lineOf(root, number) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const range = new Range();
  range.setStart(root, 0);
  for (let node = walker.nextNode(), left = number; node; node = walker.nextNode()) {
    for (let at = node.data.indexOf("\n"); at >= 0; at = node.data.indexOf("\n", at + 1)) {
      if (left === 0) {
        range.setEnd(node, at);
        return range;
      }
      left -= 1;
      if (left === 0) range.setStart(node, at + 1);
    }
  }
  range.setEnd(root, root.childNodes.length);
  return range;
}

/** The text nodes and marks of a text as it was written, in order: {node, mark, size}, size in characters. */
export function* pieces(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT, (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.parentElement.matches(".hidden-character") ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT;
    if (node.matches("[data-beside]")) return NodeFilter.FILTER_REJECT; // controls between sentences are none of the text
    return node.matches(".hidden-character") ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP;
  });
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const mark = node.nodeType === Node.ELEMENT_NODE;
    yield { node, mark, size: mark ? Number(node.dataset.count ?? 1) : characters(node.data) };
  }
}

const PAIR = /[\ud800-\udbff][\udc00-\udfff]/g;

/** How many characters a string has: code points, not UTF-16 units. */
export function characters(text) {
  return text.length - (text.match(PAIR)?.length ?? 0);
}

/** How many UTF-16 units the first `count` characters take. */
export function units(text, count) {
  if (text.search(PAIR) < 0) return count;
  let at = 0;
  for (let left = count; left > 0 && at < text.length; left--) at += text.codePointAt(at) > 0xffff ? 2 : 1;
  return at;
}
