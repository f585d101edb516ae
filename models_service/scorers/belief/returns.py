"""Turns' rewards made into advantages within the rollouts of one task."""

from __future__ import annotations

import math
from collections.abc import Sequence

from models_service.scorers.belief.formulas import mean
from models_service.statistics.advantages import standardised

Rows = Sequence[Sequence[float]]  # a rollout each: the rewards of its turns


def discounted(rewards: Sequence[float], discount: float = 1.0) -> list[float]:
    """Σ discount^(k−t) · r_k over the turns from t on."""
    found, sum_ = [], 0.0
    for one in reversed(rewards):
        sum_ = one + discount * sum_
        found.append(sum_)
    return found[::-1]


def centred(group: Rows, discount: float = 1.0) -> list[list[float]]:
    """Discounted returns, less the mean over all turns of all rollouts (IGPO)."""
    returns = [discounted(rewards, discount) for rewards in group]
    every = [one for row in returns for one in row]
    middle = mean(every) if every else 0.0
    return [[one - middle for one in row] for row in returns]


def by_turn(group: Rows, discount: float = 1.0) -> list[list[float]]:
    """A gain as its z-score among the rollouts' gains at the same turn; then its discounted sum with those that follow,
    over the root of how many these are (A2TGPO, from its abstract; that each step of the sum is divided by its own
    number of terms is our reading)."""
    scores = [list(rewards) for rewards in group]
    for turn in range(max(map(len, group), default=0)):
        there = [place for place, rewards in enumerate(group) if turn < len(rewards)]
        for place, score in zip(there, standardised([group[place][turn] for place in there]), strict=True):
            scores[place][turn] = score
    return [[one / math.sqrt(len(row) - turn) for turn, one in enumerate(discounted(row, discount))] for row in scores]
