"""Raters who err by a table: Dawid and Skene's, and the one of a single number."""

from __future__ import annotations

import numpy as np

from models_service.statistics.coefficients import ratio
from models_service.statistics.consensus import fitting
from models_service.statistics.consensus.fitting import Step, Tables, flat, log
from models_service.statistics.consensus.outcome import Consensus, labels_of, nothing
from models_service.statistics.consensus.votes import Votes
from models_service.statistics.figures import Floats


def dawid_skene(votes: Votes) -> Consensus:
    """Each rater has a confusion matrix, each category a share; both are those that make all labels likeliest, found by
    expectation maximisation from the shares of votes (Dawid and Skene, "Maximum Likelihood Estimation of Observer
    Error-Rates Using the EM Algorithm", 1979). A category that the votes have left out stays out.

    One round by hand: units 0 0, 0 1, 1 1 of two raters, votes (1, 0), (1/2, 1/2), (0, 1). The first rater said 0 of 1
    + 1/2 of the 3/2 zeros, and of 1/2 of the 3/2 ones: tables 1, 0 / 1/3, 2/3; the second likewise 2/3, 1/3 / 0, 1. The
    unit 0 1 then is as likely 0 (1/2 * 1 * 1/3) as 1 (1/2 * 1/3 * 1): a tie, and the others are sure.
    """
    return _of(votes, _matrices)


def one_coin(votes: Votes) -> Consensus:
    """Each rater is right with one probability q, whatever the truth, and else says any other category alike; fitted as
    Dawid and Skene's (Zhang, Chen, Zhou and Jordan, "Spectral Methods Meet EM", 2014, section 2)."""
    return _of(votes, _coins)


def _of(votes: Votes, step: Step) -> Consensus:
    if reason := votes.unfit():
        return nothing(votes, reason)
    share = votes.counts / votes.counts.sum(axis=1, keepdims=True)
    none = Tables(np.zeros((votes.said.shape[1], votes.categories)), np.zeros(votes.categories))
    first = step(fitting.counted(votes, share), fitting.truths(votes, share), none)
    return outcome(votes, fitting.fitted(votes, first, step))


def outcome(votes: Votes, fit: fitting.Fit, bound: float | None = None, trust: Floats | None = None) -> Consensus:
    """`weight`: how often each rater is expected to be right."""
    posterior = votes.spread(fit.posterior)
    counts = fitting.counted(votes, fit.posterior)
    right = np.trace(counts, axis1=1, axis2=2)
    return Consensus(
        labels=labels_of(posterior),
        posterior=posterior,
        weight=ratio(right, counts.sum(axis=(1, 2))),
        log_likelihood=fit.evidence if bound is None else None,
        bound=bound,
        trace=fit.trace,
        converged=fit.converged,
        trust=trust,
    )


def _matrices(counts: Floats, shares: Floats, _: Tables) -> Tables:
    said = counts.sum(axis=1, keepdims=True)
    even = np.full(counts.shape, 1 / counts.shape[1])
    table = np.divide(counts, said, out=even, where=said > 0)
    return Tables(flat(log(table)), log(shares))


def _coins(counts: Floats, shares: Floats, _: Tables) -> Tables:
    size = counts.shape[1]
    said = counts.sum(axis=(1, 2))
    right = np.divide(np.trace(counts, axis1=1, axis2=2), said, out=np.full(len(counts), 1 / size), where=said > 0)
    table = np.where(np.eye(size, dtype=bool), right[:, None, None], (1 - right[:, None, None]) / (size - 1))
    return Tables(flat(log(table)), log(shares))
