"""How far raters prefer the same one of two, where a tie is no side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.records import Json
from models_service.statistics.coefficients import Codes, ratio
from models_service.statistics.figures import Block, Floats, Measure
from models_service.statistics.measures import ALONE
from models_service.statistics.units import Units, mean_over_pairs

TIE = "tie"
NO_SIDES = "No pair has two raters who both chose a side."


def preferred(units: Units, values: Sequence[Json]) -> Block:
    """`sides`: among pairs of raters who both choose a side, how often it is the same one; ties are left out. `half`:
    of all pairs of raters, equal answers count 1, a tie beside a side 1/2, opposite sides 0; this is agreement with the
    linear weights of the order first, tie, second.

    Said first / first, first / second, first / tie, tie / tie: sides 1/2, half (1 + 0 + 1/2 + 1)/4 = 5/8.
    """
    tied = np.array([value == TIE for value in values] + [False])  # the last is what SILENT looks up

    def both(one: Codes, other: Codes) -> NDArray[Any]:
        return np.asarray(~tied[one] & ~tied[other])

    def near(one: Codes, other: Codes) -> Floats:
        return np.where(one == other, 1.0, np.where(tied[one] | tied[other], 0.5, 0.0))

    same, sided = mean_over_pairs(units.labels, np.equal, both)
    alike, twice = mean_over_pairs(units.labels, near)
    return Block(
        units.sums(same, sided, alike, twice),
        {
            "sides": Measure(partial(_share, place=0), partial(_at, place=1), lambda _: NO_SIDES),
            "half": Measure(partial(_share, place=2), partial(_at, place=3), lambda _: ALONE.format(unit="pair")),
        },
    )


def _share(sums: Floats, place: int) -> Floats:
    return ratio(sums[..., place], sums[..., place + 1])


def _at(sums: Floats, place: int) -> float:
    return float(sums[place])
