"""Labels by vote. Ties are not broken: where two categories have as many votes there is no consensus."""

from __future__ import annotations

import numpy as np

from models_service.statistics.coefficients import ratio
from models_service.statistics.consensus.outcome import Consensus, labels_of, nothing
from models_service.statistics.consensus.votes import Votes

EMPTY = "Nobody labelled anything."
NO_MAJORITY = "No step has a majority that raters could be held against."


def majority(votes: Votes) -> Consensus:
    """The category that most raters of the unit gave (a plurality). Said 0 0 1: 0, with a share of 2/3. Said 0 1:
    none."""
    if not len(votes.patterns):
        return nothing(votes, EMPTY)
    posterior = votes.spread(votes.counts / votes.counts.sum(axis=1, keepdims=True))
    return Consensus(labels_of(posterior), posterior)


def wawa(votes: Votes) -> Consensus:
    """Worker agreement with aggregate (as in Appen's and Toloka's tools): each rater weighs as much as the share of
    their labels that are the majority's, and the votes are counted again by weight. Ties have no majority to agree
    with.

    Units 0 0 1, 1 1 1, 0 0 0, 0 - 1 of three raters: majorities 0, 1, 0 and a tie. The raters agree in 3/3, 3/3 and
    2/3, so the last unit is 0, with a share of 1 / (1 + 2/3) = 3/5.
    """
    if not len(votes.patterns):
        return nothing(votes, EMPTY)
    most = labels_of(votes.counts)
    decided = most < votes.categories
    same = (votes.patterns == most[:, None]) & decided[:, None]
    spoke = (votes.patterns < votes.categories) & decided[:, None]
    weight = ratio(votes.times @ same, votes.times @ spoke)
    if not np.nansum(weight):
        return nothing(votes, NO_MAJORITY)
    heard = votes.said.reshape(len(votes.patterns), votes.raters, votes.categories)
    scores = np.einsum("prk,r->pk", heard, np.nan_to_num(weight))
    posterior = votes.spread(ratio(scores, scores.sum(axis=1, keepdims=True)))
    return Consensus(labels_of(posterior), posterior, weight)
