// What changed between two texts, word by word.

const MOST = 4_000_000; // comparisons beyond which what lies between the common ends counts as changed whole

const wordsOf = (text) => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];

/** Pieces {kind: "same", "gone" or "new", text} that, read in order, make the one or the other. */
export function differences(before, after) {
  const [one, other] = [wordsOf(before), wordsOf(after)];
  const start = common(one, other);
  const end = common(one.slice(start).reverse(), other.slice(start).reverse());
  const [gone, come] = [one.slice(start, one.length - end), other.slice(start, other.length - end)];
  const middle = gone.length * come.length > MOST ? [["gone", gone], ["new", come]] : [...between(gone, come)];
  return joined([["same", one.slice(0, start)], ...middle, ["same", one.slice(one.length - end)]]);
}

function common(one, other) {
  let count = 0;
  while (count < one.length && count < other.length && one[count] === other[count]) count += 1;
  return count;
}

// The longest common row of words, by the table of its lengths from each pair of places on.
function* between(one, other) {
  const width = other.length + 1;
  const lengths = new Uint32Array((one.length + 1) * width);
  for (let row = one.length - 1; row >= 0; row--) {
    for (let column = other.length - 1; column >= 0; column--) {
      const here = row * width + column;
      lengths[here] = one[row] === other[column] ? lengths[here + width + 1] + 1 : Math.max(lengths[here + width], lengths[here + 1]);
    }
  }
  let [row, column] = [0, 0];
  while (row < one.length || column < other.length) {
    const here = row * width + column;
    if (row < one.length && column < other.length && one[row] === other[column]) {
      yield ["same", one[row]];
      row += 1;
      column += 1;
    } else if (column === other.length || (row < one.length && lengths[here + width] >= lengths[here + 1])) yield ["gone", one[row++]];
    else yield ["new", other[column++]];
  }
}

function joined(pieces) {
  const found = [];
  for (const [kind, words] of pieces) {
    const text = [].concat(words).join("");
    if (!text) continue;
    if (found.at(-1)?.kind === kind) found.at(-1).text += text;
    else found.push({ kind, text });
  }
  return found;
}
