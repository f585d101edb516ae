"""How well predictions meet labels. NaN where there is nothing to measure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def auroc(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """P(a positive's score is above a negative's), ties counting half: the rank formula of Mann and Whitney."""
    many, few = int(positive.sum()), int((~positive).sum())
    if not many or not few:
        return float("nan")
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(count) - (count - 1) / 2
    return float((ranks[place][positive].sum() - many * (many + 1) / 2) / (many * few))


def accuracy(said: Ints, truth: Ints) -> float:
    return float(np.mean(said == truth)) if len(truth) else float("nan")


def macro_f1(said: Ints, truth: Ints) -> float:
    """The mean of F1 over the classes that occur in the truth; a class never said has F1 0."""
    values = []
    for one in np.unique(truth):
        hit = np.sum((said == one) & (truth == one))
        values.append(2 * hit / (np.sum(said == one) + np.sum(truth == one)))
    return float(np.mean(values)) if values else float("nan")


def brier(probability: Floats, happened: NDArray[np.bool_]) -> float:
    return float(np.mean((probability - happened) ** 2)) if len(happened) else float("nan")


def calibration_error(probability: Floats, happened: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error: the gap between said and seen, over equal bins of what was said."""
    if not len(happened):
        return float("nan")
    place = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [abs(probability[place == b].mean() - happened[place == b].mean()) * np.mean(place == b) for b in set(place)]
    return float(sum(gaps))
