"""A few judges out of many who vote, chosen one after another on labels of people.

A group of weak judges that is asked together and averaged is from "Debate Helps Weak-to-Strong Generalization"; taking
its members one after another, and keeping what is best on known labels, from "Ensemble Selection from Libraries of
Models". How both are put together here is our reading, in three points.

- The chance of a category is the share of the chosen who give it: their mean vote. A tie has no label, as in
  consensus.voting.
- Nobody is taken twice. There one may be, which is a weight; judges weighed on known labels are consensus.anchored.
- Two who vote tie wherever they differ, so a second never makes more steps right. Each turn therefore takes the one
  with whom most steps are right, a tie between n counting as 1/n of a step, and it goes on as long as one or two more
  make the vote better. Better is by macro-F1, for where most steps are of one category, whoever says nothing else has
  most steps right.
"""

from __future__ import annotations

import numpy as np

from models_service.statistics.coefficients import Codes, macro_f1
from models_service.statistics.consensus.outcome import EVEN, labels_of
from models_service.statistics.figures import Floats, Ints

LOOKED_AHEAD = 2


def choose(labels: Codes, gold: Codes, categories: int) -> tuple[int, ...]:
    """The columns of `labels` (units, judges), in the order in which they are taken; of equals the first. `gold`
    (units,) is what is known, `categories` stands for nothing said or known. None of them where nobody is right once.

    Truths 0 0 1 1; A says 0 0 1 0, B 0 1 1 1, C 1 0 1 1. Alone each has three right: A. Together with B the ties of two
    steps are half right, 3 in all, and so with C: B. With C all are right, and there is nobody left: A, B and C.
    """
    known = gold < categories
    truth = gold[known].astype(np.int64)
    said = labels[known][:, :, None] == np.arange(categories)
    waiting = [one for one in range(labels.shape[1]) if said[:, one].any()]
    taken: list[int] = []
    counts, best, size = np.zeros((len(truth), categories)), 0.0, 0
    while waiting and len(taken) < size + LOOKED_AHEAD:
        nearest = max(waiting, key=lambda one: (_right(counts + said[:, one], truth), -one))
        waiting.remove(nearest)
        taken.append(nearest)
        counts += said[:, nearest]
        score = _score(counts, truth)
        if score > best + EVEN:
            best, size = score, len(taken)
    return tuple(taken[:size])


def _right(counts: Floats, truth: Ints) -> float:
    """How many steps the vote has right, each tie counted by its share; as a whole number of tiny parts, so that what
    is equal is equal in whichever order it was added up."""
    most = counts.max(axis=1, initial=0.0, keepdims=True)
    first = (counts == most) & (most > 0)
    hit = first[np.arange(len(truth)), truth]
    return round(float((hit / np.maximum(first.sum(axis=1), 1)).sum()) / EVEN)


def _score(counts: Floats, truth: Ints) -> float:
    """Macro-F1 of the vote; a tie is no label."""
    size = counts.shape[1]
    voted = labels_of(np.where(counts.any(axis=1, keepdims=True), counts, np.nan))
    table = np.bincount(truth * (size + 1) + voted, minlength=size * (size + 1))
    return float(macro_f1(table.astype(np.float64), size))
