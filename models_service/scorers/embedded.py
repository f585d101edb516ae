"""The default scorer: a small linear model over what can be counted. No weights to fetch, no GPU; learns a project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from annotations.records import StepScore, TrajectoryRecord
from models_service.scorers import features
from models_service.scorers.base import Scored, Scorer, agent_steps
from models_service.scorers.extras import Extra, wanted
from models_service.scorers.linear import Array, Linear

PRIOR = Path(__file__).parent / "prior.json"
WRONG = -1
REASONS = 3  # how many features a score names as its why


@dataclass(frozen=True)
class Way:
    """A model, and the features beside the usual ones that it has learned of."""

    model: Linear
    extras: list[Extra]
    columns: list[int]

    @classmethod
    def of(cls, document: dict[str, Any], there: Sequence[Extra]) -> Way:
        extras = wanted(document.get("trained_on", {}).get("extras", {}), there)
        known = features.NAMES + tuple(name for one in extras for name in one.names)
        model = Linear.from_json(document, known, features.VERSION)
        return cls(model, extras, [known.index(name) for name in model.names])

    def rows(self, table: list[list[float]], more: dict[str, list[list[float]] | None]) -> Array | None:
        """The values of the model's features for a rollout's steps; None where an extra knows nothing of it."""
        known = [block for one in self.extras if (block := more[one.kind]) is not None]
        if len(known) < len(self.extras):
            return None
        rows = [[*own, *(value for block in known for value in block[at])] for at, own in enumerate(table)]
        return np.array([[row[at] for at in self.columns] for row in rows], dtype=float).reshape(-1, len(self.columns))


class EmbeddedScorer(Scorer):
    """P(the step is not wrong), from the shipped prior or a project's own artefact. UnknownArtefact where the
    artefact's features are not those computed here, MissingExtra where some of them are not to be had. A part of it
    that listens to others is used for those rollouts of which they have spoken."""

    siblings = True

    def __init__(self, artefact: dict[str, Any] | None = None, extras: Sequence[Extra] = ()) -> None:
        document = json.loads(PRIOR.read_text()) if artefact is None else artefact
        self.fingerprint = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
        self.plain = Way.of({name: value for name, value in document.items() if name != "stacked"}, extras)
        self.stacked = Way.of(document["stacked"], extras) if "stacked" in document else None

    @property
    def model(self) -> Linear:
        return self.plain.model

    @property
    def columns(self) -> list[int]:
        return self.plain.columns

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
            for place, (way, rows) in zip(places, self.read(rollouts), strict=True):
                scored[place] = _scores(way.model, agent_steps(records[place]), rows, [one.kind for one in way.extras])
        return scored

    def plainly(self, rollouts: Sequence[TrajectoryRecord]) -> list[Array]:
        """For each rollout of ONE task what the part that listens to nobody looks at."""
        tables = {one.kind: one.table(rollouts) for one in self.plain.extras}
        found = []
        for place, table in enumerate(features.table(rollouts)):
            rows = self.plain.rows(table, {kind: one[place] for kind, one in tables.items()})
            found += [] if rows is None else [rows]
        return found

    def read(self, rollouts: Sequence[TrajectoryRecord]) -> list[tuple[Way, Array]]:
        """For each rollout of ONE task the part that judges it, and what it looks at."""
        ways = [way for way in (self.stacked, self.plain) if way]
        tables = {one.kind: one.table(rollouts) for way in ways for one in way.extras}
        found = []
        for place, table in enumerate(features.table(rollouts)):
            more = {kind: one[place] for kind, one in tables.items()}
            found.append(next((way, rows) for way in ways if (rows := way.rows(table, more)) is not None))
        return found


def _scores(model: Linear, indexes: list[int], values: Array, extras: list[str]) -> tuple[StepScore, ...]:
    if not len(values):
        return ()
    chances = model.probabilities(values)
    right = 1 - chances[:, model.classes.index(WRONG)]
    kept: dict[str, Any] = {"flags": []} | ({"extras": extras} if extras else {})
    return tuple(
        StepScore(index, float(p), float(p), kept | {"classes": _classes(model, chance), "why": _why(model, why)})
        for index, p, chance, why in zip(indexes, right, chances, model.contributions(values), strict=True)
    )


def _classes(model: Linear, chance: Array) -> dict[str, float]:
    return {str(value): float(p) for value, p in zip(model.classes, chance, strict=True)}


def _why(model: Linear, contributions: Array) -> list[dict[str, Any]]:
    """The features that moved the score most: above 0 speaks for the step, below against it."""
    most = np.argsort(-np.abs(contributions), kind="stable")[:REASONS]
    return [{"feature": model.names[c], "contribution": round(float(contributions[c]), 4)} for c in most]
