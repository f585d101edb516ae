"""Nearness in meaning of a step to its task, to the steps before it, to what was seen, and of answers to each other.

The cosines of a sentence encoder (minilm.py). Added to the features of features.py where the encoder is installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from annotations.records import TrajectoryRecord
from models_service.scorers.extras import MEANING, Extra
from models_service.scorers.features import FEW, read_ways
from models_service.scorers.linear import Array
from models_service.scorers.reading import Rollout, Turn

PIECES = 4  # of an observation
PIECE = 1000  # characters: about what the encoder reads of one text
FAR = 100  # how many earlier steps are looked at
DIGITS = 4  # of a cosine: machines differ behind them
ABSENT = -1.0

NAMES = (
    "meaning: step and task", "meaning: step and the step before", "meaning: step and the nearest earlier step",
    "meaning: step and what was seen before", "meaning: task and what was seen before",
    "meaning: step and what it brought", "meaning: task and what it brought",
    "meaning: answer and siblings' answers", "meaning: answer and the nearest sibling answer",
)  # fmt: skip


class Encodes(Protocol):
    sha256: str

    def rows(self, texts: Sequence[str]) -> Array:
        """Texts × width, each of length 1, or 0 for a text without words."""


class Meanings:
    """The texts of one task's rollouts, each encoded once."""

    def __init__(self, ways: Iterable[Rollout], encoder: Encodes) -> None:
        texts = {text: None for way in ways for text in _texts(way)}
        self._row = {text: place for place, text in enumerate(texts)}
        self._rows = encoder.rows(list(texts))

    def near(self, one: str, others: Sequence[str]) -> list[float]:
        """The cosines of one text and the others."""
        places = [self._row[other] for other in others]
        return [round(float(value), DIGITS) for value in self._rows[places] @ self._rows[self._row[one]]]

    def values(self, way: Rollout, place: int, siblings: Sequence[Rollout]) -> list[float]:
        """The values of NAMES for the step at that place."""
        turn, before = way.turns[place], way.turns[max(0, place - FAR) : place]
        said, seen = step_text(turn), [piece for one in before for piece in pieces(one)]
        earlier, brought = self.near(said, [step_text(one) for one in before]), pieces(turn)
        last = [other.turns[-1].answer for other in siblings if other.answer_words]
        answers = self.near(turn.answer, last) if turn.answer and not turn.declines else []
        return [
            *self.near(said, [way.question]),
            earlier[-1] if earlier else ABSENT,
            max(earlier, default=ABSENT),
            max(self.near(said, seen), default=ABSENT),
            max(self.near(way.question, seen), default=ABSENT),
            max(self.near(said, brought), default=ABSENT),
            max(self.near(way.question, brought), default=ABSENT),
            round(float(np.mean(answers)), DIGITS) if answers else ABSENT,
            max(answers, default=ABSENT),
        ]


def extra(encoder: Encodes) -> Extra:
    """These features, by that encoder."""
    return Extra(MEANING, NAMES, {"encoder": encoder.sha256}, lambda rollouts: list(table(rollouts, encoder)))


def table(rollouts: Sequence[TrajectoryRecord], encoder: Encodes) -> list[list[list[float]]]:
    """For each of the rollouts of ONE task, for each agent step, the values of NAMES. Of a tree the first FEW ways are
    read, and each step on the first it is on."""
    ways = [read_ways(one)[:FEW] for one in rollouts]
    every = [way for one in ways for way in one]
    meanings = Meanings(every, encoder)
    return [_rows(record, mine, every, meanings) for record, mine in zip(rollouts, ways, strict=True)]


def _rows(record: TrajectoryRecord, mine: list[Rollout], every: list[Rollout], meanings: Meanings) -> list[list[float]]:
    found: dict[int, list[float]] = {}
    for way in mine:
        others = [other for other in every if other is not way]
        for place, turn in enumerate(way.turns):
            if id(turn.record) not in found:
                found[id(turn.record)] = meanings.values(way, place, others)
    return [found.get(id(step), [ABSENT] * len(NAMES)) for step in record.steps if step.source == "agent"]


def step_text(turn: Turn) -> str:
    return "\n".join([turn.said[:PIECE], *turn.calls])[: 2 * PIECE]


def pieces(turn: Turn) -> list[str]:
    seen = turn.observed[: PIECES * PIECE]
    return [seen[at : at + PIECE] for at in range(0, len(seen), PIECE)]


def _texts(way: Rollout) -> Iterable[str]:
    yield way.question
    for turn in way.turns:
        yield from (step_text(turn), turn.answer, *pieces(turn))
