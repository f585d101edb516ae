"""The label page's keys as a pure function: what a press makes of the labels and of the step in focus.

It says what static/js/{deeds,store,steps}.js do, for one field of three answers whose last one carries on; the replay
in Chromium holds it to that. A reader is taken to have scrolled through everything before the first press: that takes a
wheel and no key, and is what lets `settle` touch every step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from annotations.schemes.rules import View, carry_forward

BEST, CARRIED = 1, -1  # the first answer of the scheme, and the one its rule carries on
VALUES = (1, 0, -1)
HUMAN, ACCEPTED, PROPAGATED = "human", "accepted", "propagated"
SIGN = {1: "1", 0: "0", -1: "-"}
# A key as Playwright presses it → how many presses it takes.
NEXT, PREVIOUS, NEXT_OPEN, PREVIOUS_OPEN, FIRST, LAST = "j", "k", "J", "K", "g g", "G"
ANSWERS = {SIGN[value]: value for value in VALUES}
SETTLE = {1: "Shift+Digit1", 0: "Shift+Digit0", -1: "Shift+Minus"}
SETTLES = {key: value for value, key in SETTLE.items()}
ACCEPT, ACCEPT_GHOSTS = "Enter", "p"
MOVES = (NEXT, PREVIOUS, NEXT_OPEN, PREVIOUS_OPEN, FIRST, LAST)


class Said(NamedTuple):
    """One answer, and whose it is."""

    value: int
    origin: str = HUMAN


Cells = tuple[Said | None, ...]


class State(NamedTuple):
    """What the steps say, in order, and which one is in focus."""

    cells: Cells
    focus: int = 0

    def value(self, place: int) -> int | None:
        said = self.cells[place]
        return said.value if said else None


@dataclass(frozen=True)
class Desk:
    """The page of one item. `policy` is the project's propagation, `offers` what is suggested for each step, `advance`
    whether an answer moves on to the next step; `settles` whether the person uses the keys that answer the rest too."""

    policy: str
    offers: tuple[int | None, ...]
    advance: bool = False
    settles: bool = True

    def start(self) -> State:
        return self._settled([None] * len(self.offers), 0)

    def press(self, state: State, key: str) -> State:
        """The state after that key; the same one where it does nothing."""
        if key in ANSWERS:
            return self._answer(state, Said(ANSWERS[key]))
        if key in SETTLES:
            return self._settle(state, SETTLES[key])
        if key == ACCEPT:
            offer = self.offers[state.focus]
            return state if offer is None or state.cells[state.focus] else self._answer(state, Said(offer, ACCEPTED))
        if key == ACCEPT_GHOSTS:
            return self._accept_ghosts(state)
        return state._replace(focus=_moved(state, key))

    def replay(self, keys: Sequence[str]) -> Iterator[State]:
        """The state before each key, and the last one."""
        state = self.start()
        yield state
        for key in keys:
            state = self.press(state, key)
            yield state

    def filled(self, state: State) -> Cells:
        """What is stored when one hands in and takes all that is suggested along; None where nothing is."""
        cells = list(state.cells)
        for place, offer in enumerate(self.offers):
            if cells[place] is None and offer is not None:
                cells[place] = Said(offer, ACCEPTED)
        return self._accept_ghosts(self._settled(cells, state.focus)).cells

    def shown(self, state: State, place: int) -> int | None:
        """What the reader sees on a step: what it says, is offered, or is carried on to it."""
        said = state.value(place)
        if said is not None:
            return said
        offer = self.offers[place]
        return CARRIED if offer is None and place in self.ghosts(state) else offer

    def ghosts(self, state: State) -> frozenset[int]:
        """The open steps to which an answer carries on, where the project suggests that."""
        if self.policy != "suggest":
            return frozenset()
        return frozenset(place for place in implied(state.cells) if state.cells[place] is None)

    def _answer(self, state: State, said: Said) -> State:
        cells = list(state.cells)
        cells[state.focus] = said
        last = len(cells) - 1
        return self._settled(cells, min(state.focus + 1, last) if self.advance else state.focus)

    def _settle(self, state: State, value: int) -> State:
        """The best answer before the step, this one from it on, wherever nothing is said; the focus goes to the end."""
        carries = self.policy != "off" and value == CARRIED
        cells = list(state.cells)
        cells[state.focus] = Said(value)
        for place, said in enumerate(cells):
            if said is None and (place < state.focus or not carries or self.offers[place] is not None):
                cells[place] = Said(BEST if place < state.focus else value)
        after = self._settled(cells, state.focus)
        return after._replace(focus=len(cells) - 1) if after.cells[-1] else after

    def _accept_ghosts(self, state: State) -> State:
        cells = list(state.cells)
        for place in self.ghosts(state):
            cells[place] = Said(CARRIED, PROPAGATED)
        return state._replace(cells=tuple(cells))

    def _settled(self, cells: list[Said | None], focus: int) -> State:
        """As the rule leaves the labels: services/board.settle and the store of the page do the same."""
        if self.policy != "off" and any(one and one.value == CARRIED for one in cells):
            held = implied(cells)
            for place, said in enumerate(cells):
                if said and said.origin == PROPAGATED and place not in held:
                    cells[place] = None
                elif said is None and place in held and self.policy == "fill":
                    cells[place] = Said(CARRIED, PROPAGATED)
        return State(tuple(cells), focus)


def implied(cells: Sequence[Said | None]) -> dict[int, int]:
    """Place of a step that an answer carries on to → place of that answer. No step is marked as a correction."""
    said = {(place, "label"): one.value for place, one in enumerate(cells) if one and one.origin != PROPAGATED}
    return carry_forward(View(range(len(cells)), said), field="label", value=CARRIED).implied


def _moved(state: State, key: str) -> int:
    last, focus = len(state.cells) - 1, state.focus
    if key == NEXT:
        return min(focus + 1, last)
    if key == PREVIOUS:
        return max(focus - 1, 0)
    if key in (FIRST, LAST):
        return 0 if key == FIRST else last
    ahead = range(focus + 1, last + 1) if key == NEXT_OPEN else range(focus - 1, -1, -1)
    return next((place for place in ahead if state.cells[place] is None), focus)


def presses(key: str) -> int:
    """How often something is pressed down, a chord counted once: "g g" takes two."""
    return len(key.split(" "))
