"""The fewest key presses that bring an item to its gold labels, for somebody who knows what they want to say.

A search (A*) over what the keys do (desk.py), by what a state needs at the least (bounds.py). Once something is said of
every step, what is left is known at once (repair.py), so a plan is there early; where the search gives up after MOST
states, the best one so far stands. It is a bound from above then; `exact` says which it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from bench.annotator import desk as desks
from bench.annotator.bounds import at_least
from bench.annotator.desk import Desk, State
from bench.annotator.repair import Keys, repair

MOST = 4_000  # states that are looked at
Gold = tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """The keys in order, and how many of them put right what the page showed otherwise."""

    keys: Keys
    corrections: int
    exact: bool = True

    @property
    def presses(self) -> int:
        return cost_of(self.keys)


def plan(desk: Desk, gold: Sequence[int]) -> Plan:
    """Keys after which handing in, with all that is suggested, stores exactly `gold`."""
    wanted = tuple(gold)
    keys, exact = _search(desk, wanted)
    return Plan(keys, corrections(desk, keys, wanted), exact)


def _search(desk: Desk, gold: Gold) -> tuple[Keys, bool]:
    start = desk.start()
    turn = count()
    best = min(plain(desk, gold), key=cost_of)
    ahead: list[tuple[int, int, int, State, Keys]] = [(at_least(desk, start, gold), 0, next(turn), start, ())]
    reached = {start: 0}
    for _ in range(MOST):
        if not ahead or ahead[0][0] >= cost_of(best):
            return best, True
        *_, state, keys = heappop(ahead)
        if (rest := finish(desk, state, gold)) is not None:
            best = min(best, keys + rest, key=cost_of)
            continue
        for key in worth_pressing(desk, state, gold):
            after, cost = desk.press(state, key), cost_of((*keys, key))
            if cost < reached.get(after, cost + 1) and cost + (least := at_least(desk, after, gold)) < cost_of(best):
                reached[after] = cost
                heappush(ahead, (cost + least, -cost, next(turn), after, (*keys, key)))
    return best, False


def plain(desk: Desk, gold: Gold) -> Iterator[Keys]:
    """Plans that anybody would think of: one answer a step, as in the predecessor; or to settle all from one step on, and
    put right what is not so."""
    answers = tuple(desks.SIGN[value] for value in gold)
    yield answers if desk.advance else tuple(key for one in answers for key in (one, desks.NEXT))[:-1]
    for place, value in enumerate(gold):
        keys = (desks.NEXT,) * place + (desks.SETTLE[value],)
        *_, state = desk.replay(keys)
        if (rest := finish(desk, state, gold)) is not None:
            yield keys + rest


def finish(desk: Desk, state: State, gold: Gold) -> Keys | None:
    """What is left to press, where that is known."""
    if wrong(desk, state, gold) == 0:
        return ()
    if not all(cell and cell.origin != desks.PROPAGATED for cell in state.cells):
        return None
    left = tuple((place, value) for place, value in enumerate(gold) if state.value(place) != value)
    return repair(len(gold) - 1, state.focus, left, desk.advance)


def wrong(desk: Desk, state: State, gold: Gold) -> int:
    """On how many steps handing in now would not store gold."""
    cells = desk.filled(state)
    return sum(cell is None or cell.value != value for cell, value in zip(cells, gold, strict=True))


def worth_pressing(desk: Desk, state: State, gold: Gold) -> Iterator[str]:
    """Every move, and the answers that are gold where the focus is."""
    here = gold[state.focus]
    yield from desks.MOVES
    yield desks.SIGN[here]
    yield desks.SETTLE[here]
    if desk.offers[state.focus] == here:
        yield desks.ACCEPT
    ghosts = desk.ghosts(state)
    if ghosts and all(gold[place] == desks.CARRIED for place in ghosts):
        yield desks.ACCEPT_GHOSTS


def corrections(desk: Desk, keys: Sequence[str], gold: Gold) -> int:
    """How many of the presses answer a step on which something else stood, was offered or carried on."""
    counted = 0
    for state, key in zip(desk.replay(keys), keys, strict=False):
        shown = desk.shown(state, state.focus)
        counted += (key in desks.ANSWERS or key in desks.SETTLES) and shown not in (None, gold[state.focus])
    return counted


def cost_of(keys: Sequence[str]) -> int:
    return sum(map(desks.presses, keys))
