"""How often a scorer's choice among the rollouts of a task is right, beside choices that need no scorer.

`table` gives a JSON object:

    {"tasks", "rollouts": what it is computed from, "left_out": {reason: number of tasks},
     "rows": [{"name", "by": aggregate or "", "value", "low", "high", "n", "reason", "beside": {"difference", "low",
               "high", "n", "verdict", "reason"} the same tasks by majority vote (pairing.py), null on its own row}],
     "ks": [2, 4, …], "curves": [{"name", "points": [{"k", "value", "n", "reason"}]}],
     "default": the aggregate to rank by, "resamples", "seed"}

All rows are over the same tasks; `n` says for how many of them the row is defined. Intervals resample tasks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models_service.statistics import choosing
from models_service.statistics.aggregating import AGGREGATES, FOR_RANKING, Number, among
from models_service.statistics.pairing import paired

RESAMPLES = 1000
VOTES = ("last", "min")  # aggregates that answers are weighted with
WEIGHTED = f"weighted vote by {FOR_RANKING}"
CURVES = ("pass@k", "majority", WEIGHTED, *VOTES)
MAJORITY = ("majority vote", "")  # what others are held against: a scorer that chooses no better than it is of no use
BARRED = ("max", "sum")  # a long rollout has more chances to have a high step: not offered as a choice


@dataclass(frozen=True)
class Candidate:
    """A rollout to choose from: the scores of its steps, its answer in one spelling, and whether it is right."""

    scores: Sequence[float]
    answer: str | None
    right: bool | None


Chosen = Callable[[Sequence[Candidate]], Number]  # of one task: how right the choice is


def table(tasks: Mapping[int, Sequence[Candidate]], *, seed: int = 0) -> dict[str, Any]:
    left_out: Counter[str] = Counter()
    kept: list[Sequence[Candidate]] = []
    for rollouts in tasks.values():
        why = _unfit(rollouts)
        if why:
            left_out[why] += 1
        else:
            kept.append(rollouts)
    ks = _ks(kept)
    return {
        "tasks": len(kept),
        "rollouts": sum(map(len, kept)),
        "left_out": dict(left_out),
        "rows": _rows(kept, seed) if kept else [],
        "ks": ks,
        "curves": [_curve(name, ks, kept, seed) for name in CURVES] if ks else [],
        "default": FOR_RANKING,
        "resamples": RESAMPLES,
        "seed": seed,
    }


def _unfit(rollouts: Sequence[Candidate]) -> str:
    if len(rollouts) < 2:
        return "one rollout only"
    if any(one.right is None for one in rollouts):
        return "a rollout without a verdict"
    return "" if all(one.scores for one in rollouts) else "a rollout without scores"


def _choices(seed: int) -> list[tuple[str, str, Chosen]]:
    by = [name for name in AGGREGATES if name not in BARRED]
    return [
        ("pass@1", "", _expected),
        (*MAJORITY, lambda rollouts: _voted(rollouts, None)),
        *[("weighted vote", name, _weighted_by(name)) for name in VOTES],
        *[("best of N", name, _best_by(name)) for name in sorted(by, key=lambda one: one != FOR_RANKING)],
        ("oracle", "", lambda rollouts: Number(float(any(one.right for one in rollouts)))),
    ]


def _expected(rollouts: Sequence[Candidate]) -> Number:
    return Number(float(np.mean([bool(one.right) for one in rollouts])))


def _voted(rollouts: Sequence[Candidate], weights: Sequence[float] | None) -> Number:
    answers = [one.answer for one in rollouts]
    try:
        place = choosing.majority(answers) if weights is None else choosing.weighted(answers, weights)
    except ValueError as no:
        return Number(None, str(no))
    return Number(None, "no rollout has an answer") if place is None else Number(float(bool(rollouts[place].right)))


def _weighted_by(name: str) -> Chosen:
    def chosen(rollouts: Sequence[Candidate]) -> Number:
        scores, why = _scores(name, rollouts)
        return _voted(rollouts, scores) if scores else Number(None, why)

    return chosen


def _best_by(name: str) -> Chosen:
    def chosen(rollouts: Sequence[Candidate]) -> Number:
        scores, why = _scores(name, rollouts)
        return Number(float(bool(rollouts[choosing.best(scores)].right))) if scores else Number(None, why)

    return chosen


def _scores(name: str, rollouts: Sequence[Candidate]) -> tuple[list[float], str]:
    """The aggregates of all rollouts of a task, or none and why: a choice among some of them would be another one."""
    found = among(name, [one.scores for one in rollouts])
    numbers = [one.value for one in found if one.value is not None]
    return (numbers, "") if len(numbers) == len(found) else ([], next(one.reason for one in found if one.reason))


def _rows(kept: Sequence[Sequence[Candidate]], seed: int) -> list[dict[str, Any]]:
    found = {(name, by): [chosen(rollouts) for rollouts in kept] for name, by, chosen in _choices(seed)}
    voted = [one.value for one in found[MAJORITY]]
    return [
        _row(name, by, numbers, seed)
        | {"beside": None if (name, by) == MAJORITY else _beside([one.value for one in numbers], voted, seed)}
        for (name, by), numbers in found.items()
    ]


def _beside(values: list[float | None], voted: list[float | None], seed: int) -> dict[str, Any]:
    return paired(values, voted, resamples=RESAMPLES, seed=seed).as_json()


def _row(name: str, by: str, found: Sequence[Number], seed: int) -> dict[str, Any]:
    values = np.array([one.value for one in found if one.value is not None])
    reasons = Counter(one.reason for one in found if one.value is None)
    why = "; ".join(f"{reason} ({count} tasks)" for reason, count in reasons.most_common())
    low, high = _interval(values, seed)
    value = float(values.mean()) if len(values) else None
    return {"name": name, "by": by, "value": value, "low": low, "high": high, "n": len(values), "reason": why}


def _interval(values: Any, seed: int) -> tuple[float | None, float | None]:
    if len(values) < 2:
        return None, None
    drawn = np.random.default_rng(seed).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def _ks(kept: Sequence[Sequence[Candidate]]) -> list[int]:
    """2, 4, 8, … as far as half of the tasks have as many rollouts."""
    middle = int(np.median([len(one) for one in kept])) if kept else 0
    return [2**power for power in range(1, 11) if 2**power <= middle]


def _curve(name: str, ks: Sequence[int], kept: Sequence[Sequence[Candidate]], seed: int) -> dict[str, Any]:
    title = f"best of k by {name}" if name in VOTES else name
    points = []
    for k in ks:
        found = [_of_k(name, rollouts, k, seed) for rollouts in kept]
        values = [one.value for one in found if one.value is not None]
        reason = next((one.reason for one in found if one.value is None), "")
        mean = float(np.mean(values)) if values else None
        points.append({"k": k, "value": mean, "n": len(values), "reason": reason})
    return {"name": title, "points": points}


def _of_k(name: str, rollouts: Sequence[Candidate], k: int, seed: int) -> Number:
    right = [bool(one.right) for one in rollouts]
    if name == "pass@k":
        return choosing.pass_at_k(len(right), sum(right), k)
    scores, why = ([], "") if name == "majority" else _scores(name if name in VOTES else FOR_RANKING, rollouts)
    if why:
        return Number(None, why)
    if name in VOTES:
        return choosing.best_of_k(scores, right, k)
    return _vote_of_k(rollouts, scores, k, seed)


def _vote_of_k(rollouts: Sequence[Candidate], scores: Sequence[float], k: int, seed: int) -> Number:
    """The majority, or with scores the weighted vote, over draws of k that are the same for the same seed."""
    if len(rollouts) < k:
        return Number(None, f"{len(rollouts)} rollouts are too few to draw {k}")
    found = [
        _voted([rollouts[place] for place in places], [scores[place] for place in places] if scores else None)
        for places in choosing.subsamples(len(rollouts), k, seed=seed)
    ]
    known = [one.value for one in found if one.value is not None]
    return Number(float(np.mean(known))) if known else Number(None, found[0].reason)
