"""Shares of a count, with what chance alone would make of them."""

from __future__ import annotations

import math

NORMAL_95 = 1.959963984540054


def wilson(hits: int, count: int, z: float = NORMAL_95) -> tuple[float, float]:
    """The Wilson score interval of hits / count (95% by default), within [0, 1]; (0, 1) where nothing was counted."""
    if not 0 <= hits <= count:
        raise ValueError(f"{hits} of {count}: hits are from 0 to the count")
    if not count:
        return 0.0, 1.0
    share = hits / count
    below = 1 + z * z / count
    middle = (share + z * z / (2 * count)) / below
    half = z / below * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    # At the ends the interval begins exactly there; rounding would put it a hair beside.
    return (0.0 if hits == 0 else max(0.0, middle - half)), (1.0 if hits == count else min(1.0, middle + half))
