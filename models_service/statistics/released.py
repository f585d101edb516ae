"""The released arithmetic over a label table, as task sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple
from typing import Any

import numpy as np

from annotations.tables import LabelTable
from models_service.statistics import measures, official
from models_service.statistics.figures import Block, Floats

Records = dict[int, dict[str, Any]]  # by trajectory

EMPTY = "The reference has rated no trajectory."


def records(table: LabelTable) -> list[Records]:
    """What each rater's file would hold."""
    found: list[Records] = [{} for _ in table.raters]
    for rater, trajectory, failed in zip(table.pass_rater, table.pass_trajectory, table.pass_failed, strict=True):
        found[rater][trajectory] = {"step_labels": {}, "comment": official.FAILED if failed else ""}
    for rater, step, value in zip(table.label_rater, table.label_step, table.label_value, strict=True):
        labels = found[rater][table.step_trajectory[step]]["step_labels"]
        labels[str(table.step_message[step])] = table.values[value]
    return found


def constant(table: LabelTable, value: Any) -> Records:
    """The same answer to every step of every trajectory."""
    found: Records = {trajectory: {"step_labels": {}} for trajectory in range(len(table.trajectories))}
    for trajectory, message in zip(table.step_trajectory, table.step_message, strict=True):
        found[trajectory]["step_labels"][str(message)] = value
    return found


def blocks(reference: Records, rater: Mapping[int, Any], task_of: Any, tasks: int) -> dict[str, Block]:
    """Each of the script's four ratios."""
    sums = np.zeros((tasks, 6))
    for trajectory, record in reference.items():
        sums[task_of[trajectory]] += astuple(official.one(record, rater.get(trajectory)))
    return {
        "step_acc": _rate(sums, "step_hits", "steps"),
        "first_err_acc": _rate(sums, "first_error_hits", "records"),
        "step_exact": _rate(sums, "exact_hits", "records"),
        "failed_ratio": _rate(sums, "failed", "records"),
    }


def _rate(sums: Floats, hits: str, of: str) -> Block:
    places = list(official.Tally.__dataclass_fields__)
    return measures.rate(sums[:, [places.index(hits), places.index(of)]], EMPTY)
