"""Who said what, brought into an order of its own, so that nothing made of it depends on the order of the units."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models_service.statistics.coefficients import Codes
from models_service.statistics.figures import Floats, Ints

SILENT_UNIT = -1
ALONE = "There are not two raters who labelled anything."
APART = "No step has labels from two raters."
SAME = "All labels are one and the same value: nothing tells knowing from guessing."


@dataclass(frozen=True)
class Votes:
    """`patterns` (P, raters) are the different rows of labels that there are, sorted, without the one in which nobody
    says anything; `times` (P,) how many units have each; `of` (units,) which each unit has, SILENT_UNIT where nobody
    labelled it. `categories` stands for nothing said."""

    patterns: Codes
    times: Floats
    of: Ints
    categories: int

    @property
    def raters(self) -> int:
        return int(self.patterns.shape[1])

    @cached_property
    def said(self) -> Floats:
        """(P, raters * K): 1 where that rater gives that category."""
        found = self.patterns[:, :, None] == np.arange(self.categories)
        return np.asarray(found.reshape(len(self.patterns), self.raters * self.categories), dtype=np.float64)

    @cached_property
    def counts(self) -> Floats:
        """(P, K): how many raters give each category."""
        return np.asarray(self.said.reshape(len(self.patterns), self.raters, self.categories).sum(axis=1))

    def unfit(self) -> str:
        """Why no model of the raters can be fitted; "" where one can."""
        labelled = self.counts.sum(axis=1)
        if (self.patterns < self.categories).any(axis=0).sum() < 2:
            return ALONE
        if not (labelled > 1).any():
            return APART
        return SAME if (self.counts.sum(axis=0) > 0).sum() < 2 else ""

    def spread(self, values: Floats) -> Floats:
        """(units, …) from (P, …): each unit's own, NaN where nobody labelled it."""
        found = np.full((len(self.of), *values.shape[1:]), np.nan)
        here = self.of != SILENT_UNIT
        found[here] = values[self.of[here]]
        return found


def gathered(labels: Codes, categories: int) -> Votes:
    """From (units, raters), small integers, `categories` where nothing was said."""
    if not labels.size:
        nobody = np.full(len(labels), SILENT_UNIT, dtype=np.int64)
        return Votes(labels[:0], np.zeros(0), nobody, categories)
    keys = _keys(labels, categories)
    _, first, of, times = np.unique(keys, axis=0, return_index=True, return_inverse=True, return_counts=True)
    patterns = labels[first]
    someone = (patterns < categories).any(axis=1)
    renumbered = np.full(len(patterns), SILENT_UNIT, dtype=np.int64)
    renumbered[someone] = np.arange(someone.sum())
    return Votes(patterns[someone], times[someone].astype(np.float64), renumbered[of.reshape(-1)], categories)


def _keys(labels: Codes, categories: int) -> Codes:
    """Rows as numbers of one digit a rater, in the same order, where 63 bits hold them: comparing rows is slow."""
    raters = labels.shape[1]
    if (categories + 1) ** raters >= 2**63:
        return labels
    digits = (categories + 1) ** np.arange(raters - 1, -1, -1, dtype=np.int64)
    return np.asarray(labels @ digits)
