"""Which of two ways is better on the same items, and whether that is more than chance.

Each draw of the bootstrap takes as many items as there are, putting back, and both ways on them, so that what makes an
item hard falls out of the difference. It is a tie where the interval of the difference covers 0, as studies of adapting
models to medicine count it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

RESAMPLES = 1000
BETTER, WORSE, TIE = "better", "worse", "tie"


class Paired(NamedTuple):
    """`difference` is the mean of the first less that of the second over the `n` items where both are defined, with its
    95 % interval; `verdict` is about the first. Undefined: None and why."""

    difference: float | None
    low: float | None
    high: float | None
    n: int
    verdict: str | None
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        return self._asdict()


def paired(
    first: Sequence[float | None],
    second: Sequence[float | None],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Paired:
    """Both by item, in the same order; an item where one of them is not defined (None) is left out."""
    both = [(one, other) for one, other in zip(first, second, strict=True) if one is not None and other is not None]
    if not both:
        return Paired(None, None, None, 0, None, "no item where both are defined")
    differences = np.array([one - other for one, other in both], float)
    mean = float(differences.mean())
    if len(both) < 2:
        return Paired(mean, None, None, 1, None, "one item alone has no interval")
    drawn = np.random.default_rng(seed).integers(0, len(both), (resamples, len(both)))
    tail = (1 - level) / 2
    low, high = (float(end) for end in np.quantile(differences[drawn].mean(axis=1), [tail, 1 - tail]))
    verdict = BETTER if low > 0 else WORSE if high < 0 else TIE
    return Paired(mean, low, high, len(both), verdict)
