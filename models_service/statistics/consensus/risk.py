"""How often accepted labels are wrong: what a model expects of each, and what is found where the truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np

from models_service.statistics.consensus.outcome import Consensus
from models_service.statistics.figures import Floats
from models_service.statistics.matrices import Bools

SHARES = tuple(tenth / 10 for tenth in range(1, 11))


def expected_error(consensus: Consensus) -> float | None:
    """The mean risk of the labels that there are; null where there is none."""
    risk = consensus.risk
    known = risk[~np.isnan(risk)]
    return float(known.mean()) if len(known) else None


def coverage_table(risk: Floats, wrong: Bools, shares: tuple[float, ...] = SHARES) -> list[dict[str, Any]]:
    """If only the surest labels are accepted: for each share of all units the `risk` up to which labels are accepted
    (as many as that share needs, and all that are as sure), how many that are (`accepted`, of all units the share
    `coverage`), their `expected` error, their mean risk, and the `error` found in them. Shares beyond what has a label
    have no row. (El-Yaniv and Wiener, "On the Foundations of Noise-free Selective Classification", 2010.)

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
        found.append(
            {
                "share": share,
                "risk": float(limit),
                "accepted": len(accepted),
                "coverage": len(accepted) / len(risk),
                "expected": float(risk[accepted].mean()),
                "error": float(wrong[accepted].mean()),
            }
        )
    return found
