"""The calibration of one scorer on one project's labels: the map, and what it is worth on tasks it has not seen.

`calibrate` gives the map and a JSON object:

    {"of": "probability" or "value", "out_of_fold": whether the scorer's own numbers had to be cross-fitted,
     "steps", "wrong", "trajectories", "tasks", "folds", "resamples", "seed", "warnings": [text],
     "asked": the method that was asked for or "", "method", "tried": [{"method", "loss", "reason"}],
     "base_rate": the log-loss of saying the share of right steps,
     "before", "after", "change": {name: figure}, "bins": {"before", "after": [{"from", "to", "said", "seen", …}]},
     "spans": the same by equal spans of P(wrong), "risk": {"before", "after": [{"coverage", "risk", "n"}]},
     "first_error": {"threshold", "thresholds": out of fold, "figures"}}

A figure is {"value", "low", "high", "n", "reason"}; intervals resample tasks. "before" is what the scorer said, "after"
what maps said that had not seen the step's task. The method is chosen by the same steps, which flatters it a
little. Areas are given once: what the maps of several folds said is in no common order, and within one the order is
the scorer's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from annotations.tables import ScoreTable
from models_service.statistics import crossfit, first_errors, probabilities
from models_service.statistics.calibrating import NO_PROBABILITY, CannotCalibrate, Floats, Map
from models_service.statistics.crossfit import Steps
from models_service.statistics.figures import Figure, figures
from models_service.statistics.folding import FOLDS

RESAMPLES = 2000
FEW = 200
USELESS = "On tasks not seen its probabilities say no more than the share of right steps does."
AS_BEFORE = "As before: a rising map keeps the order of the steps."
WARNING = "Fewer than {} labelled steps: take these figures for a hint."


def calibrate(
    table: ScoreTable, method: str = "", *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[Map, dict[str, Any]]:
    """The map of the method that is asked for, else of the one with the least log-loss out of fold, and its report.
    CannotCalibrate, with the reason, where the labels do not suffice."""
    if reason := crossfit.unfit(table):
        raise CannotCalibrate(reason)
    steps = Steps.of_table(table, seed)
    found = crossfit.tried(steps)
    best, taken = crossfit.chosen(steps, found, method)
    assert taken.probability is not None, "what was chosen has said something of every step"
    report = {
        "of": table.of,
        "out_of_fold": table.out_of_fold,
        "steps": len(steps.right),
        "wrong": int((~steps.right).sum()),
        "trajectories": len(np.unique(steps.trajectory)),
        "tasks": steps.tasks,
        "folds": FOLDS,
        "resamples": resamples,
        "seed": seed,
        "warnings": _warnings(steps, taken.loss or 0.0),
        "asked": method,
        "method": best.method,
        "tried": [one.as_json() for one in found],
        "base_rate": crossfit.base_rate(steps),
    }
    return best, report | _figures(steps, taken.probability, resamples, seed)


def _warnings(steps: Steps, loss: float) -> list[str]:
    few = [WARNING.format(FEW)] if len(steps.right) < FEW else []
    return [*few, *([USELESS] if loss >= crossfit.base_rate(steps) else [])]


def _figures(steps: Steps, after: Floats, resamples: int, seed: int) -> dict[str, Any]:
    ways = {"after": after} if steps.of == "value" else {"before": steps.said, "after": after}
    blocks = {name: probabilities.block(steps, one) for name, one in ways.items()}
    firsts = first_errors.firsts(steps, after)
    called, thresholds = first_errors.out_of_fold(firsts)
    blocks["first_error"] = first_errors.block(firsts, called, steps.tasks)
    if "before" in blocks:
        blocks["change"] = probabilities.change(blocks["before"], blocks["after"])
    found = figures(blocks, resamples, seed)
    areas = {"before": probabilities.areas(steps, steps.said, resamples, seed)}
    areas["after"] = dict.fromkeys(areas["before"], Figure(None, n=len(after), reason=AS_BEFORE))
    none = dict.fromkeys(probabilities.LOSSES, Figure(None, n=len(after), reason=f"Undefined: {NO_PROBABILITY}."))
    return {
        name: _json({key: found.get(name, none)[key] for key in probabilities.LOSSES} | areas.get(name, {}))
        for name in ("before", "after", "change")
    } | {
        "bins": {name: probabilities.bins(one, found[name]) for name, one in ways.items()},
        "spans": {name: probabilities.of_spans(steps, one) for name, one in ways.items()},
        "risk": {name: probabilities.risk(steps, one) for name, one in ways.items()},
        "first_error": {
            "threshold": first_errors.best(firsts, np.ones(len(firsts.true), dtype=bool)),
            "thresholds": thresholds,
            "figures": _json(found["first_error"]),
        },
    }


def _json(found: Mapping[str, Figure]) -> dict[str, Any]:
    return {name: one.as_json() for name, one in found.items()}
