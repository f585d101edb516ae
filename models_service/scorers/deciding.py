"""Whether what the embedded scorer learned of a project is worth using, and what of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_service.scorers import features, measures
from models_service.scorers.extras import Extra
from models_service.scorers.linear import Linear
from models_service.scorers.training import FOLDS, WRONG, Examples, Held, held_out, teach, temperature

DRAWS = 1000
CONVINCING = 0.95  # the share of resamples of tasks in which it must beat the baselines
HELPFUL = 0.8  # and in which the loss must be less with an extra
MOST_HEARD = 3  # of those who have spoken, how many are listened to at once


@dataclass(frozen=True)
class Learned:
    """What the examples taught. `stacked` is the model that also listens to others, where that does better."""

    model: Linear
    report: dict[str, Any]
    activated: bool
    stacked: Linear | None = None

    def to_json(self) -> dict[str, Any]:
        return self.model.to_json() | ({"stacked": self.stacked.to_json()} if self.stacked else {})


def learn(data: Examples) -> Learned:
    """The model, its held-out figures beside the baselines', and whether it is to be used.

    It must beat the constant +1 and the model that sees only a trajectory's shape, in AUROC and macro-F1, in nineteen
    of twenty resamples of tasks. An extra is taken where the held-out log-loss is less with it in four of five; of
    those who have spoken one after the other, the most helpful first.
    """
    tried = [Attempt.of(data, features.NAMES)]
    plain = _best(data, tried[0], [one for one in data.extras if not one.heard], tried)
    stacked = _best(data, plain, [one for one in data.extras if one.heard], tried)
    return _learned(data, plain, tried, stacked if stacked is not plain else None)


def _best(data: Examples, best: Attempt, extras: list[Extra], tried: list[Attempt]) -> Attempt:
    """The attempt with those extras that help, each found where it helps most."""
    left = list(extras)
    for _ in range(MOST_HEARD):
        attempts = [(Attempt.of(data, (*best.names, *one.names)), one) for one in left]
        if not attempts:
            return best
        tried += [attempt for attempt, _ in attempts]
        least, extra = min(attempts, key=lambda one: float(one[0].losses.mean()))
        if _less(data, least.losses, best.losses) < HELPFUL:
            return best
        best = least
        left.remove(extra)
    return best


@dataclass(frozen=True)
class Attempt:
    """A set of features, and what models of them say of tasks they have not seen."""

    names: tuple[str, ...]
    held: Held
    chances: NDArray[np.float64]
    losses: NDArray[np.float64]  # of each row

    @classmethod
    def of(cls, data: Examples, names: Sequence[str]) -> Attempt:
        held, chances = held_out(data, data.places(names))
        said = chances[np.arange(len(data.labels)), data.labels + 1]
        return cls(tuple(names), held, chances, -np.log(np.clip(said, 1e-6, 1)))

    def model(self, data: Examples) -> Linear:
        return replace(teach(data, self.names), temperature=temperature(self.chances, data.labels))

    def told(self, data: Examples) -> dict[str, Any]:
        extras = [one.kind for one in data.extras if set(one.names) <= set(self.names)]
        return {"extras": extras, "log_loss": float(self.losses.mean())} | self.held.figures(data.labels)


def _learned(data: Examples, best: Attempt, tried: list[Attempt], stacked: Attempt | None = None) -> Learned:
    shape, _ = held_out(data, range(len(features.STRUCTURE)))
    always = Held(np.zeros(len(data.labels)), np.ones(len(data.labels), dtype=np.int64))
    beats = {"structure_only": _beats(data, best.held, shape), "always_right": _beats(data, best.held, always)}
    report = {
        "embedded": best.held.figures(data.labels),
        "structure_only": shape.figures(data.labels),
        "always_right": always.figures(data.labels) | {"ece": None},
        "beats": beats,
        "tried": [one.told(data) for one in tried],
        "used": best.told(data)["extras"],
        "titles": {one.kind: one.identity["title"] for one in data.extras if "title" in one.identity},
        "stacked": stacked.told(data) if stacked else None,
        "steps": len(data.labels),
        "trajectories": data.trajectories,
        "tasks": len(set(data.tasks.tolist())),
        "folds": FOLDS,
    }
    convinced = min(share for one in beats.values() for share in one.values()) >= CONVINCING
    return Learned(best.model(data), report, convinced, stacked.model(data) if stacked else None)


def _beats(data: Examples, ours: Held, other: Held) -> dict[str, float]:
    """In which share of resamples of tasks ours is better, for each measure."""
    better = {"auroc": 0, "macro_f1": 0}
    for rows in _resamples(data):
        truth = data.labels[rows]
        areas = [measures.auroc(held.wrong[rows], truth == WRONG) for held in (ours, other)]
        scores = [measures.macro_f1(held.said[rows], truth) for held in (ours, other)]
        better["auroc"] += areas[0] > areas[1]
        better["macro_f1"] += scores[0] > scores[1]
    return {name: count / DRAWS for name, count in better.items()}


def _less(data: Examples, ours: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """In which share of resamples of tasks our losses are less."""
    return sum(float(ours[rows].mean()) < float(other[rows].mean()) for rows in _resamples(data)) / DRAWS


def _resamples(data: Examples) -> Iterator[NDArray[np.int64]]:
    """Rows of as many tasks as there are, drawn with replacement."""
    random = np.random.default_rng(0)
    rows_of = [np.flatnonzero(data.tasks == task) for task in sorted(set(data.tasks.tolist()))]
    for _ in range(DRAWS):
        yield np.concatenate([rows_of[place] for place in random.integers(0, len(rows_of), len(rows_of))])
