"""Verdicts of tools on steps joined with the outcomes of rollouts (GroundedPRM).

"GroundedPRM: Tree-Guided and Fidelity-Aware Process Reward Modeling for Step-Level Reasoning": our reading of its
abstract. Its weights are not published there: those of later steps are all 1 here unless others are given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

RIGHT, WRONG = 1, -1


class Grounded(NamedTuple):
    """What is known of a step, its two parts kept apart: the tool's verdict on it, which is its label, and the mean
    reward of the rollouts that go through it."""

    verdict: int
    value: float


def reward(verdicts: Sequence[int], outcome: int, step: int, beta: float = 1.0, weights: Sequence[float] = ()) -> float:
    """Of a rollout, from the step of that number on: the weighted mean of the verdicts (1 or -1) of later steps, plus
    beta · outcome (1 or -1). `weights` are those of the later steps, in order. Behind the last step there is no verdict
    to take a mean of, and the outcome alone counts. ValueError where a verdict is none."""
    if any(one not in (RIGHT, WRONG) for one in (*verdicts, outcome)):
        raise ValueError("verdicts and outcome are 1 or -1; where there is none, say none")
    later = verdicts[step + 1 :]
    weighed = list(weights) or [1.0] * len(later)
    if len(weighed) != len(later) or any(one < 0 for one in weighed):
        raise ValueError(f"{len(later)} later steps need as many weights of 0 or more; found {len(weighed)}")
    total = math.fsum(weighed)
    grounds = math.fsum(w * v for w, v in zip(weighed, later, strict=True)) / total if total else 0.0
    return grounds + beta * outcome


def grounded(verdict: int, rewards: Sequence[float]) -> Grounded | None:
    """A step by its own verdict and the rewards of the rollouts through it; None where there is no rollout."""
    return Grounded(verdict, math.fsum(rewards) / len(rewards)) if rewards else None


def upper_bound(value: float, visits: int, of_parent: int, exploration: float = math.sqrt(2)) -> float:
    """UCT: Q + c · √(log N(parent) / N(child)); infinite for what was never visited, so that it comes first."""
    return value + exploration * math.sqrt(math.log(of_parent) / visits) if visits else math.inf
