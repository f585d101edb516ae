"""Agreement of many raters, corrected for chance: which share of pairs of labels agrees, beside what chance would make.

All are (P - Pₑ) / (1 - Pₑ) with the same P, `observed`, and differ in Pₑ. Definitions for raters who leave units out
are those of Gwet, Handbook of Inter-Rater Reliability (4th edition, 2014): P looks at units that two raters labelled,
Pₑ at all that one did. As functions of sums like `coefficients`: any leading shape, NaN where undefined.

Worked by hand in each: three raters, two categories, the units 0 0 0, 0 0 1, 1 1 1. Pairs agree in 1, 1/3 and 1:
P = 7/9. Shares of the categories: 5/9 and 4/9.
"""

from __future__ import annotations

import numpy as np

from models_service.statistics.coefficients import ratio
from models_service.statistics.figures import Floats

WEIGHTINGS = ("linear", "quadratic")
AFTER = len(WEIGHTINGS) + 3  # columns of `shares` behind the categories


def weights(categories: int, weighting: str) -> Floats:
    """(K, K): how far two categories agree by their places in order. Linear 1 - |k - l| / (K - 1), quadratic
    1 - (k - l)² / (K - 1)², the identity for any other name. Of three: 1, 1/2, 0 and 1, 3/4, 0."""
    if weighting not in WEIGHTINGS:
        return np.eye(categories)
    apart = np.abs(np.subtract.outer(np.arange(categories), np.arange(categories))) / max(categories - 1, 1)
    return np.asarray(1.0 - (apart if weighting == "linear" else apart**2))


def shares(per_unit: Floats) -> Floats:
    """(units, K + 5) from counts (units, K): share of each category, 1 if labelled at all, agreement of its pairs with
    linear weights, with quadratic ones, and of equal labels alone, 1 if labelled twice."""
    labelled = per_unit.sum(axis=1)
    once, twice = labelled >= 1, labelled >= 2
    share = per_unit / np.where(once, labelled, 1)[:, None]
    pairs = np.where(twice, labelled * (labelled - 1), np.inf)
    agreeing = [
        (per_unit * (per_unit @ weights(per_unit.shape[1], weighting) - 1)).sum(axis=1) / pairs
        for weighting in (*WEIGHTINGS, "identity")
    ]
    return np.column_stack([share, once, *agreeing, twice])


def observed(sums: Floats) -> Floats:
    """Mean over units with two labels or more of the share of their pairs of labels that are equal. By hand: 7/9.

    Fleiss, "Measuring nominal scale agreement among many raters" (1971).
    """
    return ratio(sums[..., -2], sums[..., -1])


def fleiss(sums: Floats) -> Floats:
    """Pₑ = Σ p_k² of the mean shares p_k (Fleiss 1971). By hand: Pₑ = 41/81, (63 - 41)/(81 - 41) = 11/20."""
    return _corrected(observed(sums), (_mean_shares(sums) ** 2).sum(axis=-1))


def brennan_prediger(sums: Floats) -> Floats:
    """Pₑ = 1/K, every category as likely (Brennan and Prediger, "Coefficient kappa: some uses, misuses, and
    alternatives", 1981). By hand: (7/9 - 1/2)/(1/2) = 5/9."""
    return _corrected(observed(sums), np.asarray(1.0 / (sums.shape[-1] - AFTER)))


def gwet(sums: Floats, weighting: str = "identity") -> Floats:
    """AC1, and with weights AC2: P of the weighted pairs, Pₑ = Σ w_kl / (K (K - 1)) · Σ p_k (1 - p_k) (Gwet, "Computing
    inter-rater reliability and its variance in the presence of high agreement", 2008; with weights the Handbook).

    By hand AC1: Pₑ = 5/9 * 4/9 + 4/9 * 5/9 = 40/81, (63 - 40)/(81 - 40) = 23/41. Two categories have no other weights.
    Undefined with one category. Where all labels are the same, Pₑ is 0 and it is 1.
    """
    categories = sums.shape[-1] - AFTER
    if categories < 2:
        return np.full(sums.shape[:-1], np.nan)
    column = -AFTER + 1 + (*WEIGHTINGS, "identity").index(weighting)
    share = _mean_shares(sums)
    spread = weights(categories, weighting).sum() / (categories * (categories - 1))
    return _corrected(ratio(sums[..., column], sums[..., -1]), spread * (share * (1 - share)).sum(axis=-1))


def conger(sums: Floats, categories: int) -> Floats:
    """Pₑ = the mean over pairs of raters of Σ_k p_gk p_hk, each by the rater's own shares over all that they labelled
    (Conger, "Integration and generalization of kappas for multiple raters", 1980). With two raters who labelled
    everything it is Cohen's kappa. `sums` are (..., R*K + 2): how often each rater gave each category, then the last
    two columns of `shares`. A rater without a label is none.

    By hand: the raters' shares of 0 are 2/3, 2/3, 1/3. Pₑ of the pairs: 5/9, 4/9, 4/9, mean 13/27.
    (21 - 13)/(27 - 13) = 4/7.
    """
    table = sums[..., :-2].reshape(*sums.shape[:-1], -1, categories)
    labelled = table.sum(axis=-1)
    share = table / np.where(labelled, labelled, 1)[..., None]
    raters = (labelled > 0).sum(axis=-1)
    together = (share.sum(axis=-2) ** 2).sum(axis=-1) - (share**2).sum(axis=(-2, -1))
    return _corrected(observed(sums), ratio(together, raters * (raters - 1)))


def _mean_shares(sums: Floats) -> Floats:
    return ratio(sums[..., :-AFTER], sums[..., -AFTER, None])


def _corrected(agreement: Floats, chance: Floats) -> Floats:
    return ratio(agreement - chance, 1 - chance)
