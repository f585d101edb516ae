"""Sequences of actions side by side: which steps are the same, and where each goes another way than the first.

Nothing here touches the database. Keys are compared as they are; an empty key is equal to none.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import isqrt

NONE = -1
MOST = 30_000  # steps of a column that are looked at beyond what both begin and end with
Pair = tuple[int, int]


@dataclass(frozen=True)
class Alignment:
    """`columns[c][row]` is the place of column c's step in that row; NONE where it has none.

    `partings[c]` is the first row in which column c does otherwise than the first one, None where it never does.
    `divergences` are the rows in which some column leaves the first, again and again, in order. `whole` is false where
    a column was too long to be looked at to its end.
    """

    columns: tuple[array[int], ...]
    partings: tuple[int | None, ...]
    divergences: array[int]
    whole: bool = True

    @property
    def rows(self) -> int:
        return len(self.columns[0])


def align(columns: Sequence[Sequence[str]]) -> Alignment:
    """Each column against the first: equal keys share a row, in order, as many as can. What stands between two shared
    rows stands side by side there, and what one has more than the first in rows of its own."""
    first, *others = columns
    placed, spare, whole = [], [], True
    for other in others:
        pairs, all_of_it = common(first, other)
        whole &= all_of_it
        beside, extra = _against(pairs, len(first), len(other))
        placed.append(beside)
        spare.append(extra)
    rows = _rows(len(first), placed, spare)
    apart = [_apart(columns[0], other, rows[0], row) for other, row in zip(others, rows[1:], strict=True)]
    partings = (None, *(next((row for row, one in enumerate(flags) if one), None) for flags in apart))
    return Alignment(tuple(rows), partings, _divergences(apart), whole)


def same_beginning(columns: Sequence[Sequence[str]]) -> int:
    """How many steps from the start are equal in all columns."""
    equal = (bool(keys[0]) and len(set(keys)) == 1 for keys in zip(*columns, strict=False))
    return sum(1 for _ in takewhile(bool, equal))


def common(first: Sequence[str], other: Sequence[str]) -> tuple[list[Pair], bool]:
    """The places of a longest common subsequence, in order, and whether all was looked at: what both begin and end
    with always is; of what lies between, at most MOST steps of each that the other has as well."""
    length = min(len(first), len(other))
    start = sum(1 for _ in takewhile(lambda at: first[at] and first[at] == other[at], range(length)))
    ends = takewhile(lambda at: first[-at] and first[-at] == other[-at], range(1, length - start + 1))
    end = sum(1 for _ in ends)
    shared = (set(first[start : len(first) - end]) & set(other[start : len(other) - end])) - {""}
    left = [at for at in range(start, len(first) - end) if first[at] in shared]
    right = [at for at in range(start, len(other) - end) if other[at] in shared]
    middle = _longest([first[at] for at in left[:MOST]], [other[at] for at in right[:MOST]])
    pairs = [
        *((at, at) for at in range(start)),
        *((left[a], right[b]) for a, b in middle),
        *((len(first) - at, len(other) - at) for at in range(end, 0, -1)),
    ]
    return pairs, max(len(left), len(right)) <= MOST


def _longest(first: Sequence[str], other: Sequence[str]) -> list[Pair]:
    """A longest common subsequence by rows of bits: bit i of a row is 0 where the i-th key of `first` makes the
    subsequence longer (Hyyrö 2004). Every so many rows one is kept; those between are made again on the way back."""
    masks: dict[str, int] = {}
    for at, key in enumerate(first):
        masks[key] = masks.get(key, 0) | 1 << at
    pairs: list[Pair] = []
    column = len(first) - 1
    for start, rows in _backwards(masks, len(first), other):
        row = len(rows) - 1
        while row > 0 and column >= 0:
            if rows[row] >> column & 1:
                column -= 1
            else:
                row -= 1
                if rows[row] >> column & 1:
                    pairs.append((column, start + row))
                    column -= 1
    return pairs[::-1]


def _backwards(masks: dict[str, int], width: int, other: Sequence[str]) -> Iterator[tuple[int, list[int]]]:
    """The rows in blocks, the last block first: (place of the block in `other`, the row before it and its own)."""
    block = isqrt(len(other)) + 1
    kept = [row := (1 << width) - 1]
    for at, key in enumerate(other, start=1):
        row = _next(row, masks.get(key, 0), width)
        if at % block == 0:
            kept.append(row)
    for number in reversed(range(len(kept))):
        rows = [kept[number]]
        for key in other[number * block : (number + 1) * block]:
            rows.append(_next(rows[-1], masks.get(key, 0), width))
        yield number * block, rows


def _next(row: int, mask: int, width: int) -> int:
    hits = row & mask
    return ((row + hits) | (row - hits)) & ((1 << width) - 1)


def _against(pairs: Sequence[Pair], length: int, other: int) -> tuple[array[int], dict[int, range]]:
    """Place in the first → place of the other beside it; and before which place of the first it has more steps."""
    beside, extra = array("i", [NONE]) * length, {}
    a, b = 0, 0
    for i, j in (*pairs, (length, other)):
        shared = min(i - a, j - b)
        beside[a : a + shared] = array("i", range(b, b + shared))
        if b + shared < j:
            extra[i] = range(b + shared, j)
        if i < length:
            beside[i] = j
        a, b = i + 1, j + 1
    return beside, extra


def _rows(length: int, placed: Sequence[array[int]], spare: Sequence[dict[int, range]]) -> list[array[int]]:
    """The columns, with empty places where others have more."""
    rows = [array("i") for _ in range(len(placed) + 1)]
    done = 0
    for place in sorted({place for one in spare for place in one} | {length}):
        rows[0].extend(range(done, place))
        for row, beside, extra in zip(rows[1:], placed, spare, strict=True):
            row.extend(beside[done:place])
            row.extend(extra.get(place, ()))
        tallest = max(map(len, rows))
        for row in rows:
            row.extend([NONE] * (tallest - len(row)))
        done = place
    return rows


def _apart(first: Sequence[str], other: Sequence[str], left: array[int], right: array[int]) -> bytearray:
    """For each row whether the other does otherwise there; a row that neither has is like the one before."""
    flags = bytearray(len(left))
    before = False
    for row, (a, b) in enumerate(zip(left, right, strict=True)):
        if a != NONE or b != NONE:
            before = NONE in (a, b) or not first[a] or first[a] != other[b]
        flags[row] = before
    return flags


def _divergences(apart: Sequence[bytearray]) -> array[int]:
    found = {row for flags in apart for row, one in enumerate(flags) if one and not (row and flags[row - 1])}
    return array("i", sorted(found))
