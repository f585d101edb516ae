"""Turns' rewards made into advantages within the rollouts of one task, as reinforcement learning takes them.

Rollouts may be of unequal length. Where all values of a group are equal, none is better than another: each gets 0.
(Information gain has its own in models_service/scorers/belief/returns.py.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

DISCOUNT = 0.9
Rows = Sequence[Sequence[float]]  # a rollout each: the rewards of its turns


def standardised(values: Sequence[float]) -> list[float]:
    """Each less their mean, over their standard deviation (of the population)."""
    numbers = np.asarray(values, float)
    spread = numbers.std() if len(numbers) else 0.0
    return [0.0] * len(numbers) if spread < 1e-12 else [float(one) for one in (numbers - numbers.mean()) / spread]


def returns(rewards: Sequence[float], discount: float = DISCOUNT) -> list[float]:
    """What is still to come from each turn on: Σ discount^(k − t) · r_k."""
    found, ahead = [], 0.0
    for one in reversed(rewards):
        ahead = one + discount * ahead
        found.append(ahead)
    return found[::-1]


def dual(group: Rows, discount: float = DISCOUNT) -> list[list[float]]:
    """For each turn half of two z-scores (MatchTIR): of its rollout's summed rewards among all rollouts of the task,
    and of its discounted return among those of the turns with the same number. Rewards are the means of what the calls
    of a turn get by matching, of the last the F1 of its words with the answer.

    Two rollouts, [1, 0] and [0, 0.5], discount 0.9: sums 1 and .5, so +1 and −1; returns 1, 0 and .45, .5, so +1, −1
    at the first turn and −1, +1 at the second: [1, 0] and [−1, 0].
    """
    whole = standardised([sum(rewards) for rewards in group])
    ahead = [returns(rewards, discount) for rewards in group]
    found = [[sure / 2] * len(rewards) for sure, rewards in zip(whole, group, strict=True)]
    for turn in range(max(map(len, group), default=0)):
        there = [place for place, rewards in enumerate(group) if turn < len(rewards)]
        for place, score in zip(there, standardised([ahead[place][turn] for place in there]), strict=True):
            found[place][turn] += score / 2
    return found


class Visit(NamedTuple):
    """A turn: the state it was taken in, and what came of it (a return)."""

    state: Hashable
    value: float


class Relative(NamedTuple):
    """`value` beside turns in the same state; None and why where there are none. `sizes`: how many turns, itself among
    them, stood in this state with the same last k states before it, for k = 0, 1, …"""

    value: float | None
    sizes: tuple[int, ...]
    reason: str = ""


def by_history(
    group: Sequence[Sequence[Visit]], depth: int = 2, weights: Sequence[float] | None = None
) -> list[list[Relative]]:
    """Each turn beside those in the same state with the same last k states before it, for k = 0 … depth (HGPO): its
    z-score in each of these groups, and of these the weighted mean.

    A group of the turn alone says nothing and has no weight. A turn with fewer than k before it has all of them for its
    history. Weights 1, 2, … (the closer the history, the more) are our reading: the paper's we do not know.

    Two rollouts through the states a, s and b, s, of worth 1 and 0 at s: at k = 0 both stand in s, +1 and −1; at k = 1
    their histories differ, and each is alone.
    """
    weights = [float(k + 1) for k in range(depth + 1)] if weights is None else list(weights)
    if len(weights) != depth + 1 or any(one < 0 for one in weights):
        raise ValueError(f"{depth + 1} weights are needed, none below 0; found {weights}")
    levels = [_level(group, k) for k in range(depth + 1)]
    return [
        [_relative([level[place, turn] for level in levels], weights) for turn in range(len(visits))]
        for place, visits in enumerate(group)
    ]


Place = tuple[int, int]  # of the rollout, and of the turn in it


def _level(group: Sequence[Sequence[Visit]], k: int) -> Mapping[Place, tuple[float, int]]:
    """Each turn's z-score in its group, and the group's size."""
    alike: dict[Hashable, list[Place]] = defaultdict(list)
    for place, visits in enumerate(group):
        states = [visit.state for visit in visits]
        for turn, state in enumerate(states):
            alike[state, tuple(states[max(0, turn - k) : turn])].append((place, turn))
    return {
        place: (score, len(places))
        for places in alike.values()
        for place, score in zip(places, standardised([group[one][turn].value for one, turn in places]), strict=True)
    }


def _relative(found: Sequence[tuple[float, int]], weights: Sequence[float]) -> Relative:
    sizes = tuple(size for _, size in found)
    counted = [(score, weight) for (score, size), weight in zip(found, weights, strict=True) if size > 1]
    whole = sum(weight for _, weight in counted)
    if not whole:
        return Relative(None, sizes, "no other turn stands in the same state")
    return Relative(sum(score * weight for score, weight in counted) / whole, sizes)
