"""How far the values of a feature have moved from those it was learned from: the population stability index."""

from __future__ import annotations

import math
from collections.abc import Sequence

SHIFTING, MOVED = 0.1, 0.25  # the usual reading: below the first stable, above the second no longer the same population


def stability_index(before: Sequence[float], now: Sequence[float], rows_before: float, rows_now: float) -> float:
    """Σ (nᵢ - bᵢ) · ln(nᵢ / bᵢ) over bins, for the shares b of values before and n of values now; Siddiqi, "Credit Risk
    Scorecards" (2006). It is the symmetric Kullback-Leibler divergence: 0 where nothing moved, without an upper end.

    Each bin is given half a row more, so that an empty one does not make it infinite. ValueError where the bins are not
    the same, NaN where there are no rows.
    """
    if len(before) != len(now):
        raise ValueError(f"{len(before)} bins before, {len(now)} now")
    if not rows_before or not rows_now:
        return math.nan
    pairs = zip(_held(before, rows_before), _held(now, rows_now), strict=True)
    return math.fsum((n - b) * math.log(n / b) for b, n in pairs)


def _held(shares: Sequence[float], rows: float) -> list[float]:
    return [(share * rows + 0.5) / (rows + 0.5 * len(shares)) for share in shares]
