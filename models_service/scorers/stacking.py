"""What others say of a step, as features: judges by their labels, other scorers by their numbers.

A source counts only where it has spoken of every step of a rollout. What people said is never among the sources.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import fmean
from typing import Any

from annotations.records import TrajectoryRecord
from models_service.scorers.extras import Extra

Said = Sequence[float | None]  # what a source says of each agent step of a rollout
Listen = Callable[[Sequence[TrajectoryRecord]], Sequence[Said]]

LABELS = ("says wrong", "says neither", "lowest so far", "mean of the trajectory")
NUMBERS = ("number", "lowest so far", "mean of the trajectory")


@dataclass(frozen=True)
class Source:
    """A judge, whose word is -1, 0 or 1, or a scorer, whose word is a number. `key` is what is asked for."""

    key: str
    title: str
    labels: bool

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{self.title}: {name}" for name in (LABELS if self.labels else NUMBERS))

    def values(self, said: Sequence[float]) -> list[list[float]]:
        """What it says of each step of a rollout → the values of `names` for each."""
        if not said:
            return []
        lowest, mean = list(accumulate(said, min)), fmean(said)
        own = [[float(one < 0), float(one == 0)] if self.labels else [one] for one in said]
        return [[*mine, low, mean] for mine, low in zip(own, lowest, strict=True)]


def extra(source: Source, listen: Listen) -> Extra:
    """This source as features. `listen` is asked for what it says of the rollouts of one task at a time."""

    def table(rollouts: Sequence[TrajectoryRecord]) -> list[list[list[float]] | None]:
        return [_rows(source, said) for said in listen(rollouts)]

    identity: dict[str, Any] = {"title": source.title, "labels": source.labels}
    return Extra(source.key, source.names, identity, table, heard=True)


def _rows(source: Source, said: Said) -> list[list[float]] | None:
    known = [float(one) for one in said if one is not None]
    return source.values(known) if said and len(known) == len(said) else None
