"""The consensus of a project's raters in one field, as a report.

    {"field", "title", "target", "values": [title], "reference": NAME or null, "by_hand": bool,
     "resamples", "seed", "confidence",
     "counts": {"raters", "tasks", "trajectories", "units", "labels", "reference", "propagated", "left_out", "failed"},
     "raters": [{"name", "kind", "labels", "accuracy": FIGURE, "coverage": FIGURE}], in the order of the table,
     "best_rater": {"rater", "accuracy", "accuracy_low", "accuracy_high", "macro_f1", "kappa", "coverage", "reasons"},
     "methods": [{"name", "is_probability", "reason", …ENTRY of comparing…, "quality": [see quality.of_raters],
                  "calibration": see quality.calibration, "thresholds": [ROW of risk.threshold_table],
                  "doubtful": [{"trajectory", "name", "step", "index", "number", "part", "label", "posterior", "said":
                                {TITLE: n}, "reference"}]}]}

FIGURE = {"value", "low", "high", "n", "reason"}. What is not known is null, and "reason" or "reasons" say why. Units
are steps, parts of steps or trajectories that somebody labelled. Intervals resample tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotations.consensus_table import ConsensusTable
from models_service.statistics.consensus import comparing, quality, risk
from models_service.statistics.consensus.comparing import Compared, Voices
from models_service.statistics.figures import CONFIDENCE, Ints
from models_service.statistics.matrices import Matrix, numbers

RESAMPLES = 2000
DOUBTFUL = 100  # steps that a report lists for each method; its file has all


@dataclass(frozen=True)
class Computed:
    """The report, and what every method says of every unit."""

    result: dict[str, Any]
    compared: Compared

    def lines(self) -> Iterator[dict[str, Any]]:
        """For each unit by method: {"label": the place of the value or None, "posterior": [number] or None}."""
        size = self.compared.voices.matrix.categories
        for unit in range(len(self.compared.voices.gold)):
            yield {
                name: {
                    "label": int(one.labels[unit]) if one.labels[unit] < size else None,
                    "posterior": None if np.isnan(one.posterior[unit]).any() else one.posterior[unit].tolist(),
                }
                for name, one in self.compared.made.items()
            }


def compute(
    table: ConsensusTable,
    *,
    by_hand: bool = False,
    resamples: int = RESAMPLES,
    seed: int = 0,
    told: Callable[[], None] = lambda: None,
) -> Computed:
    """`told` is called after each of comparing.EVERY."""
    compared = comparing.compare(voices(table), resamples, seed, told)
    result = {
        "field": table.name,
        "title": table.title,
        "target": table.target,
        "values": list(table.titles),
        "reference": table.reference.name if table.reference else None,
        "by_hand": by_hand,
        "resamples": resamples,
        "seed": seed,
        "confidence": CONFIDENCE,
        "counts": counts(table),
        "raters": _raters(table, compared),
        "best_rater": compared.best_rater(),
        "methods": [_method(table, compared, name, resamples, seed) for name in compared.made],
    }
    return Computed(result, compared)


def voices(table: ConsensusTable) -> Voices:
    """The table as arrays."""
    size, shape = len(table.values), (len(table.units), len(table.raters))
    labels = np.full(shape, size, dtype=np.uint8)
    labels[numbers(table.label_unit), numbers(table.label_rater)] = numbers(table.label_value)
    gold = np.full(len(table.units), size, dtype=np.uint8)
    gold[numbers(table.reference_unit)] = numbers(table.reference_value)
    task, trajectory = numbers(table.unit_task), _trajectories(table)
    matrix = Matrix(
        labels=labels,
        propagated=np.zeros(shape, dtype=bool),
        categories=size,
        trajectory=trajectory,
        task=task,
        task_of=_task_of(task, trajectory),
        tasks=max(1, len(table.tasks)),
    )
    names = [rater.name for rater in table.raters]
    return Voices(matrix, names, gold, table.titles, table.tasks, table.reference is not None)


def counts(table: ConsensusTable) -> dict[str, int]:
    """What the report is computed from."""
    return {
        "raters": len(table.raters),
        "tasks": len(table.tasks),
        "trajectories": len({unit.trajectory for unit in table.units}),
        "units": len(table.units),
        "labels": len(table.label_unit),
        "reference": len(table.reference_unit),
        "propagated": table.propagated,
        "left_out": table.left_out,
        "failed": table.failed,
    }


def _trajectories(table: ConsensusTable) -> Ints:
    _, places = np.unique(np.array([unit.trajectory for unit in table.units], dtype=np.int64), return_inverse=True)
    return places.astype(np.int64)


def _task_of(task: Ints, trajectory: Ints) -> Ints:
    found = np.zeros(trajectory.max(initial=-1) + 1, dtype=np.int64)
    found[trajectory] = task
    return found


def _raters(table: ConsensusTable, compared: Compared) -> list[dict[str, Any]]:
    often = np.bincount(numbers(table.label_rater), minlength=len(table.raters))
    return [
        {
            "name": rater.name,
            "kind": rater.kind,
            "labels": int(often[place]),
            "accuracy": compared.raters[rater.name]["step_acc"].as_json(),
            "coverage": compared.raters[rater.name]["coverage"].as_json(),
        }
        for place, rater in enumerate(table.raters)
    ]


def _method(table: ConsensusTable, compared: Compared, name: str, resamples: int, seed: int) -> dict[str, Any]:
    one, heard = compared.made[name], compared.voices
    thresholds = risk.threshold_table(one.risk, heard.wrong(one), heard.known, heard.matrix.trajectory)
    return {
        "name": name,
        "is_probability": quality.is_probability(name),
        "reason": one.reason,
        **compared.entry(name),
        "quality": quality.of_raters(compared, name),
        "calibration": quality.calibration(compared, name, resamples, seed),
        "thresholds": [] if one.reason else thresholds,
        "doubtful": [
            _doubtful(table, compared, name, int(unit)) for unit in quality.doubtful(compared, name, DOUBTFUL)
        ],
    }


def _doubtful(table: ConsensusTable, compared: Compared, name: str, place: int) -> dict[str, Any]:
    one, heard, unit = compared.made[name], compared.voices, table.units[place]
    return {
        "trajectory": unit.trajectory,
        "name": unit.name,
        "step": unit.step,
        "index": unit.index,
        "number": unit.number,
        "part": unit.part,
        "label": _title(table, int(one.labels[place])),
        "posterior": None if np.isnan(one.posterior[place]).any() else float(np.max(one.posterior[place])),
        "said": quality.said_of(table.titles, heard.matrix.labels[place]),
        "reference": _title(table, int(heard.gold[place])),
    }


def _title(table: ConsensusTable, value: int) -> str | None:
    return table.titles[value] if value < len(table.titles) else None
