"""What a series of numbers along a trajectory looks like: how it swings, where it goes, where it ends."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

from models_service.statistics.aggregating import Number

ENDING = 0.2  # the share of the series that is its end


def volatility(numbers: Sequence[float]) -> Number:
    """The standard deviation of its first differences (of the whole population of them)."""
    if len(numbers) < 2:
        return Number(None, "one number has no differences")
    return Number(float(np.std(np.diff(np.asarray(numbers, float)))))


def trend(numbers: Sequence[float]) -> Number:
    """The slope of the least-squares line, a step."""
    if len(numbers) < 2:
        return Number(None, "one number has no slope")
    places = np.arange(len(numbers)) - (len(numbers) - 1) / 2
    return Number(float(places @ np.asarray(numbers, float) / (places @ places)))


def steady_state(numbers: Sequence[float]) -> Number:
    """The mean of its last fifth, of at least one number."""
    if not numbers:
        return Number(None, "there are no numbers")
    return Number(float(np.mean(numbers[-max(1, ceil(ENDING * len(numbers))) :])))


def gains(numbers: Sequence[float]) -> list[float]:
    """By how much each number is above the best before it, 0 where it is not; the first one gains itself."""
    best = np.maximum.accumulate(np.asarray(numbers, float)) if len(numbers) else np.array([])
    return [float(one) for one in np.diff(best, prepend=0.0).clip(min=0)]
