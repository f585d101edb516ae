"""Finding the first wrong step of a trajectory by a threshold on P(not wrong), chosen on tasks it is not judged on.

The first step below the threshold is called the first error; none below, none. As in ProcessBench (Identifying
Process Errors in Mathematical Reasoning), the share of trajectories with an error whose first one is met exactly and
the share of those without one where none is called are joined to F1 = 2 · error · clean / (error + clean), and the
threshold is the one of the greatest F1. Only labelled steps are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_service.statistics.calibrating import Floats
from models_service.statistics.crossfit import Ints, Steps
from models_service.statistics.figures import Block, Measure, add_by_task

THRESHOLDS = 200
NONE = -1
NO_ERROR = "No trajectory has a step labelled wrong."
ALL_ERRORS = "Every trajectory has a step labelled wrong."


@dataclass(frozen=True)
class Firsts:
    """The trajectories as rows: the place of the first wrong step (NONE: there is none), which task and fold it is of,
    and the lowest probability up to each place, inf beyond the last step."""

    true: Ints
    task: Ints
    fold: Ints
    low: Floats


def firsts(steps: Steps, probability: Floats) -> Firsts:
    """Steps of a trajectory stand one after another, in their order."""
    starts = np.flatnonzero(np.r_[True, np.diff(steps.trajectory) != 0])
    many = np.diff(np.r_[starts, len(probability)])
    place = np.arange(len(probability)) - np.repeat(starts, many)
    row = np.repeat(np.arange(len(starts)), many)
    low = np.full((len(starts), int(many.max(initial=0))), np.inf)
    low[row, place] = probability
    wrong = np.zeros(low.shape, dtype=bool)
    wrong[row, place] = ~steps.right
    true = np.where(wrong.any(axis=1), wrong.argmax(axis=1), NONE)
    return Firsts(true, steps.task[starts], steps.fold[starts], np.minimum.accumulate(low, axis=1))


def called(found: Firsts, threshold: float | Floats) -> Ints:
    """For each trajectory the first place below the threshold (one for all, or one each), NONE where there is none."""
    below = found.low < np.reshape(threshold, (-1, 1))
    return np.where(below.any(axis=1), below.argmax(axis=1), NONE)


def best(found: Firsts, rows: NDArray[np.bool_]) -> float | None:
    """The threshold of the greatest F1 on these trajectories; of equals the lowest, which calls the fewest errors. None
    where F1 is undefined there, for want of trajectories with an error or without one."""
    mine = Firsts(found.true[rows], found.task[rows], found.fold[rows], found.low[rows])
    clean = mine.true == NONE
    if clean.all() or not clean.any():
        return None
    among = thresholds(mine.low)
    scores = [_f1_of(called(mine, one) == mine.true, clean) for one in among]
    return float(among[int(np.argmax(scores))])


def thresholds(low: Floats) -> Floats:
    """Between the numbers that there are, at most THRESHOLDS of them, and beyond both ends."""
    numbers = np.unique(low[np.isfinite(low)])
    if len(numbers) > THRESHOLDS:
        numbers = np.unique(np.quantile(numbers, np.linspace(0, 1, THRESHOLDS)))
    return np.asarray(np.r_[numbers[0], (numbers[1:] + numbers[:-1]) / 2, np.nextafter(numbers[-1], np.inf)])


def _f1_of(hit: NDArray[np.bool_], clean: NDArray[np.bool_]) -> float:
    error, none = float(hit[~clean].mean()), float(hit[clean].mean())
    return 2 * error * none / (error + none) if error + none else 0.0


def out_of_fold(found: Firsts) -> tuple[Ints, list[float | None]]:
    """What is called by thresholds chosen without each trajectory's fold, and those thresholds. Where none can be
    chosen nothing is called."""
    by_fold = {int(fold): best(found, found.fold != fold) for fold in np.unique(found.fold)}
    each = np.array([-np.inf if (one := by_fold[int(fold)]) is None else one for fold in found.fold])
    return called(found, each), list(by_fold.values())


def block(found: Firsts, said: Ints, tasks: int) -> Block:
    """The parts, and how many steps a call is off where there is an error and one was called."""
    clean, hit = found.true == NONE, said == found.true
    both = parts(hit, clean, found.task, tasks)
    off = np.where(~clean & (said != NONE), np.abs(said - found.true), 0)
    columns = np.stack([off, ~clean & (said != NONE)], axis=1).astype(float)
    offset = Measure(
        partial(_ratio, above=4, below=5), partial(_sum, columns=(5,)), lambda _: "No error was called where one is."
    )
    return Block(np.hstack([both.sums, add_by_task(found.task, columns, tasks)]), {**both.measures, "offset": offset})


def parts(hit: NDArray[np.bool_], clean: NDArray[np.bool_], task: Ints, tasks: int) -> Block:
    """Accuracy, its two parts and F1, of whether each trajectory was hit, is without an error, and its task."""
    columns = np.stack([hit & ~clean, ~clean, hit & clean, clean], axis=1).astype(float)
    measures = {
        "accuracy": Measure(_accuracy, partial(_sum, columns=(1, 3)), lambda _: "There is no trajectory."),
        "error": Measure(partial(_ratio, above=0, below=1), partial(_sum, columns=(1,)), lambda _: NO_ERROR),
        "clean": Measure(partial(_ratio, above=2, below=3), partial(_sum, columns=(3,)), lambda _: ALL_ERRORS),
        "f1": Measure(_f1, partial(_sum, columns=(1, 3)), _no_f1),
    }
    return Block(add_by_task(task, columns, tasks), measures)


def _ratio(sums: Floats, above: int, below: int) -> Floats:
    return np.asarray(sums[..., above] / sums[..., below])


def _accuracy(sums: Floats) -> Floats:
    return np.asarray((sums[..., 0] + sums[..., 2]) / (sums[..., 1] + sums[..., 3]))


def _f1(sums: Floats) -> Floats:
    error, clean = _ratio(sums, 0, 1), _ratio(sums, 2, 3)
    both = error + clean
    return np.asarray(np.where(both == 0, 0.0, 2 * error * clean / both))


def _no_f1(sums: Floats) -> str:
    return ALL_ERRORS if sums[1] else NO_ERROR


def _sum(sums: Any, columns: tuple[int, ...]) -> float:
    return float(sum(sums[one] for one in columns))
