"""Self-preference: whether a judge is kinder to rollouts of its own model than people are.

Of each rollout, the judge's verdict less the people's (1 right, 0 neither, -1 wrong; the mean over its steps where the
whole has none). The number is the mean of that over rollouts of its own model less the mean over the others', with a
cluster bootstrap over tasks. Our own measure; nothing is changed in the texts, and a judge is never shown whose rollout
it reads, so what it can prefer is its own manner.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models_service.statistics.figures import Figure, add_by_task, interval, resampled

RESAMPLES = 1000
DATE = re.compile(r"-?(?:20\d{2}-?\d{2}-?\d{2}|\d{4}|latest|preview)$")


@dataclass(frozen=True)
class Rated:
    """A rollout of a model, with what people and the judge say of it, from -1 to 1."""

    task: str
    model: str
    people: float
    judge: float


def is_own(judge: str, model: str) -> bool:
    """Whether the two names mean one model: without the vendor before them and the date behind, whatever the case."""
    return bool(plain(model)) and plain(judge) == plain(model)


def plain(name: str) -> str:
    return DATE.sub("", name.rsplit("/", 1)[-1].strip().lower().replace("_", "-"))


def self_preference(judge: str, rated: Sequence[Rated], seed: int = 0) -> Figure:
    """By how much the judge rates its own model's rollouts higher than people do, beyond what it does with others'."""
    own = np.array([is_own(judge, one.model) for one in rated], bool)
    if not any(one.model for one in rated):
        return Figure(None, reason="No rollout names the model that made it.")
    if not own.any():
        return Figure(None, reason=f"No rollout that people have labelled is of {judge}.")
    if own.all():
        return Figure(None, n=len(rated), reason=f"All rollouts are of {judge}; there are no others to compare with.")
    kinder = np.array([one.judge - one.people for one in rated], float)
    tasks = {task: number for number, task in enumerate(sorted({one.task for one in rated}))}
    columns = np.stack([kinder * own, own.astype(float), kinder * ~own, (~own).astype(float)], axis=1)
    sums = add_by_task(np.array([tasks[one.task] for one in rated], np.int64), columns, len(tasks))
    value = float(_difference(sums.sum(axis=0)))
    if len(tasks) < 2:
        return Figure(value, n=int(own.sum()), reason="There is one task only, so there is no interval.")
    low, high, why = interval(_difference(resampled(sums, RESAMPLES, seed)))
    return Figure(value, low, high, int(own.sum()), why)


def _difference(sums: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        found: np.ndarray = sums[..., 0] / sums[..., 1] - sums[..., 2] / sums[..., 3]
    return found
