"""Who stands in a leaderboard, each as arrays: judges and people beside the reference, and constant answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from annotations.judged_table import NONE, JudgedTable
from annotations.records import Json
from annotations.tables import LabelTable
from models_service.statistics import matrices, measures, official, released
from models_service.statistics.coefficients import Codes
from models_service.statistics.figures import Floats, Ints
from models_service.statistics.folding import dealt
from models_service.statistics.matrices import Bools, Matrix, numbers

UNSAID = -2  # no first error can be read from what was said
TALLY = list(official.Tally.__dataclass_fields__)


class Part(NamedTuple):
    """A judge among those who were chosen: in how many folds, and whether on all labels."""

    key: str
    name: str
    folds: int
    whole: bool


@dataclass(frozen=True)
class Member:
    """One row. `labels` are (units,), the number of values where nothing was said; `first` the place of the first error
    in each trajectory, NONE or UNSAID. `tried`, `failed`, `taught` are (trajectories,): whether there is a pass, if it
    failed, and whether the trajectory was among the examples it was shown. `tallies` are those of the released script,
    (trajectories, 6), where it is asked for. `shares` (units, K) add up to 1: how sure it is of each value, NaN where
    it does not say; None where it never does. `parts` are the judges that it was chosen from, those of now first, in
    `folds` folds."""

    key: str
    name: str
    kind: str
    labels: Codes
    first: Ints
    tried: Bools
    failed: Bools
    taught: Bools
    tallies: Floats | None = None
    shares: Floats | None = None
    parts: tuple[Part, ...] = ()
    folds: int = 0


@dataclass(frozen=True)
class Ground:
    """What all are held against: the reference's labels, and which trajectories count."""

    table: JudgedTable
    official: bool

    @property
    def of_labels(self) -> LabelTable:
        return self.table.labels

    @property
    def place(self) -> int:
        assert self.of_labels.reference is not None
        return self.of_labels.reference

    @property
    def values(self) -> tuple[Json, ...]:
        return self.of_labels.values

    @cached_property
    def matrix(self) -> Matrix:
        """Its tasks are those of the trajectories that count: no others are drawn. Trajectories that do not count are
        left out of all sums, so it does not matter which task they name."""
        counted, renumbered = np.unique(self._all.task_of[self.counted], return_inverse=True)
        task_of = np.zeros(self.trajectories, dtype=np.int64)
        task_of[self.counted] = renumbered
        return replace(self._all, task=task_of[self._all.trajectory], task_of=task_of, tasks=max(1, len(counted)))

    @cached_property
    def _all(self) -> Matrix:
        return matrices.of_steps(self.of_labels)

    @cached_property
    def codes(self) -> Codes:
        return self._all.labels[:, self.place]

    @property
    def trajectories(self) -> int:
        return len(self.of_labels.trajectories)

    @cached_property
    def starts(self) -> Ints:
        """The first unit of each trajectory."""
        return np.searchsorted(self._all.trajectory, np.arange(self.trajectories))

    @cached_property
    def folds(self) -> Ints:
        """The fold of each task, by the name of its first trajectory."""
        names = [""] * self.matrix.tasks
        for trajectory in reversed(np.flatnonzero(self.counted)):
            names[self.matrix.task_of[trajectory]] = self.of_labels.trajectories[trajectory]
        return np.array(dealt(names), dtype=np.int64)

    @cached_property
    def passes(self) -> Bools:
        """(raters, trajectories): whether there is a pass."""
        found = np.zeros((len(self.of_labels.raters), self.trajectories), dtype=bool)
        found[numbers(self.of_labels.pass_rater), numbers(self.of_labels.pass_trajectory)] = True
        return found

    @cached_property
    def broken(self) -> Bools:
        return matrices.failed_passes(self.of_labels)

    @cached_property
    def counted(self) -> Bools:
        """The trajectories that the reference labelled; as released, all it has a record of."""
        if self.official:
            return np.asarray(self.passes[self.place])
        if self.table.names_first:
            return np.asarray(self._named(self.place) != UNSAID)
        found = np.zeros(self.trajectories, dtype=bool)
        found[self._all.trajectory[self.codes < self._all.categories]] = True
        return found

    @cached_property
    def first(self) -> Ints:
        return self._named(self.place) if self.table.names_first else self.first_of(self.codes)

    @property
    def has_first(self) -> bool:
        return self.table.names_first or self.of_labels.error is not None

    @cached_property
    def clean(self) -> Bools:
        if self.official:
            said = [self._records[self.place].get(one, {}) for one in range(self.trajectories)]
            return np.array([official.first_error(official.labels(one.get("step_labels"))) == NONE for one in said])
        return np.asarray(self.first == NONE)

    def first_of(self, labels: Codes) -> Ints:
        """The place of the first error in each trajectory over the steps that the reference labelled; UNSAID where one
        of them was left out, or there is no value for a wrong step."""
        found = np.full(self.trajectories, UNSAID, dtype=np.int64)
        if self.of_labels.error is None:
            return found
        here = self.codes < self.matrix.categories
        unit = measures.first_errors(self.matrix, labels, here, self.of_labels.error)
        holes = np.zeros(self.trajectories, dtype=bool)
        holes[self.matrix.trajectory[here & (labels == self.matrix.categories)]] = True
        return np.where(holes, UNSAID, np.where(unit < 0, NONE, unit - self.starts))

    def members(self) -> Iterator[Member]:
        """The raters but the reference."""
        for place, rater in enumerate(self.of_labels.raters):
            if place == self.place:
                continue
            labels = self.matrix.labels[:, place]
            taught = np.zeros(self.trajectories, dtype=bool)
            taught[list(self.table.taught.get(place, ()))] = True
            yield Member(
                key=str(self.table.raters[place]),
                name=rater.name,
                kind=rater.kind,
                labels=labels,
                first=self._named(place) if self.table.names_first else self.first_of(labels),
                tried=self.passes[place],
                failed=self.broken[place],
                taught=taught,
                tallies=self._tallies(self._records[place]) if self.official else None,
                shares=self._shares(place),
            )

    def made(self, key: str, name: str, kind: str, labels: Codes, shares: Floats | None = None) -> Member:
        """A row of labels that nobody gave: a constant answer, an ensemble, a judge's labels corrected. It has tried
        everything."""
        return Member(
            key=key,
            name=name,
            kind=kind,
            labels=labels,
            first=self.first_of(labels),
            tried=np.ones(self.trajectories, dtype=bool),
            failed=np.zeros(self.trajectories, dtype=bool),
            taught=np.zeros(self.trajectories, dtype=bool),
            tallies=self._tallies(self._spelled(labels)) if self.official else None,
            shares=shares,
        )

    def constants(self) -> Iterator[Member]:
        """The same answer to everything."""
        if self.table.names_first:
            for name, place in (("none", NONE), ("the first step", 0)):
                made = self.made(f"always {name}", f"always {name}", "baseline", self.codes)
                yield Member(**vars(made) | {"first": np.full(self.trajectories, place, dtype=np.int64)})
            return
        for place, value in enumerate(self.values):
            shown = f"{value:+d}" if isinstance(value, int) and value else str(value)
            labels = np.full(len(self.codes), place, dtype=np.uint8)
            yield self.made(f"always {value}", f"always {shown}", "baseline", labels)

    def _named(self, rater: int) -> Ints:
        """The first errors that a rater names."""
        found = np.full(self.trajectories, UNSAID, dtype=np.int64)
        mine = numbers(self.table.first_rater) == rater
        found[numbers(self.table.first_trajectory)[mine]] = numbers(self.table.first_step)[mine]
        found[self.broken[rater]] = UNSAID
        return found

    def _shares(self, rater: int) -> Floats | None:
        mine = np.flatnonzero(numbers(self.table.chance_rater) == rater)
        if not len(mine):
            return None
        found = np.full((len(self.codes), len(self.values)), np.nan)
        given = np.array([self.table.chances[one] for one in mine], dtype=float)
        found[numbers(self.table.chance_step)[mine]] = given / given.sum(axis=1, keepdims=True)
        return found

    @cached_property
    def _records(self) -> list[released.Records]:
        return released.records(self.of_labels)

    def _spelled(self, labels: Codes) -> released.Records:
        """What a file of these labels would hold, of the steps that the reference labelled."""
        found: dict[int, dict[str, Any]] = {one: {"step_labels": {}} for one in self._records[self.place]}
        for unit in np.flatnonzero((self.codes < self.matrix.categories) & (labels < self.matrix.categories)):
            message = str(self.of_labels.step_message[unit])
            found[int(self.matrix.trajectory[unit])]["step_labels"][message] = self.values[labels[unit]]
        return found

    def _tallies(self, said: Mapping[int, Any]) -> Floats:
        found = np.zeros((self.trajectories, len(TALLY)))
        for trajectory, record in self._records[self.place].items():
            found[trajectory] = astuple(official.one(record, said.get(trajectory)))
        return found
