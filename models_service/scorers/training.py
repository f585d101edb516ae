"""Teaching the embedded scorer a project's labels: examples, folds of whole tasks, predictions for tasks not seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotations.records import TrajectoryRecord
from models_service.scorers import features, measures
from models_service.scorers.extras import Extra, Table
from models_service.scorers.linear import PENALTY, Linear, fit
from models_service.statistics import folding

WRONG = -1
FOLDS = folding.FOLDS
LEAST_TRAJECTORIES = 40
LEAST_WRONG = 15


@dataclass(frozen=True)
class Lesson:
    """The rollouts of one task, and of each the labels of its steps by index; {} where it has none."""

    rollouts: tuple[TrajectoryRecord, ...]
    labels: tuple[dict[int, int], ...]


@dataclass(frozen=True)
class Examples:
    """The labelled steps as rows: features, label, and which task each is of."""

    values: NDArray[np.float64]
    labels: NDArray[np.int64]
    tasks: NDArray[np.int64]
    names: list[str]
    trajectories: int
    extras: tuple[Extra, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the features, one a column of the values."""
        return features.NAMES + tuple(name for one in self.extras for name in one.names)

    def places(self, names: Sequence[str]) -> list[int]:
        at = {name: place for place, name in enumerate(self.columns)}
        return [at[name] for name in names]

    @property
    def digest(self) -> str:
        """The same for the same features and labels."""
        hashed = hashlib.sha256(json.dumps(self.names).encode())
        for column in (np.round(self.values, 9) + 0.0, self.labels, self.tasks):
            hashed.update(column.tobytes())
        return hashed.hexdigest()


def examples(lessons: Iterable[Lesson], extras: Sequence[Extra] = ()) -> Examples:
    """The lessons' rows; each lesson is read once and let go. Of the extras those are among them that know every
    labelled rollout."""
    labels: list[int] = []
    tasks: list[int] = []
    names: list[str] = []
    rows: list[list[list[float]]] = [[] for _ in (None, *extras)]
    missing: set[int] = set()
    trajectories = 0
    for number, lesson in enumerate(lessons):
        names.append(lesson.rollouts[0].task.external_id)
        trajectories += sum(map(bool, lesson.labels))
        tables: list[Table] = [list(features.table(lesson.rollouts)), *(one.table(lesson.rollouts) for one in extras)]
        for place, (record, said) in enumerate(zip(lesson.rollouts, lesson.labels, strict=True)):
            agent = [index for index, step in enumerate(record.steps) if step.source == "agent"]
            labelled = [at for at, index in enumerate(agent) if index in said]
            labels += [said[agent[at]] for at in labelled]
            tasks += [number] * len(labelled)
            for which, table in enumerate(tables):
                found = table[place]
                if found is None and labelled:
                    missing.add(which)
                elif found is not None:
                    rows[which] += [found[at] for at in labelled]
    kept = [which for which in range(len(rows)) if which not in missing]
    blocks = [np.array(rows[which], dtype=float).reshape(len(labels), -1) for which in kept if rows[which]]
    return Examples(
        values=np.hstack(blocks) if blocks else np.zeros((0, len(features.NAMES))),
        labels=np.array(labels, dtype=np.int64),
        tasks=np.array(tasks, dtype=np.int64),
        names=names,
        trajectories=trajectories,
        extras=tuple(extras[which - 1] for which in kept if which),
    )


def too_few(data: Examples) -> str:
    """Why these are not enough to learn from; "" where they are."""
    wrong = int(np.sum(data.labels == WRONG))
    if data.trajectories < LEAST_TRAJECTORIES:
        return f"{data.trajectories} labelled trajectories, {LEAST_TRAJECTORIES} needed"
    if wrong < LEAST_WRONG:
        return f"{wrong} steps labelled -1, {LEAST_WRONG} needed"
    if len(set(data.tasks.tolist())) < FOLDS:
        return f"labels in {len(set(data.tasks.tolist()))} tasks, {FOLDS} needed"
    if len(set(data.labels.tolist())) < 2:
        return "every label is -1"
    return ""


def teach(data: Examples, names: Sequence[str] = features.NAMES, penalty: float = PENALTY) -> Linear:
    """The model of all the examples, from the features of those names."""
    return fit(
        data.values[:, data.places(names)],
        data.labels,
        tuple(names),
        features.VERSION,
        penalty,
        steps=len(data.labels),
        trajectories=data.trajectories,
        tasks=len(set(data.tasks.tolist())),
        sha256=data.digest,
        extras={one.kind: one.identity for one in data.extras if set(one.names) & set(names)},
    )


def folds(data: Examples, seed: int = 0) -> NDArray[np.int64]:
    """For each row its fold: whole tasks, dealt out in an order that depends on their names and the seed alone."""
    present = sorted(set(data.tasks.tolist()))
    fold_of = dict(zip(present, folding.dealt([data.names[task] for task in present], FOLDS, seed), strict=True))
    return np.array([fold_of[task] for task in data.tasks.tolist()], dtype=np.int64)


@dataclass(frozen=True)
class Held:
    """What models that had not seen the task said of each row: P(wrong) and the likeliest label."""

    wrong: NDArray[np.float64]
    said: NDArray[np.int64]

    def figures(self, labels: NDArray[np.int64]) -> dict[str, float | None]:
        truth = labels == WRONG
        values = {
            "auroc": measures.auroc(self.wrong, truth),
            "macro_f1": measures.macro_f1(self.said, labels),
            "step_acc": measures.accuracy(self.said, labels),
            "brier": measures.brier(self.wrong, truth),
            "ece": measures.calibration_error(self.wrong, truth),
        }
        return {name: None if np.isnan(value) else value for name, value in values.items()}


def held_out(
    data: Examples, columns: Sequence[int], fold: NDArray[np.int64] | None = None
) -> tuple[Held, NDArray[np.float64]]:
    """Cross-fitted predictions from the given feature columns, and each row's probabilities of -1, 0 and 1."""
    values = data.values[:, list(columns)]
    fold = folds(data) if fold is None else fold
    chances = np.zeros((len(fold), 3))
    for one in sorted(set(fold.tolist())):
        rest, mine = fold != one, fold == one
        model = fit(values[rest], data.labels[rest], tuple(data.columns[c] for c in columns), features.VERSION)
        for place, value in enumerate(model.classes):
            chances[np.ix_(mine, [value + 1])] = model.probabilities(values[mine])[:, [place]]
    return Held(chances[:, 0], chances.argmax(axis=1) - 1), chances


def temperature(chances: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """What to divide log-probabilities by for the best likelihood, 0.5 to 2."""
    logs = np.log(np.clip(chances, 1e-12, 1))
    grid = np.round(np.geomspace(0.5, 2, 57), 4)

    def loss(t: float) -> float:
        scaled = logs / t
        return float(np.mean(np.logaddexp.reduce(scaled, axis=1) - scaled[np.arange(len(labels)), labels + 1]))

    best = min(grid, key=loss)
    return float(best) if loss(float(best)) < loss(1.0) - 1e-3 else 1.0
