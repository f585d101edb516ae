"""What all raters say together, against the reference, of label files.

{each of METHODS and ANCHORED: ENTRY of statistics.consensus.comparing, over all sets,
 "best_rater": {"rater", "accuracy", "macro_f1", "kappa", "coverage", …}, "raters", "sets": {SET: {the same}}}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models_service.evaluating_sums import TITLES
from models_service.evaluating_together import Together
from models_service.statistics.consensus.comparing import Voices, compare


def over_sets(
    sets: Sequence[str], each: Sequence[Together], everything: Together, resamples: int, seed: int
) -> dict[str, Any]:
    alone = [_all(one, resamples, seed) for one in each]
    whole = alone[0] if len(sets) == 1 else _all(everything, resamples, seed)
    return {**whole, "sets": dict(zip(sets, alone, strict=True))}


def _all(together: Together, resamples: int, seed: int) -> dict[str, Any]:
    found = compare(Voices(together.alone, together.raters, together.gold, TITLES, together.tasks), resamples, seed)
    return {
        **{name: found.entry(name) for name in found.made},
        "best_rater": found.best_rater(),
        "raters": len(together.raters),
    }
