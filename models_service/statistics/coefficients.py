"""Agreement coefficients as functions of sums.

Each takes sums with any leading shape (one table, or thousands of resamples of it at once) and returns values of that
shape, NaN where undefined. `K` is the number of categories, which the scheme fixes: a category that nobody used is
still one.

Labels are small integers from 0; K stands for "said nothing".
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_service.statistics.figures import Floats

Codes = NDArray[np.integer[Any]]


def counts(labels: Codes, categories: int) -> Floats:
    """(units, K): how many raters gave each unit each category, from (units, raters)."""
    return np.stack([np.count_nonzero(labels == k, axis=1) for k in range(categories)], axis=1).astype(np.float64)


# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011): coincidences, both metrics, available case.


def coincidences(per_unit: Floats) -> Floats:
    """(units, K*K): each unit's pairable values, weighted 1/(m - 1). A unit with one label or none adds nothing."""
    labelled = per_unit.sum(axis=1)
    weight = np.divide(1.0, labelled - 1, out=np.zeros(len(per_unit)), where=labelled > 1)
    pairs = per_unit[:, :, None] * per_unit[:, None, :]
    diagonal = np.arange(per_unit.shape[1])
    pairs[:, diagonal, diagonal] -= per_unit
    weighted: Floats = pairs * weight[:, None, None]
    return weighted.reshape(len(per_unit), per_unit.shape[1] ** 2)


def alpha(sums: Floats, ordinal: bool) -> Floats:
    """1 - observed / expected disagreement, from summed coincidences (..., K*K), nominal or ordinal.

    Units 0 0, 0 1, 1 1: coincidences 00 and 11 two each, 01 and 10 one each, so the margins are 3 and 3 of n = 6.
    Nominal: 1 - 5 * (1 + 1) / (2 * 3 * 3) = 4/9.
    """
    table = _square(sums)
    return _alpha(table, _ordinal(table.sum(axis=-1)) if ordinal else 1.0 - np.eye(table.shape[-1]))


def alpha_interval(sums: Floats, values: Floats) -> Floats:
    """The same with the squared difference of the (K,) values themselves.

    Units 1 1, 1 0, -1 -1 of the values 1, 0, -1: margins 3, 1, 2, n = 6. Observed: 10 and 01 one each, 1 + 1 = 2;
    expected 2 * (3*1*1 + 3*2*4 + 1*2*1) = 58. 1 - 5 * 2 / 58 = 24/29.
    """
    return _alpha(_square(sums), (values[:, None] - values[None, :]) ** 2)


def _alpha(table: Floats, distance: Floats) -> Floats:
    margins = table.sum(axis=-1)
    total = margins.sum(axis=-1)
    observed = (table * distance).sum(axis=(-2, -1))
    expected = (margins[..., :, None] * margins[..., None, :] * distance).sum(axis=(-2, -1))
    return ratio(expected - (total - 1) * observed, expected)


def _ordinal(margins: Floats) -> Floats:
    """Squared ordinal distance: the labels from one category to the other, both ends counted by half."""
    middle = np.cumsum(margins, axis=-1) - margins / 2
    return np.asarray((middle[..., :, None] - middle[..., None, :]) ** 2)


# Tables of one rater against another: (..., K, K + 1), rows what the reference says, the last column "nothing".


def cohen(sums: Floats, categories: int, weights: Floats | None = None) -> Floats:
    """Cohen, "A coefficient of agreement for nominal scales" (1960), over units that both labelled: (pₒ - pₑ)/(1 - pₑ).
    With (K, K) `weights` of agreement, 1 on the diagonal, that of "Weighted kappa" (1968).

    Labels 0 0, 0 1, 2 2, 1 1 of three in order: margins 2, 1, 1 and 1, 2, 1. Unweighted pₒ = 3/4,
    pₑ = (2*1 + 1*2 + 1*1)/16 = 5/16: 7/11. Linear weights 1, 1/2, 0: pₒ = 7/8,
    pₑ = (5 + (2*2 + 1*1 + 1*1 + 1*2)/2)/16 = 9/16: 5/7.
    """
    table = _against(sums, categories)[..., :-1]
    total = table.sum(axis=(-2, -1))
    if weights is None:
        by_chance = (table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1)
        return ratio(total * _hits(table) - by_chance, total**2 - by_chance)
    by_chance = (table.sum(axis=-1)[..., :, None] * table.sum(axis=-2)[..., None, :] * weights).sum(axis=(-2, -1))
    return ratio(total * (table * weights).sum(axis=(-2, -1)) - by_chance, total**2 - by_chance)


def step_acc(sums: Floats, categories: int) -> Floats:
    """Share of the reference's labels that the rater gave too; nothing said is wrong."""
    table = _against(sums, categories)
    return ratio(_hits(table), table.sum(axis=(-2, -1)))


def coverage(sums: Floats, categories: int) -> Floats:
    """Share of the units labelled by the reference that the rater labelled."""
    table = _against(sums, categories)
    return ratio(table[..., :-1].sum(axis=(-2, -1)), table.sum(axis=(-2, -1)))


def equal_share(sums: Floats, categories: int) -> Floats:
    """Share of equal labels among the units that both labelled."""
    table = _against(sums, categories)[..., :-1]
    return ratio(_hits(table), table.sum(axis=(-2, -1)))


def recall(sums: Floats, categories: int, category: int) -> Floats:
    """Share of the reference's labels of that category that the rater found."""
    row = _against(sums, categories)[..., category, :]
    return ratio(row[..., category], row.sum(axis=-1))


def f1(sums: Floats, categories: int, category: int) -> Floats:
    """F1 of that category, where it occurs on either side; nothing said is a miss of the reference's category."""
    table = _against(sums, categories)
    both = table[..., category, :].sum(axis=-1) + table[..., :, category].sum(axis=-1)
    return ratio(2 * table[..., category, category], both)


def macro_f1(sums: Floats, categories: int) -> Floats:
    """Mean F1 of the categories that occur on either side."""
    scores = np.stack([f1(sums, categories, category) for category in range(categories)], axis=-1)
    occurs = ~np.isnan(scores)
    return ratio(np.where(occurs, scores, 0).sum(axis=-1), occurs.sum(axis=-1))


def _hits(table: Floats) -> Floats:
    return np.asarray(np.diagonal(table, axis1=-2, axis2=-1).sum(axis=-1))


def _square(sums: Floats) -> Floats:
    size = round(sums.shape[-1] ** 0.5)
    return sums.reshape(*sums.shape[:-1], size, size)


def _against(sums: Floats, categories: int) -> Floats:
    return sums.reshape(*sums.shape[:-1], categories, categories + 1)


def ratio(over: Any, under: Any) -> Floats:
    """NaN where there is nothing to divide by."""
    under = np.asarray(under, dtype=np.float64)
    nothing = under == 0
    return np.where(nothing, np.nan, over / np.where(nothing, 1, under))
