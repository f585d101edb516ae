"""How far the reference and all raters agree among each other, of label files.

    {MANY over all sets…, "without_reference": MANY, "sets": {SET: {MANY…, "without_reference": MANY}}}
    MANY = {each of NAMES, its NAME_low and NAME_high, "units", "pairable", "raters", "missing",
            "reasons": {a name that is null: why}}

Units are the reference's labelled steps, `pairable` those that two said something of; `missing` is how many labels are
not there. The arithmetic is that of the agreement report (statistics.measures): a failed record has said nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from models_service.evaluating_files import TERNARY
from models_service.evaluating_together import Together
from models_service.statistics import measures
from models_service.statistics.figures import Figure, figures
from models_service.statistics.matrices import Matrix

# What is said here, and what the report calls it.
NAMES = {
    "observed": "percent",
    "fleiss": "fleiss_kappa",
    "conger": "conger_kappa",
    "brennan_prediger": "brennan_prediger",
    "ac1": "ac1",
    "ac2_linear": "ac2_linear",
    "ac2_quadratic": "ac2_quadratic",
    "alpha_nominal": "alpha_nominal",
    "alpha_ordinal": "alpha_ordinal",
    "alpha_interval": "alpha_interval",
}


def over_sets(
    sets: Sequence[str], each: Sequence[Together], everything: Together, resamples: int, seed: int
) -> dict[str, Any]:
    alone = [_both(one, resamples, seed) for one in each]
    whole = alone[0] if len(sets) == 1 else _both(everything, resamples, seed)
    return {**whole, "sets": dict(zip(sets, alone, strict=True))}


def _both(together: Together, resamples: int, seed: int) -> dict[str, Any]:
    return {
        **_many(together.matrix, resamples, seed),
        "without_reference": _many(together.alone, resamples, seed),
    }


def _many(matrix: Matrix, resamples: int, seed: int) -> dict[str, Any]:
    blocks = measures.overall(matrix, values=np.array(TERNARY, dtype=np.float64))
    made: dict[str, Figure] = {}
    for found in figures(blocks, resamples, seed).values():
        made |= found
    own = {name: made[key] for name, key in NAMES.items()}
    said: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for name, one in own.items():
        said |= {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
        reasons |= {key: one.reason for key in (name, f"{name}_low", f"{name}_high") if said[key] is None}
    units, raters = matrix.labels.shape
    missing = int((matrix.labels == matrix.categories).sum())
    return {
        **said,
        "units": units,
        "pairable": own["observed"].n,
        "raters": raters,
        "missing": missing,
        "reasons": reasons,
    }
