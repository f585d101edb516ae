"""A multinomial logistic regression over binned features, kept as plain JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FORMAT = "stepmark-linear-2"
BINS = 6
PENALTY = 40.0  # on half the squared weights, against the summed loss; what others write as C = 0.025
FARTHEST = 3.0  # standard deviations: what is farther off than nearly all that was learned from is no stronger evidence
MOST_ROUNDS = 2000
STILL = 1e-8


class UnknownArtefact(ValueError):
    """The artefact is of a format or feature version this code does not speak."""


@dataclass(frozen=True)
class Linear:
    """P(class | features). A feature counts twice: standardised, held to FARTHEST, and as the bin
    of its quantiles it falls in."""

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
        logits = design @ np.array(self.weights).T + np.array(self.bias)
        return softmax(logits / self.temperature)

    def contributions(self, values: Array, against: int) -> Array:
        """Rows × features: how far each pushes the log-odds away from the class `against`, beside an average step."""
        wrong = self.classes.index(against)
        weights = np.array(self.weights)
        slope = np.delete(weights, wrong, axis=0).mean(axis=0) - weights[wrong]
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


def softmax(logits: Array) -> Array:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


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
    weights, bias = solve(design, np.eye(len(classes))[np.searchsorted(classes, labels)], penalty)
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


def solve(design: Array, wanted: Array, penalty: float = PENALTY) -> tuple[Array, Array]:
    """Weights (classes × columns) and biases that maximise the likelihood of `wanted` (rows × classes, one-hot).

    Newton's step with the Hessian replaced by the bound of Böhning (1992), ½·XᵀX for every class, which is factored
    once and never overshoots; accelerated after Nesterov, starting over when a step goes against the gradient.
    """
    rows = np.hstack([design, np.ones((len(design), 1))])
    ridge = np.full(rows.shape[1], penalty)
    ridge[-1] = 1e-6  # the bias is free
    inverse = np.linalg.inv(0.5 * rows.T @ rows + np.diag(ridge))
    now = ahead = np.zeros((wanted.shape[1], rows.shape[1]))
    speed = 1.0
    for _ in range(MOST_ROUNDS):
        slope = (softmax(rows @ ahead.T) - wanted).T @ rows + ahead * ridge
        after = ahead - slope @ inverse
        if np.sum(slope * (after - now)) > 0:
            speed = 1.0
        faster = (1 + np.sqrt(1 + 4 * speed**2)) / 2
        step = after - now
        now, ahead, speed = after, after + (speed - 1) / faster * step, faster
        if np.abs(step).max() < STILL:
            break
    return now[:, :-1], now[:, -1]
