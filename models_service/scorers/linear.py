"""An ordinal logistic regression over binned features, kept as plain JSON.

Labels are ordered, so what is learned is P(label ≤ c) for each label c but the highest: the cumulative logits of
McCullagh, "Regression Models for Ordinal Data" (1980), each with weights of its own that are drawn towards those they
share. Without any sharing it is the decomposition of Frank and Hall, "A Simple Approach to Ordinal Classification"
(2001); where two curves cross, the lower label's gives way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FORMAT = "stepmark-linear-3"
BINS = 6
PENALTY = 10.0  # on half the squared weights, against the summed loss; what others write as C = 0.1
APART = 0.35  # how freely the weights of one threshold leave those that both share: 0 not at all, 1 as freely as these
FARTHEST = 4.0  # standard deviations: what is farther off than nearly all that was learned from is no stronger evidence
MOST_ROUNDS = 2000
STILL = 1e-8
FREE = 1e-6  # the penalty on a bias


class UnknownArtefact(ValueError):
    """The artefact is of a format or feature version this code does not speak."""


@dataclass(frozen=True)
class Linear:
    """P(class | features). A feature counts twice: standardised, held to FARTHEST, and as the bin
    of its quantiles it falls in. `weights` and `bias` have a row for each class but the last: those of the log-odds
    that the label is this class or a lower one."""

    names: list[str]
    edges: list[list[float]]
    mean: list[float]
    scale: list[float]
    centre: list[float]
    weights: list[list[float]]
    bias: list[float]
    classes: list[int]
    version: int
    temperature: float = 1.0
    format: str = FORMAT
    trained_on: dict[str, Any] = field(default_factory=dict)

    def probabilities(self, values: Array) -> Array:
        """Rows of features → rows of class probabilities, in the order of `classes`."""
        design = expand(values, self.edges, self.mean, self.scale)
        logits = design @ np.array(self.weights).reshape(-1, design.shape[1]).T + np.array(self.bias)
        return tempered(between(logistic(logits)), self.temperature)

    def contributions(self, values: Array) -> Array:
        """Rows × features: how far each pushes the log-odds away from the lowest class, beside an average step."""
        slope = -np.array(self.weights[0])
        parts = (expand(values, self.edges, self.mean, self.scale) - np.array(self.centre)) * slope
        return np.add.reduceat(parts, starts(self.edges), axis=1) / self.temperature

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any], known: tuple[str, ...], version: int) -> Linear:
        """UnknownArtefact where it is not of this format, or reads features of another version or name."""
        if document.get("format") != FORMAT:
            raise UnknownArtefact(f"format is {document.get('format')!r}, this reads {FORMAT!r}")
        if document.get("version") != version:
            raise UnknownArtefact(f"features are version {document.get('version')!r}, this computes {version}")
        if unknown := sorted(set(document["names"]) - set(known)):
            raise UnknownArtefact(f"features {unknown} are unknown")
        return cls(**document)


def logistic(logits: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))


def between(reached: Array) -> Array:
    """P(label ≤ class), a column for each class but the last → P(class)."""
    rising = np.minimum.accumulate(reached[:, ::-1], axis=1)[:, ::-1]
    ends = np.zeros((len(rising), 1))
    return np.diff(np.hstack([ends, rising, ends + 1]), axis=1)


def tempered(chances: Array, temperature: float) -> Array:
    """The chances with their logarithms divided by the temperature."""
    if temperature == 1:
        return chances
    raised = chances ** (1 / temperature)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def quantile_edges(values: Array, bins: int = BINS) -> list[list[float]]:
    """For each column the inner borders of its quantile bins, each once: [] for a constant column."""
    inner = np.quantile(values, np.arange(1, bins) / bins, axis=0)
    return [np.unique(column[column > values[:, place].min()]).tolist() for place, column in enumerate(inner.T)]


def starts(edges: list[list[float]]) -> NDArray[np.int64]:
    """Where each feature's columns begin in the design."""
    return np.cumsum([0] + [len(one) + 2 for one in edges[:-1]])


def expand(values: Array, edges: list[list[float]], mean: list[float], scale: list[float]) -> Array:
    """The design: for each feature its standardised value, then one column a bin."""
    standard = np.clip((values - np.array(mean)) / np.array(scale), -FARTHEST, FARTHEST)
    columns = []
    for place, borders in enumerate(edges):
        bins = np.searchsorted(borders, values[:, place], side="right")
        columns += [standard[:, [place]], np.eye(len(borders) + 1)[bins]]
    return np.hstack(columns)


def fit(
    values: Array,
    labels: NDArray[np.int64],
    names: tuple[str, ...],
    version: int,
    penalty: float = PENALTY,
    **trained_on: Any,
) -> Linear:
    """The penalised maximum-likelihood fit; the same input gives the same model."""
    classes = sorted(set(labels.tolist()))
    mean, scale = values.mean(axis=0), values.std(axis=0)
    scale[scale == 0] = 1.0
    edges = quantile_edges(values)
    design = expand(values, edges, mean.tolist(), scale.tolist())
    reached = (labels[:, None] <= np.array(classes[:-1])).astype(float)
    weights, bias = thresholds(design, reached, penalty)
    return Linear(
        names=list(names),
        edges=edges,
        mean=mean.tolist(),
        scale=scale.tolist(),
        centre=design.mean(axis=0).tolist(),
        weights=weights.tolist(),
        bias=bias.tolist(),
        classes=classes,
        version=version,
        trained_on=trained_on,
    )


def thresholds(design: Array, reached: Array, penalty: float = PENALTY) -> tuple[Array, Array]:
    """Weights (thresholds × columns) and biases for `reached` (rows × thresholds, 0 or 1). The weights of threshold k
    are v + a·u, where a runs from -APART to APART over the thresholds and v and u are under one penalty."""
    count, wide = reached.shape[1], design.shape[1]
    if not count:
        return np.zeros((0, wide)), np.zeros(0)
    apart = np.linspace(-APART, APART, count) if count > 1 else np.zeros(1)
    ridge = np.array([penalty] * (2 * wide) + [FREE] * count)

    def weights(found: Array) -> Array:
        return found[:wide] + apart[:, None] * found[wide : 2 * wide]

    def slope(found: Array) -> Array:
        missed = logistic(design @ weights(found).T + found[2 * wide :]) - reached
        back = missed.T @ design
        return np.concatenate([back.sum(axis=0), apart @ back, missed.sum(axis=0)]) + ridge * found

    found = descend(slope, 0.25 * curvature(design, apart) + np.diag(ridge))
    return weights(found), found[2 * wide :]


def curvature(design: Array, apart: Array) -> Array:
    """XᵀX of the rows that `thresholds` stands for, [x, a·x, threshold k] for each row x and threshold k."""
    count, gram, sums = len(apart), design.T @ design, design.sum(axis=0)
    mixed = np.outer(sums, np.ones(count)), np.outer(sums, apart)
    upper = [count * gram, apart.sum() * gram, mixed[0]]
    lower = [apart.sum() * gram, (apart @ apart) * gram, mixed[1]]
    return np.block([upper, lower, [mixed[0].T, mixed[1].T, len(design) * np.eye(count)]])


def descend(slope: Callable[[Array], Array], bound: Array) -> Array:
    """Where the slope of a penalised logistic loss is 0, from nothing on.

    Newton's step with the Hessian replaced by a bound, after Böhning (1992) ¼·XᵀX and the penalty, which is factored
    once and never overshoots; accelerated after Nesterov, starting over when a step goes against the gradient.
    """
    inverse = np.linalg.inv(bound)
    now = ahead = np.zeros(len(bound))
    speed = 1.0
    for _ in range(MOST_ROUNDS):
        down = slope(ahead)
        after = ahead - inverse @ down
        if np.sum(down * (after - now)) > 0:
            speed = 1.0
        faster = (1 + np.sqrt(1 + 4 * speed**2)) / 2
        step = after - now
        now, ahead, speed = after, after + (speed - 1) / faster * step, faster
        if np.abs(step).max() < STILL:
            break
    return now
