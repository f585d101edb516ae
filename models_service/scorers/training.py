"""Teaching the embedded scorer a project's labels, and deciding whether what it learned is worth using."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.records import TrajectoryRecord
from models_service.scorers import features, measures
from models_service.scorers.linear import PENALTY, Linear, fit

WRONG = -1
FOLDS = 5
DRAWS = 1000
CONVINCING = 0.95  # the share of resamples of tasks in which it must beat the baseline
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

    @property
    def digest(self) -> str:
        """The same for the same features and labels."""
        hashed = hashlib.sha256(json.dumps(self.names).encode())
        for column in (np.round(self.values, 9) + 0.0, self.labels, self.tasks):
            hashed.update(column.tobytes())
        return hashed.hexdigest()


def examples(lessons: Iterable[Lesson]) -> Examples:
    """The lessons' rows; each lesson is read once and let go."""
    rows: list[list[float]] = []
    labels: list[int] = []
    tasks: list[int] = []
    names: list[str] = []
    trajectories = 0
    for number, lesson in enumerate(lessons):
        names.append(lesson.rollouts[0].task.external_id)
        trajectories += sum(map(bool, lesson.labels))
        for record, table, said in zip(lesson.rollouts, features.table(lesson.rollouts), lesson.labels, strict=True):
            indexes = [index for index, step in enumerate(record.steps) if step.source == "agent"]
            for index, row in zip(indexes, table, strict=True):
                if index in said:
                    rows.append(row)
                    labels.append(said[index])
                    tasks.append(number)
    return Examples(
        values=np.array(rows, dtype=float).reshape(len(rows), len(features.NAMES)),
        labels=np.array(labels, dtype=np.int64),
        tasks=np.array(tasks, dtype=np.int64),
        names=names,
        trajectories=trajectories,
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
        data.values[:, [features.NAMES.index(name) for name in names]],
        data.labels,
        tuple(names),
        features.VERSION,
        penalty,
        steps=len(data.labels),
        trajectories=data.trajectories,
        tasks=len(set(data.tasks.tolist())),
        sha256=data.digest,
    )


def folds(data: Examples, seed: int = 0) -> NDArray[np.int64]:
    """For each row its fold: whole tasks, dealt out in an order that depends on their names and the seed alone."""
    after = f" {seed}" if seed else ""
    order = {task: hashlib.sha256((data.names[task] + after).encode()).hexdigest() for task in set(data.tasks.tolist())}
    present = sorted(order, key=lambda task: order[task])
    fold_of = {task: place % FOLDS for place, task in enumerate(present)}
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
        model = fit(values[rest], data.labels[rest], tuple(features.NAMES[c] for c in columns), features.VERSION)
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


def learn(data: Examples) -> tuple[Linear, dict[str, Any], bool]:
    """The model, its held-out figures beside the baselines', and whether it is to be used.

    It must beat the constant +1 and the model that sees only a trajectory's shape, in AUROC and macro-F1, in nineteen
    of twenty resamples of tasks.
    """
    ours, chances = held_out(data, range(len(features.NAMES)))
    shape, _ = held_out(data, range(len(features.STRUCTURE)))
    always = Held(np.zeros(len(data.labels)), np.ones(len(data.labels), dtype=np.int64))
    beats = {"structure_only": _beats(data, ours, shape), "always_right": _beats(data, ours, always)}
    report = {
        "embedded": ours.figures(data.labels),
        "structure_only": shape.figures(data.labels),
        "always_right": always.figures(data.labels) | {"ece": None},
        "beats": beats,
        "steps": len(data.labels),
        "trajectories": data.trajectories,
        "tasks": len(set(data.tasks.tolist())),
        "folds": FOLDS,
    }
    model = replace(teach(data), temperature=temperature(chances, data.labels))
    return model, report, min(share for one in beats.values() for share in one.values()) >= CONVINCING


def _beats(data: Examples, ours: Held, other: Held) -> dict[str, float]:
    """In which share of resamples of tasks ours is better, for each measure."""
    random = np.random.default_rng(0)
    rows_of = [np.flatnonzero(data.tasks == task) for task in sorted(set(data.tasks.tolist()))]
    better = {"auroc": 0, "macro_f1": 0}
    for _ in range(DRAWS):
        rows = np.concatenate([rows_of[place] for place in random.integers(0, len(rows_of), len(rows_of))])
        truth = data.labels[rows]
        areas = [measures.auroc(held.wrong[rows], truth == WRONG) for held in (ours, other)]
        scores = [measures.macro_f1(held.said[rows], truth) for held in (ours, other)]
        better["auroc"] += areas[0] > areas[1]
        better["macro_f1"] += scores[0] > scores[1]
    return {name: count / DRAWS for name, count in better.items()}
