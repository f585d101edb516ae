"""What a consensus says of the raters who made it, and what the reference says of the consensus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from models_service.statistics import probabilities
from models_service.statistics.coefficients import ratio
from models_service.statistics.consensus import fitting
from models_service.statistics.consensus.comparing import COUNTED, Compared, by_rater
from models_service.statistics.consensus.votes import Votes
from models_service.statistics.crossfit import Steps
from models_service.statistics.figures import Figure, Floats, Ints, figures

NOTHING_TO_CHECK = "No step that has a consensus has a label of the reference."


def of_raters(compared: Compared, name: str) -> list[dict[str, Any]]:
    """For each rater what the method relies on: {"rater", "right", "trust", "confusion"}, null where it has none.

    "right" is the method's weight (see outcome.Consensus), "trust" how often a rater is expected to know. "confusion"
    is [[share]], rows the truth as the method sees it, columns what the rater says of such steps; a row without steps
    is null. Of Dawid and Skene's it is the model's own table, of the others the same made of their posterior.
    """
    voices, one = compared.voices, compared.made[name]
    if one.reason:
        return []
    right, trust = by_rater(voices, one.weight), by_rater(voices, one.trust)
    tables = confusions(voices.votes, one.posterior)
    return [
        {"rater": rater, "right": right[rater], "trust": trust[rater], "confusion": _shares(tables[place])}
        for place, rater in enumerate(voices.raters)
    ]


def confusions(votes: Votes, posterior: Floats) -> Floats:
    """(raters, K said, K truth): how often each rater said that, expected over what the truth is. `posterior` is
    (units, K); units of one pattern count by the mean of theirs."""
    here = votes.of >= 0
    sums = np.zeros((len(votes.patterns), votes.categories))
    np.add.at(sums, votes.of[here], np.nan_to_num(posterior[here]))
    return fitting.counted(votes, np.asarray(sums / votes.times[:, None]))


def _shares(table: Floats) -> list[list[float] | None]:
    shares = ratio(table, table.sum(axis=0, keepdims=True)).T
    return [None if np.isnan(row).any() else [float(cell) for cell in row] for row in shares]


def calibration(compared: Compared, name: str, resamples: int, seed: int) -> dict[str, Any]:
    """Whether labels of a posterior are right as often as it says, on the steps that have a consensus and a label of
    the reference:

        {"steps", "brier": FIGURE, "ece": FIGURE over ten bins of equally many, "auroc": FIGURE without an interval, how
         often a wrong label has a lower posterior than a right one, "bins": [{"from", "to", "said", "seen", "low",
         "high", "n"}], "reason"}
    """
    voices, one = compared.voices, compared.made[name]
    sure = 1 - one.risk
    here = voices.known & ~np.isnan(sure)
    if not here.any():
        nothing = Figure(None, reason=one.reason or NOTHING_TO_CHECK).as_json()
        losses: dict[str, Any] = dict.fromkeys(("brier", "ece", "auroc"), nothing)
        return {"steps": 0, **losses, "bins": [], "reason": nothing["reason"]}
    said, right = np.clip(sure[here], 0, 1), ~voices.wrong(one)[here]
    task, tasks = voices.matrix.task[here], voices.matrix.tasks
    steps = Steps("probability", said, right, task, task, np.zeros(len(task), dtype=np.int64), tasks)
    found = figures({name: probabilities.block(steps, said)}, resamples, seed)[name]
    return {
        "steps": int(here.sum()),
        "brier": found["brier"].as_json(),
        "ece": found["ece_counts"].as_json(),
        "auroc": probabilities.areas(steps, said, 0, seed)["auroc"].as_json(),
        "bins": probabilities.bins(said, found),
        "reason": "",
    }


def doubtful(compared: Compared, name: str, most: int) -> Ints:
    """The units that raters labelled, those of the least posterior first, ties before all; at most so many."""
    one = compared.made[name]
    spoken = np.flatnonzero(compared.voices.votes.of >= 0)
    if one.reason:
        return spoken[:0]
    top = np.where(np.isnan(one.risk), -1.0, 1 - one.risk)[spoken]
    return np.asarray(spoken[np.argsort(top, kind="stable")][:most])


def is_probability(name: str) -> bool:
    """Whether the method's posterior is a probability, and not a share of votes."""
    return name not in COUNTED


def said_of(titles: Sequence[str], labels: Ints) -> dict[str, int]:
    """How many gave each value, by its title, of a row of labels."""
    return {title: int((labels == place).sum()) for place, title in enumerate(titles)}
