"""A label table as arrays: one row a unit (a step, or a whole trajectory), one column a rater."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from annotations.tables import LabelTable
from models_service.statistics.coefficients import Codes
from models_service.statistics.figures import Ints

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Matrix:
    """`labels` is (units, raters), numbers of values, `categories` where nothing was said; `propagated` alike.

    `trajectory` and `task` say where each unit belongs, `task_of` the task of each trajectory; tasks are numbered
    without gaps up to `tasks`. Units are in order of trajectory and place.
    """

    labels: Codes
    propagated: Bools
    categories: int
    trajectory: Ints
    task: Ints
    task_of: Ints
    tasks: int

    def without(self, some: Bools) -> Matrix:
        """The same as if those labels, (units, raters), had not been said."""
        return replace(self, labels=np.where(some, self.categories, self.labels).astype(np.uint8))

    def only(self, columns: list[int]) -> Matrix:
        return replace(self, labels=self.labels[:, columns], propagated=self.propagated[:, columns])


def numbers(values: array[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def failed_passes(table: LabelTable) -> Bools:
    """(raters, trajectories): whether that pass failed."""
    failed = np.zeros((len(table.raters), len(table.trajectories)), dtype=bool)
    failed[numbers(table.pass_rater), numbers(table.pass_trajectory)] = numbers(table.pass_failed) == 1
    return failed


def of_steps(table: LabelTable) -> Matrix:
    """The main field's labels. A failed pass has said nothing."""
    trajectory = numbers(table.step_trajectory)
    rater, step = numbers(table.label_rater), numbers(table.label_step)
    said = ~failed_passes(table)[rater, trajectory[step]]
    cells = step[said], rater[said]
    shape = len(trajectory), len(table.raters)
    labels = np.full(shape, len(table.values), dtype=np.uint8)
    labels[cells] = numbers(table.label_value)[said]
    propagated = np.zeros(shape, dtype=bool)
    propagated[cells] = numbers(table.label_propagated)[said] == 1
    return _placed(table, labels, propagated, len(table.values), trajectory)


def accepted(table: LabelTable) -> Bools:
    """(units, raters): whether a label of the main field was suggested and accepted."""
    found = np.zeros((len(table.step_trajectory), len(table.raters)), dtype=bool)
    if len(table.label_accepted):
        found[numbers(table.label_step), numbers(table.label_rater)] = numbers(table.label_accepted) == 1
    return found


def of_finals(table: LabelTable) -> Matrix:
    """The verdicts on whole trajectories, a unit each."""
    rater, trajectory = numbers(table.final_rater), numbers(table.final_trajectory)
    said = ~failed_passes(table)[rater, trajectory]
    labels = np.full((len(table.trajectories), len(table.raters)), len(table.final_values), dtype=np.uint8)
    labels[trajectory[said], rater[said]] = numbers(table.final_value)[said]
    every = np.arange(len(table.trajectories))
    return _placed(table, labels, np.zeros(labels.shape, dtype=bool), len(table.final_values), every)


def _placed(table: LabelTable, labels: Codes, propagated: Bools, categories: int, trajectory: Ints) -> Matrix:
    """Tasks that nobody looked at are left out of the resampling: they hold nothing to draw."""
    task = numbers(table.task)
    looked_at = np.unique(task[numbers(table.pass_trajectory)])
    renumbered = np.zeros(task.max(initial=0) + 1, dtype=np.int64)
    renumbered[looked_at] = np.arange(len(looked_at))
    task_of = renumbered[task]
    return Matrix(labels, propagated, categories, trajectory, task_of[trajectory], task_of, max(1, len(looked_at)))
