"""Confusion matrices learnt where the truth is known, and applied where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models_service.statistics.coefficients import Codes, ratio
from models_service.statistics.consensus.fitting import Tables, expected, flat, log
from models_service.statistics.consensus.outcome import Consensus, labels_of, nothing
from models_service.statistics.consensus.votes import ALONE, Votes, gathered
from models_service.statistics.figures import Floats, Ints
from models_service.statistics.folding import FOLDS, dealt

SMOOTHING = 1.0
NO_GOLD = "No step of which the truth is known has a label."
ONE_TASK = "There is one task only, so nothing can be learnt elsewhere."


@dataclass(frozen=True)
class Learnt:
    """Tables of raters from what is known, and the share of right labels of each."""

    tables: Tables
    weight: Floats


def learn(labels: Codes, gold: Codes, categories: int, smoothing: float = SMOOTHING) -> Learnt | None:
    """From (units, raters) and (units,) truths, `categories` where nothing is said or known. `smoothing` is added to
    every count, and to how often each truth occurs, so that what was not seen is not impossible; a rater of whom
    nothing is seen says nothing. None where no truth has a label.

    Truths 0 0 1 and a rater who said 0 1 1, smoothing 1: said 0 of the truth 0 with (1 + 1)/(2 + 2) = 1/2, of the truth
    1 with (0 + 1)/(1 + 2) = 1/3; shares of the truths 3/5 and 2/5.
    """
    known = gold < categories
    if not (labels[known] < categories).any():
        return None
    raters = labels.shape[1]
    cells = (np.arange(raters) * (categories + 1) + labels[known]) * categories + gold[known, None]
    counts = np.bincount(cells.ravel(), minlength=raters * (categories + 1) * categories).astype(np.float64)
    counts = counts.reshape(raters, categories + 1, categories)[:, :categories]
    table = (counts + smoothing) / (counts.sum(axis=1, keepdims=True) + smoothing * categories)
    truths = np.bincount(gold[known], minlength=categories)[:categories] + smoothing
    right = ratio(np.trace(counts, axis1=1, axis2=2), counts.sum(axis=(1, 2)))
    return Learnt(Tables(flat(log(table)), log(truths / truths.sum())), right)


def applied(votes: Votes, learnt: Learnt) -> Consensus:
    """The truth of each unit by Bayes' rule from those tables."""
    posterior, evidence = expected(votes, learnt.tables)
    spread = votes.spread(posterior)
    return Consensus(labels_of(spread), spread, learnt.weight, evidence)


def elsewhere(
    labels: Codes, gold: Codes, task: Ints, names: Sequence[str], categories: int, folds: int = FOLDS
) -> Consensus:
    """Each unit by what was learnt from the truths of other tasks: whole tasks are dealt into folds by their names, and
    each fold is judged by the others. It tells what gold would be worth. `task` (units,) numbers `names`; `weight` is
    over all truths."""
    votes = gathered(labels, categories)
    if votes.unfit() == ALONE:
        return nothing(votes, ALONE)
    if len(names) < 2:
        return nothing(votes, ONE_TASK)
    fold = np.array(dealt(names, folds), dtype=np.int64)[task]
    posterior = np.full((len(labels), categories), np.nan)
    whole = learn(labels, gold, categories)
    for one in np.unique(fold):
        here = fold == one
        learnt = learn(labels, np.where(here, categories, gold), categories)
        if learnt is None or whole is None:
            return nothing(votes, NO_GOLD)
        posterior[here] = applied(gathered(labels[here], categories), learnt).posterior
    assert whole is not None
    return Consensus(labels_of(posterior), posterior, whole.weight)
