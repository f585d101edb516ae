"""The arithmetic of beliefs, in natural logarithms. No model is asked here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from models_service.scorers.base import CannotScore
from models_service.scorers.language.asked import Token

LEAST = -100.0  # what a token that a model holds impossible counts, so that sums and differences stay finite
TINY = 1e-8  # added to a probability before its logarithm is taken, as SIOP's code does


def log_probs(tokens: Sequence[Token], least: float = LEAST) -> list[float]:
    """Those of the tokens, none below `least` nor above 0. CannotScore where there are none, or one is no number."""
    if not tokens:
        raise CannotScore("the language model reads no token in the text it was asked about")
    if any(math.isnan(one.log_prob) for one in tokens):
        raise CannotScore("the language model answered with a log-probability that is no number")
    return [min(0.0, max(least, one.log_prob)) for one in tokens]


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _mean_log(values: Sequence[float]) -> float:
    return math.exp(mean(values))


def _product(values: Sequence[float]) -> float:
    return math.exp(math.fsum(values))


def _mean(values: Sequence[float]) -> float:
    return mean([math.exp(one) for one in values])


NORMALISATIONS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "mean-log": _mean_log,  # exp of the mean: however long the answer
    "product": _product,  # the probability of the whole text
    "mean": _mean,  # of the tokens' probabilities
}


def log_gain(after: float, before: float) -> float:
    """log(after + 1e-8) − log(before + 1e-8), of two probabilities: within ±18.43."""
    return math.log(after + TINY) - math.log(before + TINY)


def log_ratio(tokens: Sequence[Token], others: Sequence[Token], beta: float = 1.0) -> float:
    """beta · Σ (log p − log p_other) over the tokens of one text, read twice."""
    return beta * (math.fsum(log_probs(tokens)) - math.fsum(log_probs(others)))


def potential(accuracy: float, confidence: float) -> float:
    """1.5·Acc·Conf + 0.5·Acc − Conf: 1 where it is sure of the right answer, −1 where of a wrong one, .5 where it is
    right and unsure, 0 where it is neither."""
    return 1.5 * accuracy * confidence + 0.5 * accuracy - confidence


def entropy(top: Mapping[str, float]) -> float:
    """In nats, of the likeliest tokens at one place, by their log-probabilities."""
    return -math.fsum(math.exp(one) * one for one in top.values() if math.isfinite(one))


def faithfulness(after: Sequence[float], before: Sequence[float], limit: float) -> float:
    """(1/length)·(log p(rest given the steps) − log p(rest)), within ±limit. Both are of the same tokens."""
    found = (math.fsum(after) - math.fsum(before)) / len(after)
    return max(-limit, min(limit, found))


def combined(outcome: float, faithful: Sequence[float], weight: float) -> float:
    """A rollout's reward: its outcome, and the weighted mean of its steps' path faithfulness."""
    return outcome + weight * mean(faithful) if faithful else outcome


def cluster_weights(sizes: Sequence[int], evidence: Sequence[float] = (), eta: float = 0.0) -> list[float]:
    """q of each cluster: its share of the answered rollouts; with `eta`, in proportion to share · exp(eta · evidence)
    and summing to 1."""
    shares = [size / sum(sizes) for size in sizes]
    if not eta:
        return shares
    raised = [share * math.exp(eta * one) for share, one in zip(shares, evidence, strict=True)]
    return [one / math.fsum(raised) for one in raised]
