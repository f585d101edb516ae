"""Process beside outcome, and several objectives at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from annotations.records import Json


def normalised(process: float, outcome: float) -> float:
    """Process and outcome, both from 0 to 1, on one scale from -1 to 1 where no failure is above a success.

    Source: the aim of ReNorm (PPR); process + outcome - 1 is our reading of it.
    """
    return process + outcome - 1


def gated(process: float, outcome: Json) -> float:
    """The process reward of a rollout that passes; 0 for one that fails (Posterior-GRPO)."""
    return process if outcome == 1 else 0.0


def better_by_objective(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, str]:
    """For each objective which of two is better, "one", "other" or "tie": a preference a head (MAH-DPO)."""
    return {
        name: "tie" if one[name] == other[name] else "one" if one[name] > other[name] else "other"
        for name in one
        if name in other
    }


def capped(grade: float, better_was_there: bool) -> float:
    """A grade of a web step: 6 at most where a strictly better step was there. Source: the prompt of WebSCORE."""
    return min(grade, 6) if better_was_there else grade


def is_useful(grade: float) -> bool:
    """Whether a web step is kept: above 5, the line of WebSCORE's prompt between useful and not."""
    return grade > 5


def joined(sampled: float, judged_right: bool) -> Literal["correct", "disputed", "incorrect"]:
    """A step's label from the share of samples that succeed after it and a judge's opinion: disputed where they differ.

    Our reading of the hybrid labels of vision-language process reward models; more than half counts as right.
    """
    if (sampled > 0.5) != judged_right:
        return "disputed"
    return "correct" if judged_right else "incorrect"


def bad_example_weight(over_turn: bool) -> int:
    """Whether a rollout without a right answer counts as a bad example: not if it ran out of turns. Source: Mini-o3."""
    return 0 if over_turn else 1
