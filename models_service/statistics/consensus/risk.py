"""How often accepted labels are wrong: what a model expects of each, and what is found where the truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np

from models_service.statistics.consensus.outcome import EVEN, Consensus
from models_service.statistics.figures import Floats, Ints
from models_service.statistics.matrices import Bools

SHARES = tuple(tenth / 10 for tenth in range(1, 11))
THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999)


def expected_error(consensus: Consensus) -> float | None:
    """The mean risk of the labels that there are; null where there is none."""
    risk = consensus.risk
    known = risk[~np.isnan(risk)]
    return float(known.mean()) if len(known) else None


def coverage_table(
    risk: Floats, wrong: Bools, shares: tuple[float, ...] = SHARES, known: Bools | None = None
) -> list[dict[str, Any]]:
    """If only the surest labels are accepted: for each share of all units the `risk` up to which labels are accepted
    (as many as that share needs, and all that are as sure), how many that are (`accepted`, of all units the share
    `coverage`), their `expected` error, their mean risk, and the `error` found in those whose truth is `known` (None:
    in all), null where that is none. Shares beyond what has a label have no row. (El-Yaniv and Wiener, "On the
    Foundations of Noise-free Selective Classification", 2010.)

    Risks .1 .1 .3 and one unit without a label, the third wrong: at 1/4 and 1/2 the first two are accepted, at 3/4
    three, with an expected error of .5/3 and a found one of 1/3.
    """
    has = np.flatnonzero(~np.isnan(risk))
    ordered = np.sort(risk[has])
    found = []
    for share in shares:
        needed = int(np.ceil(share * len(risk) - 1e-9))
        if not 0 < needed <= len(ordered):
            continue
        limit = ordered[needed - 1]
        accepted = has[risk[has] <= limit]
        row = {
            "share": share,
            "risk": float(limit),
            **_accepted(risk, accepted),
            "error": _error(wrong, known, accepted),
        }
        found.append(row)
    return found


def threshold_table(
    risk: Floats, wrong: Bools, known: Bools, trajectory: Ints, thresholds: tuple[float, ...] = THRESHOLDS
) -> list[dict[str, Any]]:
    """If only labels of that posterior or more are accepted: for each threshold (`at`) how many are (`accepted`, the
    share `coverage` of all units), on how many trajectories, their `expected` error and how many errors that makes
    (`errors`, its sum), how many of them the truth is known of (`checked`), and the `error` found in these; null where
    there is none.

    Posteriors .95 .8 .8 and a unit without a label, the third wrong: at .9 one is accepted, .05 errors expected; at .5
    three, .45 expected, of these a third found wrong.
    """
    found = []
    for at in thresholds:
        accepted = np.flatnonzero(~np.isnan(risk) & (risk <= 1 - at + EVEN))
        row = {
            "at": at,
            **_accepted(risk, accepted),
            "trajectories": len(np.unique(trajectory[accepted])),
            "errors": float(risk[accepted].sum()),
            "checked": int(known[accepted].sum()),
            "error": _error(wrong, known, accepted),
        }
        found.append(row)
    return found


def _accepted(risk: Floats, accepted: Ints) -> dict[str, Any]:
    many = len(accepted)
    expected = float(risk[accepted].mean()) if many else None
    return {"accepted": many, "coverage": many / len(risk) if len(risk) else 0.0, "expected": expected}


def _error(wrong: Bools, known: Bools | None, accepted: Ints) -> float | None:
    told = accepted if known is None else accepted[known[accepted]]
    return float(wrong[told].mean()) if len(told) else None
