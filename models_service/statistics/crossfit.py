"""Which map to take: each is fitted without a fold of tasks and says its probabilities there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.tables import ScoreTable
from models_service.statistics.calibrating import METHODS, SUREST, Bools, CannotCalibrate, Floats, Map, fit
from models_service.statistics.folding import FOLDS, dealt

Ints = NDArray[np.int64]

WRONG = -1
TOO_FEW = "labels in {} of the tasks that it has scored, {} needed"


@dataclass(frozen=True)
class Steps:
    """A ScoreTable as arrays: what was said, which steps are right (not wrong), and the task and fold of each."""

    of: str
    said: Floats
    right: Bools
    task: Ints
    trajectory: Ints
    fold: Ints
    tasks: int

    @classmethod
    def of_table(cls, table: ScoreTable, seed: int = 0) -> Steps:
        task = np.array(table.task, dtype=np.int64)
        return cls(
            of=table.of,
            said=np.array(table.said, dtype=float),
            right=np.array(table.label, dtype=np.int64) != WRONG,
            task=task,
            trajectory=np.array(table.trajectory, dtype=np.int64),
            fold=np.array(dealt(table.tasks, FOLDS, seed), dtype=np.int64)[task],
            tasks=len(table.tasks),
        )


@dataclass(frozen=True)
class Tried:
    """A method out of fold: each step's P(not wrong) by a map that had not seen its task, and the mean log-loss of
    that; or why it cannot be had."""

    method: str
    probability: Floats | None = None
    loss: float | None = None
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"method": self.method, "loss": self.loss, "reason": self.reason}


def unfit(table: ScoreTable) -> str:
    """Why nothing can be fitted to these labels; "" where it can."""
    if len(table.tasks) < FOLDS:
        return TOO_FEW.format(len(table.tasks), FOLDS)
    return ""


def tried(steps: Steps) -> list[Tried]:
    return [_tried(steps, method) for method in METHODS]


def _tried(steps: Steps, method: str) -> Tried:
    found = np.empty(len(steps.said))
    for fold in np.unique(steps.fold):
        rest, mine = steps.fold != fold, steps.fold == fold
        try:
            found[mine] = fit(method, steps.said[rest], steps.right[rest], steps.of).probabilities(steps.said[mine])
        except CannotCalibrate as no:
            return Tried(method, reason=f"{no} (without fold {fold + 1})")
    return Tried(method, found, float(np.mean(log_loss(found, steps.right))))


def base_rate(steps: Steps) -> float:
    """The log-loss of knowing nothing of a step: of saying the share of steps that are right outside its fold."""
    found = np.empty(len(steps.said))
    for fold in np.unique(steps.fold):
        found[steps.fold == fold] = np.mean(steps.right[steps.fold != fold])
    return float(np.mean(log_loss(found, steps.right)))


def log_loss(probability: Floats, right: Bools) -> Floats:
    """Minus the log of what was said of what came; probabilities are held to 1e-6 from 0 and 1."""
    held = np.clip(probability, SUREST, 1 - SUREST)
    return np.asarray(-np.where(right, np.log(held), np.log1p(-held)))


def chosen(steps: Steps, found: list[Tried], asked: str = "") -> tuple[Map, Tried]:
    """The method that was asked for, else that of the least log-loss (of equals the first), fitted to all the steps,
    with what it said out of fold. CannotCalibrate with the reasons where there is none."""
    among = [one for one in found if one.method == asked or not asked]
    good = [one for one in among if one.loss is not None]
    if not good:
        raise CannotCalibrate("; ".join(f"{one.method}: {one.reason}" for one in among))
    best = min(good, key=lambda one: one.loss or 0.0)
    return fit(best.method, steps.said, steps.right, steps.of), best
