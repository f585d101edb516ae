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

MOST = 1_000  # states that are looked at, each time
EAGER = (3, 1)  # how much what is left counts: first towards any good plan, then for the best
PRESS, CORRECTION = 1_000, 1  # of two plans of as many presses the one that puts less right
Gold = tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """The keys in order, and how many of them put right what the page showed otherwise."""

    keys: Keys
    corrections: int
    exact: bool = True

    @property
    def presses(self) -> int:
        return presses_of(self.keys)


def plan(desk: Desk, gold: Sequence[int]) -> Plan:
    """Keys after which handing in, with all that is suggested, stores exactly `gold`."""
    wanted = tuple(gold)
    keys, exact = min(plain(desk, wanted), key=lambda one: _cost(desk, one, wanted)), False
    for eager in EAGER:
        if not exact:
            keys, exact = _search(desk, wanted, keys, eager)
    return Plan(keys, corrections(desk, keys, wanted), exact)


def _search(desk: Desk, gold: Gold, best: Keys, eager: int) -> tuple[Keys, bool]:
    """The best plan there is, or at least none that is worse than `best`; and whether nothing was left to look at."""
    start, turn = desk.start(), count()
    least = _cost(desk, best, gold)
    ahead: list[tuple[int, int, int, int, State, Keys]] = [(0, 0, next(turn), 0, start, ())]
    reached = {start: 0}
    for _ in range(MOST):
        while ahead and ahead[0][3] >= least:
            heappop(ahead)
        if not ahead:
            return best, True
        *_, state, keys = heappop(ahead)
        if (rest := finish(desk, state, gold)) is not None:
            least, best = min((least, best), (_cost(desk, keys + rest, gold), keys + rest))
            continue
        for key in worth_pressing(desk, state, gold):
            after, cost = desk.press(state, key), reached[state] + price(desk, state, key, gold)
            more = PRESS * at_least(desk, after, gold)
            if cost < reached.get(after, cost + 1) and cost + more < least:
                reached[after] = cost
                heappush(ahead, (cost + eager * more, -cost, next(turn), cost + more, after, (*keys, key)))
    return best, False


def _cost(desk: Desk, keys: Keys, gold: Gold) -> int:
    return PRESS * presses_of(keys) + CORRECTION * corrections(desk, keys, gold)


def price(desk: Desk, state: State, key: str, gold: Gold) -> int:
    return PRESS * desks.presses(key) + CORRECTION * corrects(desk, state, key, gold)


def plain(desk: Desk, gold: Gold) -> Iterator[Keys]:
    """Plans that anybody would think of: one answer a step, as in the predecessor; or one answer for all, or from one
    step on, and then to put right what is not so."""
    answers = tuple(desks.SIGN[value] for value in gold)
    yield answers if desk.advance else tuple(key for one in answers for key in (one, desks.NEXT))[:-1]
    for place, value in enumerate(gold):
        for key in (desks.SIGN[value], desks.SETTLE[value])[: 1 + desk.settles]:
            keys = (desks.NEXT,) * place + (key,)
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
    if desk.settles:
        yield desks.SETTLE[here]
    if desk.offers[state.focus] == here:
        yield desks.ACCEPT
    ghosts = desk.ghosts(state)
    if ghosts and all(gold[place] == desks.CARRIED for place in ghosts):
        yield desks.ACCEPT_GHOSTS


def corrections(desk: Desk, keys: Keys, gold: Gold) -> int:
    """How many of the presses answer a step on which something else stood, was offered or carried on."""
    return sum(corrects(desk, state, key, gold) for state, key in zip(desk.replay(keys), keys, strict=False))


def corrects(desk: Desk, state: State, key: str, gold: Gold) -> bool:
    answers = key in desks.ANSWERS or key in desks.SETTLES
    return answers and desk.shown(state, state.focus) not in (None, gold[state.focus])


def presses_of(keys: Keys) -> int:
    return sum(map(desks.presses, keys))
