"""The fewest key presses that bring an item to its gold labels, for somebody who knows what they want to say.

A search over what the keys do (desk.py), level by level: all that can be reached with one press more. Where a level holds
more states than MOST, only those nearest to gold go on, so the plan of a long item is a bound from above; `exact` says
which it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.annotator import desk as desks
from bench.annotator.desk import Desk, State

MOST = 6_000  # states of a level
Gold = tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """The keys in order, and how many of them put right what the page showed otherwise."""

    keys: tuple[str, ...]
    corrections: int
    exact: bool = True

    @property
    def presses(self) -> int:
        return sum(map(desks.presses, self.keys))


class NoPlan(Exception):
    """Nothing leads to these labels."""


def plan(desk: Desk, gold: Sequence[int]) -> Plan:
    """Keys after which handing in, with all that is suggested, stores exactly `gold`. Raises NoPlan."""
    wanted = tuple(gold)
    levels: dict[int, dict[State, tuple[str, ...]]] = {0: {desk.start(): ()}}
    seen: set[State] = set()
    exact = True
    for cost in range(3 * len(wanted) + 3):
        level = {state: keys for state, keys in levels.pop(cost, {}).items() if state not in seen}
        for state, keys in level.items():
            if wrong(desk, state, wanted) == 0:
                return Plan(keys, corrections(desk, keys, wanted), exact)
        if len(level) > MOST:
            exact = False
            nearest = sorted(level, key=lambda one: (wrong(desk, one, wanted), -one.focus))[:MOST]
            level = {state: level[state] for state in nearest}
        seen.update(level)
        for state, keys in level.items():
            for key in worth_pressing(desk, state, wanted):
                after = desk.press(state, key)
                if after not in seen:
                    levels.setdefault(cost + desks.presses(key), {}).setdefault(after, (*keys, key))
    raise NoPlan(wanted)


def wrong(desk: Desk, state: State, gold: Gold) -> int:
    """On how many steps handing in now would not store gold."""
    cells = desk.filled(state)
    return sum(cell is None or cell.value != value for cell, value in zip(cells, gold, strict=True))


def worth_pressing(desk: Desk, state: State, gold: Gold) -> Iterator[str]:
    """Every move, and the answers that are gold where the focus is."""
    here = gold[state.focus]
    yield from desks.MOVES
    yield next(key for key, value in desks.ANSWERS.items() if value == here)
    yield next(key for key, value in desks.SETTLES.items() if value == here)
    if desk.offers[state.focus] == here:
        yield desks.ACCEPT
    ghosts = desk.ghosts(state)
    if ghosts and all(gold[place] == desks.CARRIED for place in ghosts):
        yield desks.ACCEPT_GHOSTS


def corrections(desk: Desk, keys: Sequence[str], gold: Gold) -> int:
    """How many of the presses answer a step on which something else stood, was offered or carried on."""
    count = 0
    for state, key in zip(desk.replay(keys), keys, strict=False):
        shown = desk.shown(state, state.focus)
        count += (key in desks.ANSWERS or key in desks.SETTLES) and shown not in (None, gold[state.focus])
    return count
