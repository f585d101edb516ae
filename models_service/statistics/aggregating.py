"""From the scores of steps to one number for a rollout, or for the beginning of one.

Every function takes the scores in the order of the steps. A number that is not defined is None with the reason. The
names and conventions are those of the literature: the product of PRM800K, the minimum of Math-Shepherd, the softmin of
PURE, clip and delta of "On Designing Effective RL Reward at Training Time for LLM Reasoning".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from annotations.records import Number as Number

TEMPERATURE = 0.1
FOR_DISPLAY = "min"  # it says where a rollout is weak
FOR_RANKING = "last"

Array = npt.NDArray[np.float64]


def softmin_weights(scores: Sequence[float], temperature: float = TEMPERATURE) -> Array:
    """The share of each step: the lower its score, the more of it."""
    if temperature <= 0:
        raise ValueError(f"a softmin needs a temperature above 0, not {temperature}")
    numbers = np.asarray(scores, float)
    weights = np.exp(-(numbers - numbers.min()) / temperature)  # the least is taken off so that none overflows
    return np.asarray(weights / weights.sum())


def softmin_rewards(scores: Sequence[float], temperature: float = TEMPERATURE) -> Array:
    """Each score times its softmin weight; their sum is near the least score."""
    return np.asarray(softmin_weights(scores, temperature) * np.asarray(scores, float))


def clipped(scores: Sequence[float], eta: float) -> Array:
    """min(score − eta, 0): a step can only cost, never earn."""
    return np.minimum(np.asarray(scores, float) - eta, 0.0)


def deltas(scores: Sequence[float]) -> Array:
    """Each score less the next; the last keeps its own. They sum to the first score, however long the rollout is."""
    numbers = np.asarray(scores, float)
    return np.concatenate([numbers[:-1] - numbers[1:], numbers[-1:]])


def discounted_sum(scores: Sequence[float], discount: float = 1.0) -> float:
    numbers = np.asarray(scores, float)
    return float(np.sum(numbers * discount ** np.arange(len(numbers))))


def _softmin(numbers: Array) -> Number:
    return Number(float(softmin_rewards(list(numbers)).sum()))


def _product(numbers: Array) -> Number:
    return _of_probabilities(numbers) or Number(float(np.prod(numbers)))


def _geometric_mean(numbers: Array) -> Number:
    if refused := _of_probabilities(numbers):
        return refused
    return Number(float(np.exp(np.mean(np.log(numbers)))) if numbers.all() else 0.0)


def _log_odds(numbers: Array) -> Number:
    if refused := _of_probabilities(numbers):
        return refused
    if np.any((numbers == 0) | (numbers == 1)):
        return Number(None, "the log-odds of a probability of 0 or 1 are infinite")
    return Number(float(np.sum(np.log(numbers) - np.log1p(-numbers))))


def _of_probabilities(numbers: Array) -> Number | None:
    inside = bool(np.all((numbers >= 0) & (numbers <= 1)))
    return None if inside else Number(None, "defined for numbers from 0 to 1 only")


AGGREGATES: Mapping[str, Callable[[Array], Number]] = {
    "last": lambda numbers: Number(float(numbers[-1])),
    "min": lambda numbers: Number(float(numbers.min())),
    "mean": lambda numbers: Number(float(numbers.mean())),
    "max": lambda numbers: Number(float(numbers.max())),
    "product": _product,
    "geometric mean": _geometric_mean,
    "softmin": _softmin,
    "log-odds sum": _log_odds,
    "sum": lambda numbers: Number(float(numbers.sum())),
}
OF_EQUAL_LENGTHS = frozenset(["log-odds sum"])  # else the longer rollout wins for being longer


def aggregate(name: str, scores: Sequence[float]) -> Number:
    """What the scores of a rollout, or of its beginning, come to."""
    if not scores:
        return Number(None, "no step has a score")
    return AGGREGATES[name](np.asarray(scores, float))


def prefixes(name: str, scores: Sequence[float]) -> list[Number]:
    """What each beginning comes to: what a beam search over steps would rank it by."""
    return [aggregate(name, scores[: end + 1]) for end in range(len(scores))]


def among(name: str, rollouts: Sequence[Sequence[float]]) -> list[Number]:
    """What each of several rollouts that are to be compared comes to."""
    if name in OF_EQUAL_LENGTHS and len({len(one) for one in rollouts}) > 1:
        return [Number(None, f"the {name} of rollouts of unequal length is no comparison")] * len(rollouts)
    return [aggregate(name, one) for one in rollouts]
