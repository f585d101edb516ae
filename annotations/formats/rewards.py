"""Rewards of turns: their forms, their aggregates and their normalisations. Plain arithmetic over lists."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

TEMPERATURE = 0.1

Form = Callable[[Sequence[float]], list[float]]


def raw(rewards: Sequence[float]) -> list[float]:
    """r_t as it is."""
    return list(rewards)


def potential(rewards: Sequence[float]) -> list[float]:
    """r'_t = φ_t − φ_(t−1) with φ_0 = 0, so that they sum to the last: shaping by differences of a potential (Ng,
    Harada and Russell, Policy invariance under reward transformations), without discount. Turns that have no φ are
    passed over."""
    return [after - before for before, after in zip([0.0, *rewards], rewards, strict=False)]


def least(rewards: Sequence[float], temperature: float = TEMPERATURE) -> list[float]:
    """r'_t = w_t · r_t with w_t = exp(−r_t / T) / Σ_j exp(−r_j / T), T = 0.1: their sum is near the least r, and the
    worst turn has nearly all the weight (PURE, arXiv 2504.15275)."""
    if not rewards:
        return []
    lowest = min(rewards)
    weights = [math.exp(-(one - lowest) / temperature) for one in rewards]
    total = math.fsum(weights)
    return [weight / total * one for weight, one in zip(weights, rewards, strict=True)]


FORMS: Mapping[str, Form] = {"raw": raw, "potential": potential, "min": least}

AGGREGATES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "sum": math.fsum,
    "mean": lambda rewards: math.fsum(rewards) / len(rewards),
    "min": min,
    "last": lambda rewards: rewards[-1],
}


@dataclass(frozen=True)
class Moments:
    """How many values there are, their sum, that of their squares, the lowest and the highest. Two are added up, so
    that those of a whole file can be had piece by piece."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    lowest: float = math.inf
    highest: float = -math.inf

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.count + other.count,
            self.total + other.total,
            self.squares + other.squares,
            min(self.lowest, other.lowest),
            max(self.highest, other.highest),
        )

    @property
    def flat(self) -> bool:
        """Whether the values do not vary: a normalised value is undefined."""
        return self.count == 0 or self.lowest == self.highest

    @property
    def mean(self) -> float:
        return self.total / self.count

    @property
    def deviation(self) -> float:
        """The standard deviation of these values themselves, not of a population they are drawn from."""
        return math.sqrt(max(self.squares / self.count - self.mean**2, 0.0))


def moments(values: Iterable[float]) -> Moments:
    every = list(values)
    if not every:
        return Moments()
    return Moments(len(every), math.fsum(every), math.fsum(one * one for one in every), min(every), max(every))


def normalised(value: float, among: Moments) -> float:
    """(value − mean) / standard deviation of the values it is among; 0 where these do not vary. Group-relative
    advantages (GRPO, arXiv 2402.03300) are this, over the rewards of all turns of all rollouts of a task."""
    return 0.0 if among.flat or not among.deviation else (value - among.mean) / among.deviation
