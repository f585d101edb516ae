"""How well a judge's chances meet the reference: shares of votes, or probabilities of its answer's tokens.

Of P(wrong) the figures are those of scorers (statistics.probabilities). Of the likeliest value: the calibration error
Σ n_b/N · |conf_b − acc_b| over ten equal spans of its chance, and the Brier score Σ (p − o)², summed over the values
and averaged over the steps. Intervals resample tasks.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from models_service.statistics import probabilities
from models_service.statistics.calibrating import Floats
from models_service.statistics.crossfit import Steps
from models_service.statistics.figures import Block, Figure, Ints, Measure, add_by_task, figures
from models_service.statistics.leaderboard.members import Ground, Member
from models_service.statistics.matrices import Bools

BINS = 10
FEW = 200
OF_WRONG = ("brier", "log_loss", "ece_spans", "ece_counts")
NO_STEP = "There are no such steps."


def section(ground: Ground, member: Member, mask: Bools, resamples: int, seed: int) -> dict[str, Any] | None:
    """None where the judge says nothing but labels. Else

    {"steps", "few": whether these are too few to go by, "wrong": {"figures", "bins", "spans"} or null where no value
    means a wrong step, "top": {"figures": {"ece", "brier", "accuracy", "confidence"}, "bins"}}"""
    if member.shares is None:
        return None
    counted = mask & ~member.failed
    here = (ground.codes < ground.matrix.categories) & counted[ground.matrix.trajectory]
    unit = np.flatnonzero(here & ~np.isnan(member.shares).any(axis=1))
    if not len(unit):
        return None
    return {
        "steps": len(unit),
        "few": len(unit) < FEW,
        "wrong": _wrong(ground, unit, member.shares[unit], resamples, seed),
        "top": _top(ground, unit, member.shares[unit], resamples, seed),
    }


def _wrong(ground: Ground, unit: Ints, shares: Floats, resamples: int, seed: int) -> dict[str, Any] | None:
    error = ground.of_labels.error
    if error is None:
        return None
    not_wrong = np.clip(1 - shares[:, error], 0, 1)
    steps = Steps(
        of="probability",
        said=not_wrong,
        right=ground.codes[unit] != error,
        task=ground.matrix.task[unit],
        trajectory=ground.matrix.trajectory[unit],
        fold=np.zeros(len(unit), dtype=np.int64),
        tasks=ground.matrix.tasks,
    )
    found = figures({"": probabilities.block(steps, not_wrong)}, resamples, seed)[""]
    kept = {name: found[name] for name in OF_WRONG} | probabilities.areas(steps, not_wrong, resamples, seed)
    return {
        "figures": {name: one.as_json() for name, one in kept.items()},
        "bins": probabilities.bins(not_wrong, found),
        "spans": probabilities.of_spans(steps, not_wrong),
    }


def _top(ground: Ground, unit: Ints, shares: Floats, resamples: int, seed: int) -> dict[str, Any]:
    right = ground.codes[unit]
    sure, hit = shares.max(axis=1), shares.argmax(axis=1) == right
    met = np.zeros(shares.shape)
    met[np.arange(len(unit)), right] = 1
    place = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    columns = [np.ones(len(unit)), ((shares - met) ** 2).sum(axis=1), hit.astype(float), sure]
    columns += [np.where(place == one, sure - hit, 0.0) for one in range(BINS)]
    block = Block(
        add_by_task(ground.matrix.task[unit], np.stack(columns, axis=1), ground.matrix.tasks),
        {
            "ece": Measure(_gap, _all, lambda _: NO_STEP),
            **{
                name: Measure(partial(_mean, column=column), _all, lambda _: NO_STEP)
                for column, name in enumerate(("brier", "accuracy", "confidence"), start=1)
            },
        },
    )
    found: dict[str, Figure] = figures({"": block}, resamples, seed)[""]
    return {"figures": {name: one.as_json() for name, one in found.items()}, "bins": list(_bins(place, sure, hit))}


def _bins(place: Ints, sure: Floats, hit: Bools) -> list[dict[str, Any]]:
    """The ten spans, empty ones too."""
    rows = []
    for one in range(BINS):
        here = place == one
        many = int(here.sum())
        ends: dict[str, Any] = {"from": one / BINS, "to": (one + 1) / BINS, "n": many}
        said, seen = (float(sure[here].mean()), float(hit[here].mean())) if many else (None, None)
        rows.append(ends | {"said": said, "seen": seen})
    return rows


def _all(sums: Floats) -> float:
    return float(sums[0])


def _mean(sums: Floats, column: int) -> Floats:
    return np.asarray(sums[..., column] / sums[..., 0])


def _gap(sums: Floats) -> Floats:
    return np.asarray(np.abs(sums[..., 4 : 4 + BINS]).sum(axis=-1) / sums[..., 0])
