"""What comes of asking many raters: a label for each unit where there is one, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models_service.statistics.coefficients import Codes
from models_service.statistics.consensus.votes import Votes
from models_service.statistics.figures import Floats

EVEN = 1e-9  # nearer than this, two categories are a tie


@dataclass(frozen=True)
class Consensus:
    """`labels` (units,) has K where there is none: nobody spoke, or two categories are tied. `posterior` (units, K) is
    the probability of each, for votes the (weighted) share, which is no probability; NaN where nobody spoke. `weight`
    (raters,) is how far each is relied on, NaN where nothing is known: the share of right answers that a model expects,
    for Wawa the share that agrees with the majority; none for majority. `trust` (raters,) is how often each is expected
    to know, where a model has raters who know or guess, NaN of who said nothing.

    Of a fitted model: `log_likelihood` of all labels under it, `bound` below their log-evidence where it is Bayesian,
    `trace` of what every round had come to, which never falls, and whether it `converged`. `reason` says why there is
    nothing.
    """

    labels: Codes
    posterior: Floats
    weight: Floats | None = None
    log_likelihood: float | None = None
    bound: float | None = None
    trace: tuple[float, ...] = ()
    converged: bool | None = None
    reason: str = ""
    trust: Floats | None = None

    @property
    def risk(self) -> Floats:
        """(units,): the probability that the label is wrong, 1 - the greatest posterior; NaN without a label."""
        without = self.labels == self.posterior.shape[1]
        return np.where(without, np.nan, 1 - np.max(self.posterior, axis=1, initial=0.0))


def nothing(votes: Votes, reason: str) -> Consensus:
    shape = len(votes.of), votes.categories
    return Consensus(np.full(shape[0], votes.categories, dtype=np.uint8), np.full(shape, np.nan), reason=reason)


def labels_of(posterior: Floats) -> Codes:
    """(units,): the greatest of each row; K where it is not greatest alone, or there is none."""
    size = posterior.shape[1]
    known = np.where(np.isnan(posterior), -np.inf, posterior)
    top = known.max(axis=1, initial=-np.inf, keepdims=True)
    alone = ((known >= top - EVEN) & np.isfinite(top)).sum(axis=1) == 1
    return np.where(alone, known.argmax(axis=1) if size else 0, size).astype(np.uint8)
