"""Rollouts with what labels say of their steps, and shares of them with intervals over tasks.

A grade is 1 (right), 0 (neither) or -1 (wrong); None where a step has no label.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models_service.statistics.figures import Floats

CONFIDENCE = 0.95
SPENT = ("cost", "tokens", "seconds")  # dollars; of input and output; by the clock

NOTHING = "nothing of the kind is labelled"

Called = tuple[str, str, str]
Figure = dict[str, Any]


@dataclass(frozen=True)
class Rollout:
    """One rollout with its grades, a tool name (or "") for each step, and whether it succeeded, where that is known.

    `calls` are for each step what it called, as (tool, argument, value): one with neither argument nor value for each
    call, one without value for each argument, and one with each value that is short enough to be one of a few. `spent`
    is what it took, by the names of SPENT; what is not known is not there. `attempts` are its answers in order, as
    (grade, fingerprint): the last step before each word of the user that follows, and the last of all.
    """

    pk: int
    name: str
    task: int
    source: str
    model: str
    grades: tuple[int | None, ...]
    tools: tuple[str, ...] = ()
    success: bool | None = None
    calls: tuple[tuple[Called, ...], ...] = ()
    spent: Mapping[str, float] = field(default_factory=dict)
    attempts: tuple[tuple[int | None, str], ...] = ()

    @property
    def first_error(self) -> int | None:
        """The place of the first wrong step among its steps, from 0."""
        return next((place for place, grade in enumerate(self.grades) if grade == -1), None)

    @property
    def labelled(self) -> list[int]:
        return [grade for grade in self.grades if grade is not None]


class Draw:
    """Resamples of tasks: rollouts of one task move together."""

    def __init__(self, rollouts: Sequence[Rollout], resamples: int, seed: int) -> None:
        self.tasks = sorted({one.task for one in rollouts})
        self.place = {task: place for place, task in enumerate(self.tasks)}
        chance = np.random.default_rng(seed)
        count = len(self.tasks)
        self.weights = chance.multinomial(count, np.full(count, 1 / count), resamples) if count else np.zeros((1, 0))

    def share(self, parts: Iterable[tuple[int, float, float]], none: str = NOTHING) -> Figure:
        """Of (task, part, whole): the sum of parts over the sum of wholes, with an interval over tasks. `none` is the
        reason where the wholes sum to nothing."""
        sums: Floats = np.zeros((len(self.tasks), 2))
        for task, part, whole in parts:
            sums[self.place[task]] += part, whole
        part, whole = sums.sum(axis=0)
        if not whole:
            return {"value": None, "low": None, "high": None, "n": 0, "reason": none}
        drawn = self.weights @ sums
        there = drawn[:, 1] > 0
        edge = (1 - CONFIDENCE) / 2
        low, high = np.quantile(drawn[there, 0] / drawn[there, 1], (edge, 1 - edge))
        return {"value": part / whole, "low": float(low), "high": float(high), "n": int(whole)}
