"""Where the boxes of a picture of ways stand: in columns from left to right, as time goes, in units of the picture.

A box stands right of all that lead forward to it. Of two boxes the one that rollouts come to earlier on average is the
earlier one, so a way back, as where a rollout repeats itself, is a line that goes left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, ACROSS = 124, 52  # of a box, and to the next column
LEAST, MOST, BETWEEN = 36, 76, 12  # height of a box that few or all go through, and the gap below one
EDGE = 14  # around the whole


@dataclass(frozen=True)
class Box:
    x: int
    y: int
    height: int

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True)
class Line:
    """From one box to another, by their places; `weight` rollouts go along it."""

    tail: int
    head: int
    weight: int
    back: bool


@dataclass(frozen=True)
class Layout:
    boxes: Sequence[Box]
    lines: Sequence[Line]
    width: int
    height: int


def layout(weights: Sequence[int], early: Sequence[float], edges: Mapping[tuple[int, int], int]) -> Layout:
    """`weights` are the rollouts through each box, `early` how early they come to it on average, `edges` how many go
    from box to box."""
    rank = sorted(range(len(weights)), key=lambda box: (early[box], box))
    place = {box: at for at, box in enumerate(rank)}
    lines = [Line(*ends, weight, place[ends[0]] >= place[ends[1]]) for ends, weight in sorted(edges.items())]
    into: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        if not line.back:
            into[line.head].append(line)
    column: dict[int, int] = {}
    for box in rank:
        column[box] = max((column[line.tail] + 1 for line in into[box]), default=0)
    boxes = _placed(rank, column, into, weights)
    return Layout(
        [boxes[box] for box in range(len(weights))],
        lines,
        max((box.x for box in boxes.values()), default=0) + WIDTH + EDGE,
        max((box.y + box.height for box in boxes.values()), default=0) + EDGE,
    )


def _placed(
    rank: Sequence[int], column: Mapping[int, int], into: Mapping[int, Sequence[Line]], weights: Sequence[int]
) -> dict[int, Box]:
    """Column by column, each box as near as there is room to the height of what leads to it."""
    columns: dict[int, list[int]] = defaultdict(list)
    for box in rank:
        columns[column[box]].append(box)
    most = max(weights, default=1) or 1
    found: dict[int, Box] = {}
    for number in sorted(columns):
        free = EDGE
        for wanted, box in sorted((_wanted(into[box], found), box) for box in columns[number]):
            height = round(LEAST + (MOST - LEAST) * weights[box] / most)
            y = max(free, round(wanted - height / 2))
            found[box] = Box(EDGE + number * (WIDTH + ACROSS), y, height)
            free = y + height + BETWEEN
    return found


def _wanted(lines: Sequence[Line], found: Mapping[int, Box]) -> float:
    """The mean height of the boxes before it, the more travelled the more; the top where there is none."""
    whole = sum(line.weight for line in lines)
    return sum(found[line.tail].middle * line.weight for line in lines) / whole if whole else 0.0
