"""A few judges out of many who vote, chosen one after another on labels of people.

A group of weak judges whose answers are averaged is from "Debate Helps Weak-to-Strong Generalization"; taking members
one after another, and keeping what is best on known labels, from "Ensemble Selection from Libraries of Models". How
both are put together here is our reading, in three points.

- The chance of a category is the share of the chosen who give it: their mean vote. A tie has no label, as in
  consensus.voting.
- Nobody is taken twice. There one may be, which is a weight; judges weighed on known labels are consensus.anchored.
- Each turn takes the judge with whom the mean vote is nearest to what is known (Brier score), as long as one or two
  more make the labels better. It has to look two ahead, for two who vote tie wherever they differ, so that a second
  never makes more steps right. Better is by macro-F1: where most steps are of one category, saying nothing else has
  most steps right.
"""

from __future__ import annotations

import numpy as np

from models_service.statistics.coefficients import Codes, f1, ratio
from models_service.statistics.consensus.outcome import EVEN, labels_of
from models_service.statistics.figures import Floats, Ints

LOOKED_AHEAD = 2


def choose(labels: Codes, gold: Codes, categories: int) -> tuple[int, ...]:
    """The columns of `labels` (units, judges), in the order in which they are taken; of equals the first. `gold`
    (units,) is what is known, `categories` stands for nothing said or known. None of them where nobody is right once.

    Truths 0 0 1 1; A says 0 0 1 0, B 0 1 1 1, C 1 0 1 1. Alone each is off by 2 in one step: A, with a macro-F1 of
    (4/5 + 2/3)/2. With B two steps are ties, each off by 1/4 + 1/4, and so with C: B. The F1 of both is 2/3, which is
    worse, but with C too it is 1: A, B and C.
    """
    known = gold < categories
    truth = gold[known].astype(np.int64)
    said = labels[known][:, :, None] == np.arange(categories)
    waiting = [one for one in range(labels.shape[1]) if said[:, one].any()]
    taken: list[int] = []
    counts, best, size = np.zeros((len(truth), categories)), 0.0, 0
    while waiting and len(taken) < size + LOOKED_AHEAD:
        nearest = min(waiting, key=lambda one: (_off(counts + said[:, one], truth), one))
        waiting.remove(nearest)
        taken.append(nearest)
        counts += said[:, nearest]
        score = _score(counts, truth)
        if score > best + EVEN:
            best, size = score, len(taken)
    return tuple(taken[:size])


def _off(counts: Floats, truth: Ints) -> int:
    """The Brier score of the mean vote, added up over the steps; where nobody spoke, every category is as likely. In
    whole numbers of tiny parts, so that what is equal is so in whichever order it was added up."""
    shares = ratio(counts, counts.sum(axis=1, keepdims=True))
    shares = np.where(np.isnan(shares), 1 / counts.shape[1], shares)
    shares[np.arange(len(truth)), truth] -= 1
    return round(float((shares**2).sum()) / EVEN)


def _score(counts: Floats, truth: Ints) -> float:
    """Mean F1 of the vote over the categories that there are; a tie is no label. Were others counted, a judge could
    make the vote better by silencing another who gave one."""
    size = counts.shape[1]
    voted = labels_of(np.where(counts.any(axis=1, keepdims=True), counts, np.nan))
    table = np.bincount(truth * (size + 1) + voted, minlength=size * (size + 1)).astype(np.float64)
    return float(np.mean([f1(table, size, one) for one in np.unique(truth)]))
