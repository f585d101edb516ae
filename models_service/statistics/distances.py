"""How far two answers are apart, and Krippendorff's alpha for any such distance.

Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011): alpha = 1 - observed / expected disagreement. With m
answers at a unit, each ordered pair of them weighs 1 / (m - 1); a unit with fewer than two adds nothing, so answers may
be missing. Over all pairable answers (n of them, n_k of each value k) and squared distances d,

    alpha = 1 - (n - 1) * sum(o_kl * d_kl) / sum(n_k * n_l * d_kl).

Both sums are functions of sums over tasks, so resamples of tasks are cheap. By hand: units (0, 0), (0, 2), (2, 2) have
o_02 = o_20 = 1, n = 6, n_0 = n_2 = 3. Nominal: 1 - 5 * 2 / (2 * 9) = 4/9. Interval: d = 4, which cancels: 4/9.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_service.statistics.coefficients import ratio
from models_service.statistics.figures import Floats

Sets = Sequence[frozenset[Any]]
DUST = 1e-12  # a difference of large sums that is smaller than this share of them is none


def jaccard(one: frozenset[Any], other: frozenset[Any]) -> float:
    """The share of what either names that both name (Jaccard 1912); 1 for two empty sets. {a, b} and {b, c}: 1/3."""
    either = one | other
    return len(one & other) / len(either) if either else 1.0


def masi(one: frozenset[Any], other: frozenset[Any]) -> float:
    """Passonneau, "Measuring Agreement on Set-valued Items (MASI)" (2006): 1 - jaccard * monotonicity, where that is 1
    for equal sets, 2/3 where one holds the other, 1/3 where they only meet, 0 where they do not.

    {a} and {a, b}: 1 - 1/2 * 2/3 = 2/3. {a, b} and {b, c}: 1 - 1/3 * 1/3 = 8/9.
    """
    if one == other:
        return 0.0
    monotonicity = 2 / 3 if one <= other or other <= one else 1 / 3
    return 1.0 - jaccard(one, other) * monotonicity


def between(sets: Sets, of: Callable[[frozenset[Any], frozenset[Any]], float]) -> Floats:
    """(K, K): of each two of the sets."""
    cells = [of(one, other) for one in sets for other in sets]
    return np.array(cells, dtype=np.float64).reshape(len(sets), len(sets))


def alpha(observed: Floats, expected: Floats, total: Floats) -> Floats:
    """From sum(o * d), sum(n_k * n_l * d) and n. NaN where nothing is expected to differ."""
    return ratio(expected - (total - 1) * observed, expected)


# Expected disagreement from the margins (..., K), with any leading shape.


def expected_nominal(margins: Floats) -> Floats:
    """Pairs of unequal values: n ** 2 - sum(n_k ** 2). Margins 3 and 3: 36 - 18 = 18."""
    found: Floats = margins.sum(axis=-1) ** 2 - (margins**2).sum(axis=-1)
    return found


def expected_between(margins: Floats, distance: Floats) -> Floats:
    """sum(n_k * n_l * d_kl) for a fixed (K, K) distance."""
    found: Floats = ((margins @ distance) * margins).sum(axis=-1)
    return found


def expected_interval(total: Floats, values: Floats, squares: Floats) -> Floats:
    """sum over pairs of (v - w) ** 2 from n, sum(v) and sum(v ** 2): 2 * (n * sum(v ** 2) - sum(v) ** 2).

    Values 0, 0, 0, 2, 2, 2: 2 * (6 * 12 - 36) = 72, which is 18 pairs of distance 4.
    """
    whole = total * squares
    found = 2 * (whole - values**2)
    return np.where(found > DUST * whole, found, 0.0)


def ranks(margins: Floats) -> Floats:
    """Where each value stands among all answers in order: those before it and half of its own. Krippendorff's ordinal
    distance of two values is the difference of these. Margins 3, 2, 3: 1.5, 4, 6.5."""
    found: Floats = np.cumsum(margins, axis=-1) - margins / 2
    return found


def expected_ordinal(margins: Floats) -> Floats:
    """Margins 3, 2, 3: 2 * (3 * 2 * 2.5 ** 2 * 2 + 3 * 3 * 5 ** 2) = 600."""
    at = ranks(margins)
    total = margins.sum(axis=-1)
    return expected_interval(total, (margins * at).sum(axis=-1), (margins * at**2).sum(axis=-1))


def observed_ordinal(margins: Floats, cells: Floats, first: NDArray[Any], second: NDArray[Any]) -> Floats:
    """sum(o * d) where `cells` (..., C) are the coincidences of the values `first` and `second`, (C,) each."""
    at = ranks(margins)
    found: Floats = (cells * (at[..., first] - at[..., second]) ** 2).sum(axis=-1)
    return found
