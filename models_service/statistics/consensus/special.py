"""The few functions of the gamma family that Bayesian counts need; scipy is not among what runs here."""

from __future__ import annotations

import math

import numpy as np

from models_service.statistics.figures import Floats

SHIFTS = 10
# Bernoulli numbers: B_2n / 2n of the asymptotic series.
SERIES = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)

log_gamma = np.vectorize(math.lgamma, otypes=[np.float64])


def digamma(x: Floats) -> Floats:
    """The derivative of log gamma, for x > 0: Abramowitz and Stegun, Handbook of Mathematical Functions, 6.3.18, after
    ten steps of 6.3.5, ψ(x) = ψ(x + 1) - 1/x. digamma(1) = -0.5772…, minus Euler's constant."""
    found, moved = np.zeros_like(x, dtype=np.float64), np.array(x, dtype=np.float64)
    for _ in range(SHIFTS):
        found -= 1 / moved
        moved += 1
    inverse = 1 / moved**2
    series = np.zeros_like(moved)
    for term in reversed(SERIES):
        series = (series + term) * inverse
    return np.asarray(found + np.log(moved) - 0.5 / moved - series)


def expected_log(counts: Floats) -> Floats:
    """E[log p] of p ~ Dirichlet(counts), along the last axis."""
    return digamma(counts) - digamma(counts.sum(axis=-1, keepdims=True))


def divergence(counts: Floats, prior: Floats) -> float:
    """Kullback-Leibler divergence of Dirichlet(counts) from Dirichlet(prior), summed over all but the last axis."""

    def whole(each: Floats) -> Floats:
        return np.asarray(log_gamma(each.sum(axis=-1)) - log_gamma(each).sum(axis=-1))

    moved = ((counts - prior) * expected_log(counts)).sum(axis=-1)
    return float((whole(counts) - whole(prior) + moved).sum())
