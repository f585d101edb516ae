"""The axis under the strips and curves of a trajectory: what number a step has, and which cell it stands in.

Up to so many steps of the agent have a cell each. In a longer trajectory neighbours share one, and the worst of what
is said of them is what the cell shows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from annotations.services.answers import Mark

CELLS = 240
TICKS = 60  # numbers that fit over a strip
BLANK = (None, False)
Group = tuple[int, Mark, bool, int]  # a step or cell, what is said there, whether a rule implied it, how often


@dataclass(frozen=True)
class Place:
    """A step as a link names it: its index, and its number among the agent's; None for context."""

    index: int
    number: int | None


@dataclass(frozen=True)
class Axis:
    """`steps` are the agent's, `last` is the last index of all; `agent` holds the indexes of the agent's steps. There
    are at most `most` cells."""

    steps: int
    last: int
    agent: Sequence[int] = ()
    most: int = CELLS

    def __len__(self) -> int:
        return self.steps

    @property
    def width(self) -> int:
        """How many indexes share a cell; 1 where every step of the agent has its own."""
        return 1 if self.steps <= self.most else -(-(self.last + 1) // self.most)

    @property
    def firsts(self) -> list[int]:
        """The index each cell begins with."""
        return list(self.agent) if self.width == 1 else list(range(0, self.last + 1, self.width))

    @property
    def places(self) -> list[Place]:
        return [Place(index, number) for number, index in enumerate(self.agent, start=1)]

    @property
    def ticks(self) -> list[Place]:
        """The steps whose numbers stand over the strips: all of them, or a dozen of many."""
        apart = 1 if self.steps <= TICKS else -(-self.steps // 12)
        return self.places[::apart]

    def number(self, index: int) -> int | None:
        """Which of the agent's steps it is, from 1; None for context."""
        at = bisect_left(self.agent, index)
        return at + 1 if at < len(self.agent) and self.agent[at] == index else None

    def rank(self, index: int) -> int:
        """How many of the agent's steps come before it."""
        return bisect_left(self.agent, index)

    def place(self, index: int) -> Place:
        return Place(index, self.number(index))

    def cells(self) -> Mapping[int, int]:
        """The key of a group → the place of its cell."""
        return {key: at for at, key in enumerate(self.agent if self.width == 1 else range(len(self.firsts)))}


BEFORE = Mark("no error yet", "right", bar=(0, 5))


@dataclass
class Strip:
    """What one rater says along an axis: a (mark or None, implied by a rule) for each cell, and how often each answer
    stands in all."""

    rater: str
    cells: list[tuple[Mark | None, bool]]
    counts: Mapping[Mark, int] = field(default_factory=dict)
    steps: int = 0


def strip(axis: Axis, rater: str, groups: Iterable[Group]) -> Strip:
    """The rater's strip. A group's key is the step's index, divided by the axis' width and rounded down. Of several
    answers in a cell the worst shows."""
    places = axis.cells()
    cells: list[tuple[Mark | None, bool]] = [BLANK] * len(places)
    counts: Counter[Mark] = Counter()
    for key, mark, implied, count in groups:
        counts[mark] += count
        at = places.get(key)
        if at is not None and _is_worse((mark, implied), cells[at]):
            cells[at] = (mark, implied)
    return Strip(rater, cells, counts, len(axis))


def up_to(axis: Axis, index: int | None, mark: Mark, before: int = 0) -> list[Group]:
    """The groups of who names the first wrong step alone (None: there is none): what comes before it is right, by that.
    `before`: how many of the agent's steps that is, where it is known."""
    end = None if index is None else index // axis.width
    keys = [key for key in axis.cells() if end is None or key < end]
    groups: list[Group] = [(key, BEFORE, True, before if place == 0 else 0) for place, key in enumerate(keys)]
    return groups if end is None else [*groups, (end, mark, False, 1)]


def _is_worse(one: tuple[Mark, bool], other: tuple[Mark | None, bool]) -> bool:
    """Of two equal answers the one that somebody gave counts more than the one a rule implied."""
    if other[0] is None:
        return True
    return (one[0].rank, not one[1]) > (other[0].rank, not other[1])
