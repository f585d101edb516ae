"""Whether a project's steps still look like those its embedded scorer learned from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from models_service.scorers.linear import Array, Linear, expand, starts
from models_service.statistics.stability import MOVED, SHIFTING, stability_index

SHOWN = 10  # features that moved most


class Drift:
    """Counts steps by the bins of a model's features, and says how they lie beside those it learned from."""

    def __init__(self, model: Linear) -> None:
        self.model = model
        self.rows, self.trajectories = 0, 0
        self._sum = np.zeros(len(model.centre))

    def add(self, tables: Iterable[Array]) -> None:
        """Trajectories' rows of the model's features."""
        for values in tables:
            self.trajectories += 1
            if len(values):
                self.rows += len(values)
                self._sum += expand(values, self.model.edges, self.model.mean, self.model.scale).sum(axis=0)

    def report(self) -> dict[str, Any]:
        """The stability index of each feature that moved most, how many shifted and moved, and of how many steps."""
        learned = int(self.model.trained_on.get("steps", 0))
        found = {name: index for name, index in self._indexes(learned).items() if np.isfinite(index)}
        most = sorted(found, key=lambda name: (-found[name], name))[:SHOWN]
        return {
            "steps": self.rows,
            "trajectories": self.trajectories,
            "learned_steps": learned,
            "features": len(self.model.names),
            "shifting": sum(SHIFTING <= one < MOVED for one in found.values()),
            "moved": sum(one >= MOVED for one in found.values()),
            "most": [{"feature": name, "index": round(found[name], 4)} for name in most],
        }

    def _indexes(self, learned: int) -> dict[str, float]:
        """By feature. The centre of a model's design has the share of each bin among the rows it learned from."""
        now = self._sum / max(1, self.rows)
        first = [*starts(self.model.edges).tolist(), len(now)]
        places = {name: slice(first[at] + 1, first[at + 1]) for at, name in enumerate(self.model.names)}
        return {
            name: stability_index(self.model.centre[bins], now[bins].tolist(), learned, self.rows)
            for name, bins in places.items()
        }
