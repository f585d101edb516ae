"""Maps from a scorer's numbers to P(the step is not wrong), and fitting them to steps whose label is known.

A map is small and is kept as JSON. It reads one number of a score: `of` "probability" the log-odds of the probability
that the scorer gave, held to 1e-6 from 0 and 1; `of` "value" the scorer's own number. All maps are monotone: a greater
number never means a smaller probability.

    {"method": "unchanged", "of": "probability"}                       the probability as the scorer gave it
    {"method": "temperature", "of": "probability", "temperature": T}   sigmoid(log-odds / T)
    {"method": "platt", "of": …, "scale": a, "bias": b}                sigmoid(a · number + b)
    {"method": "isotonic", "of": …, "at": [x…], "says": [p…]}          straight between knots, level beyond the ends

The same is computed in SQL where scores are read: annotations/services/calibration.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SUREST = 1e-6  # a probability is read as at least this far from 0 and 1
FARTHEST = 30.0  # log-odds are held to this, so that no exponential overflows
ROUNDS = 200
ROUNDING = 1e-13  # differences of losses below this are none
STILL = 1e-9  # of the mean gradient, where Newton's method has arrived
ONE_KIND = "all labelled steps are {}: there is nothing to tell apart"
NO_PROBABILITY = "the scorer gives no probabilities"
ALL_EQUAL = "all numbers are one and the same"
NOT_RISING = "the numbers are no greater where steps are right than where they are wrong"


class CannotCalibrate(Exception):
    """These numbers and labels do not decide a map. The message is the reason."""


@dataclass(frozen=True)
class Map:
    """One fitted map. `parameters` is the JSON object above."""

    parameters: dict[str, Any]

    @property
    def method(self) -> str:
        return str(self.parameters["method"])

    def probabilities(self, said: Floats) -> Floats:
        """P(not wrong) for each of what scores say, (n,): their probabilities or their values, as `of` tells."""
        found = self.parameters
        if self.method == "unchanged":
            return np.asarray(said, dtype=float)
        number = numbers(said, found["of"])
        if self.method == "isotonic":
            return np.asarray(np.interp(number, found["at"], found["says"]))
        scale, bias = (
            (1 / found["temperature"], 0.0) if self.method == "temperature" else (found["scale"], found["bias"])
        )
        return sigmoid(scale * number + bias)


def numbers(said: Floats, of: str) -> Floats:
    """What a map reads of what a score says."""
    if of == "value":
        return np.asarray(said, dtype=float)
    held = np.clip(said, SUREST, 1 - SUREST)
    return np.asarray(np.log(held) - np.log1p(-held))


def sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -FARTHEST, FARTHEST))))


def fit(method: str, said: Floats, right: Bools, of: str) -> Map:
    """The map of that method for steps of which the scorer said this, (n,), and which are right (not wrong) or not,
    (n,). CannotCalibrate where they do not decide one."""
    if right.all() or not right.any():
        raise CannotCalibrate(ONE_KIND.format("right or neutral" if len(right) and right.all() else "wrong"))
    if of == "value" and method in ("unchanged", "temperature"):
        raise CannotCalibrate(NO_PROBABILITY)
    return Map({"method": method, "of": of} | FITS[method](numbers(said, of), right))


def unchanged(number: Floats, right: Bools) -> dict[str, Any]:
    return {}


def temperature(number: Floats, right: Bools) -> dict[str, Any]:
    """The T > 0 of greatest likelihood (Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks,
    2017). The loss is convex in 1/T: Newton's method between ends that hold the place where it turns."""

    def slope(scale: float) -> tuple[float, float]:
        chance = sigmoid(scale * number)
        return float(np.mean((chance - right) * number)), float(np.mean(chance * (1 - chance) * number**2))

    if slope(0.0)[0] >= 0:
        raise CannotCalibrate(NOT_RISING)
    if np.all(np.where(right, number, -number) >= 0):
        raise CannotCalibrate("every labelled step is on its side of one half: the sharpest map would be the best")
    low, high = 0.0, 1.0
    while slope(high)[0] < 0:
        low, high = high, 2 * high
        assert high < 1e12, "the loss turns somewhere, for some step is on the wrong side"
    scale = (low + high) / 2
    for _ in range(ROUNDS):
        first, second = slope(scale)
        if abs(first) <= STILL:
            return {"temperature": 1 / scale}
        low, high = (scale, high) if first < 0 else (low, scale)
        scale = scale - first / second if second > 0 else low
        if not low < scale < high:
            scale = (low + high) / 2
    raise AssertionError("Newton's method between two ends arrives")


def platt(number: Floats, right: Bools) -> dict[str, Any]:
    """Scale and bias of greatest likelihood for targets (N₊+1)/(N₊+2) and 1/(N₋+2) in place of 1 and 0 (Platt,
    Probabilistic Outputs for Support Vector Machines, 1999), by Newton's method with halved steps (Lin, Lin and Weng,
    A Note on Platt's Probabilistic Outputs, 2007)."""
    mean, spread = float(np.mean(number)), float(np.std(number))
    if not spread > 1e-12 * (1 + abs(mean)):
        raise CannotCalibrate(ALL_EQUAL)
    many, few = int(right.sum()), int((~right).sum())
    target = np.where(right, (many + 1) / (many + 2), 1 / (few + 2))
    scale, bias = _newton((number - mean) / spread, target)
    if scale <= 0:
        raise CannotCalibrate(NOT_RISING)
    return {"scale": scale / spread, "bias": bias - scale * mean / spread}


def _newton(number: Floats, target: Floats) -> tuple[float, float]:
    design = np.stack([number, np.ones_like(number)], axis=1)

    def loss(weights: Floats) -> float:
        logits = design @ weights
        return float(np.mean(np.logaddexp(0, logits) - target * logits))

    weights = np.array([0.0, np.log(target.mean() / (1 - target.mean()))])
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(-(design @ weights)))
        gradient = design.T @ (chance - target) / len(target)
        if np.abs(gradient).max() <= STILL:
            return float(weights[0]), float(weights[1])
        curve = (design * (chance * (1 - chance))[:, None]).T @ design / len(target) + 1e-12 * np.eye(2)
        step, now = np.linalg.solve(curve, gradient), loss(weights)
        size = 1.0
        while loss(weights - size * step) > now - 1e-4 * size * float(gradient @ step) + ROUNDING:
            size /= 2
        weights = weights - size * step
    raise AssertionError("Newton's method arrives: the loss is convex and, with these targets, has a lowest place")


def isotonic(number: Floats, right: Bools) -> dict[str, Any]:
    """The rising steps of least squares (pool adjacent violators; Zadrozny and Elkan, Transforming Classifier Scores
    into Accurate Multiclass Probability Estimates, 2002). Equal numbers are averaged first. Knots are the two ends of
    each level stretch. No level is surer than n labels can say: it is held to 1/(n + 2) from 0 and 1."""
    at, place, count = np.unique(number, return_inverse=True, return_counts=True)
    if len(at) < 2:
        raise CannotCalibrate(ALL_EQUAL)
    levels = pooled(np.bincount(place, weights=right.astype(float)) / count, count.astype(float))
    if levels[0] == levels[-1]:
        raise CannotCalibrate(NOT_RISING)
    ends = np.ones(len(at), dtype=bool)
    ends[1:-1] = (levels[1:-1] != levels[:-2]) | (levels[1:-1] != levels[2:])
    least = 1 / (len(right) + 2)
    return {"at": at[ends].tolist(), "says": np.clip(levels[ends], least, 1 - least).tolist()}


def pooled(level: Floats, weight: Floats) -> Floats:
    """The nearest sequence that never falls, by weighted squares: what falls is pooled with what it falls from."""
    blocks: list[tuple[float, float, int]] = []  # level, weight, how many
    for value, heavy in zip(level.tolist(), weight.tolist(), strict=True):
        many = 1
        while blocks and blocks[-1][0] >= value:
            above, more, others = blocks.pop()
            value, heavy, many = (above * more + value * heavy) / (more + heavy), heavy + more, many + others
        blocks.append((value, heavy, many))
    return np.repeat([value for value, _, _ in blocks], [many for *_, many in blocks])


FITS: dict[str, Callable[[Floats, Bools], dict[str, Any]]] = {
    "unchanged": unchanged,
    "temperature": temperature,
    "platt": platt,
    "isotonic": isotonic,
}
METHODS = tuple(FITS)
