"""How many more presses a state needs at the least. What is not surely needed is not counted, so that a search that
goes by it finds the fewest."""

from __future__ import annotations

from collections.abc import Iterator

from bench.annotator.desk import BEST, CARRIED, PROPAGATED, VALUES, Desk, State

Places = frozenset[int]


def at_least(desk: Desk, state: State, gold: tuple[int, ...]) -> int:
    """Answers that must still be given, each on its own step, and the moves between these steps."""
    said = [cell.value if cell and cell.origin != PROPAGATED else None for cell in state.cells]
    must = frozenset(place for place, value in enumerate(said) if value not in (None, gold[place]))
    free = [place for place, value in enumerate(said) if value is None]
    if desk.policy == "off":
        ways = _by_pattern(desk, free, gold, must)
    else:
        must |= _first_of_errors(desk, free, gold)
        ways = _besides_errors(desk, free, gold, must)
    return min(_presses(desk, must | places, state.focus, settles) for places, settles in ways)


def _by_pattern(desk: Desk, free: list[int], gold: tuple[int, ...], must: Places) -> Iterator[tuple[Places, int]]:
    """(steps that need an answer of their own, presses besides) without settling, or settling once from any step on."""
    yield frozenset(place for place in free if desk.offers[place] != gold[place]), 0
    for at in range(len(gold) if desk.settles else 0):
        for value in {gold[at]} & set(VALUES):
            pattern = ((place, BEST if place < at else value) for place in free if place != at)
            yield frozenset(place for place, filled in pattern if gold[place] != filled), int(at not in must)


def _first_of_errors(desk: Desk, free: list[int], gold: tuple[int, ...]) -> Places:
    """Nothing carries an error on to a step after one that is none; to settle at an earlier error gives it only where
    something is offered."""
    errors = [place for place, value in enumerate(gold) if value == CARRIED]
    starts = (place for place in free if place in errors and place - 1 not in errors)
    missing = frozenset(place for place in starts if desk.offers[place] != CARRIED)
    return frozenset(place for place in missing if desk.offers[place] is None or place == errors[0])


def _besides_errors(desk: Desk, free: list[int], gold: tuple[int, ...], must: Places) -> Iterator[tuple[Places, int]]:
    """The same for what is no error, where errors carry on: settled from a neutral step on, or not."""
    zeros = frozenset(place for place in free if gold[place] == 0)
    ones = [place for place in free if gold[place] == BEST]
    lone = frozenset(place for place in zeros if desk.offers[place] != 0)
    if not desk.settles:
        yield lone | {place for place in ones if desk.offers[place] != BEST}, 0
        return
    behind = max(must | lone, default=-1)
    settled = any(gold[place] == BEST for place in must)  # one of these can settle what comes after it, too
    yield lone, int(not settled and any(desk.offers[place] != BEST and place > behind for place in ones))
    for at in (place for place, value in enumerate(gold) if value == 0):
        others = {place for place in zeros if place < at} | {place for place in ones if place > at}
        yield frozenset(others - {at}), int(at not in must)


def _presses(desk: Desk, places: Places, focus: int, settles: int) -> int:
    """An answer each, and a move to each that no answer leads to by itself: to settle leads to the last one."""
    last = len(desk.offers) - 1
    led = {focus, last} | ({place + 1 for place in places} if desk.advance else set())
    return len(places) + settles + len(places - led)
