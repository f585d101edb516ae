"""The default scorer: a small linear model over what can be counted. No weights to fetch, no GPU; learns a project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from annotations.records import StepScore, TrajectoryRecord
from models_service.scorers import features
from models_service.scorers.base import Scored, Scorer, agent_steps
from models_service.scorers.linear import Linear

PRIOR = Path(__file__).parent / "prior.json"
WRONG = -1
REASONS = 3  # how many features a score names as its why


class EmbeddedScorer(Scorer):
    """P(the step is not wrong), from the shipped prior or a project's own artefact. UnknownArtefact where the
    artefact's features are not those computed here."""

    siblings = True

    def __init__(self, artefact: dict[str, Any] | None = None) -> None:
        document = json.loads(PRIOR.read_text()) if artefact is None else artefact
        self.model = Linear.from_json(document, features.NAMES, features.VERSION)
        self.fingerprint = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
        self.columns = [features.NAMES.index(name) for name in self.model.names]

    @property
    def provenance(self) -> dict[str, Any]:
        return {"features": features.VERSION, "sha256": self.fingerprint}

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        by_task: dict[str, list[int]] = {}
        for place, record in enumerate(records):
            by_task.setdefault(record.task.external_id, []).append(place)
        scored: list[Scored] = [()] * len(records)
        for places in by_task.values():
            rollouts = [records[place] for place in places]
            for place, rows in zip(places, features.table(rollouts), strict=True):
                scored[place] = self._scores(agent_steps(records[place]), rows)
        return scored

    def _scores(self, indexes: list[int], rows: list[list[float]]) -> tuple[StepScore, ...]:
        if not rows:
            return ()
        values = np.array(rows)[:, self.columns]
        chances = self.model.probabilities(values)
        right = 1 - chances[:, self.model.classes.index(WRONG)]
        whys = self.model.contributions(values)
        return tuple(
            StepScore(index, float(p), float(p), {"flags": [], "classes": self._classes(chance), "why": self._why(why)})
            for index, p, chance, why in zip(indexes, right, chances, whys, strict=True)
        )

    def _classes(self, chance: Any) -> dict[str, float]:
        return {str(value): float(p) for value, p in zip(self.model.classes, chance, strict=True)}

    def _why(self, contributions: Any) -> list[dict[str, Any]]:
        """The features that moved the score most: above 0 speaks for the step, below against it."""
        most = np.argsort(-np.abs(contributions), kind="stable")[:REASONS]
        return [{"feature": self.model.names[c], "contribution": round(float(contributions[c]), 4)} for c in most]
