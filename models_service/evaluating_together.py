"""The reference's steps of some sets, with what every rater said of them: what all say together is made of this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from models_service.evaluating_sums import NOTHING, Held, Reference
from models_service.statistics.coefficients import Codes
from models_service.statistics.figures import Ints
from models_service.statistics.matrices import Matrix


@dataclass(frozen=True)
class Together:
    """`matrix` has the reference in its first column, then a column for each of `raters`, in order of name; a step of
    a set that a rater said nothing of is nothing said. `tasks` has the names of the matrix's tasks."""

    matrix: Matrix
    raters: Sequence[str]
    tasks: Sequence[str]

    @classmethod
    def of(cls, references: Mapping[str, Reference], found: Mapping[str, Mapping[str, Held]]) -> Together:
        """Of these sets, and the raters who said anything of one of them."""
        raters = sorted(rater for rater, of in found.items() if any(name in of for name in references))
        rows = [_rows(name, one, [found[rater] for rater in raters]) for name, one in references.items()]
        tasks = [one.matrix.tasks for one in references.values()]
        trajectories = [len(one.matrix.task_of) for one in references.values()]
        labels = np.concatenate(rows)
        matrix = Matrix(
            labels=labels,
            propagated=np.zeros(labels.shape, dtype=bool),
            categories=NOTHING,
            trajectory=_after([one.matrix.trajectory for one in references.values()], trajectories),
            task=_after([one.matrix.task for one in references.values()], tasks),
            task_of=_after([one.matrix.task_of for one in references.values()], tasks),
            tasks=sum(tasks),
        )
        names = [f"{name} {task}" for name, one in references.items() for task in one.tasks]
        return cls(matrix, raters, names)

    @property
    def gold(self) -> Codes:
        return self.matrix.labels[:, 0]

    @cached_property
    def alone(self) -> Matrix:
        """Without the reference."""
        return replace(self.matrix, labels=self.matrix.labels[:, 1:], propagated=self.matrix.propagated[:, 1:])


def _rows(name: str, reference: Reference, raters: Sequence[Mapping[str, Held]]) -> Codes:
    silent = np.full(len(reference.steps), NOTHING, dtype=np.uint8)
    said = [of[name].codes if name in of else silent for of in raters]
    return np.stack([reference.codes, *said], axis=1)


def _after(parts: Sequence[Ints], sizes: Sequence[int]) -> Ints:
    """One after another, each numbered on from where the last ended."""
    starts = np.cumsum([0, *sizes[:-1]])
    return np.concatenate([part + start for part, start in zip(parts, starts, strict=True)])
