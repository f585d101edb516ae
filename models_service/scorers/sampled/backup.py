"""Steps of a search tree by what the leaves below them came to. No model is asked: the tree itself is the sample."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any, ClassVar

from annotations.formats import solutions
from annotations.records import Json, StepScore, TrajectoryRecord
from models_service.scorers.base import CannotScore, Partly, Scored, Scorer, agent_steps
from models_service.scorers.reference import parts
from models_service.scorers.sampled.answering import is_right, spellings, stated
from models_service.statistics.branching import Below, backed_up

SAYS = ("value", "advantage", "q")
UNKNOWN = "of no leaf below it is known what it came to"


class TreeBackup(Scorer):
    """Of a leaf the reward in its file counts, or else, as 1 or 0, whether the answer it states is the reference's.
    Where a tree has rewards below 0 or above 1, each counts as 1 if it is above 0, else as 0. `says`:
    "value": V(n) = the mean over the leaves at or below a step;
    "advantage": V(step) − V(the step before), of the first its value less that of the whole tree (TreePS-RAG);
    "q": the same from −1 to 1, as the running mean of a search has it in the end, a leaf's own exact
    (AlphaMath, "AlphaMath Almost Zero: Process Supervision without Process"). Both are our reading of their abstracts.
    Leaves of which it is not known are not counted; a step above none that is known has no number."""

    title: ClassVar[str] = "tree back-up"
    needs: ClassVar[str] = "a tree, with rewards of its leaves or an answer in the task's reference"
    reads_reference = True
    reads_outcome = True

    def __init__(self, says: str = "value") -> None:
        if says not in SAYS:
            raise ValueError(f"says is one of {', '.join(SAYS)}; found {says!r}")
        self.says = says

    @property
    def provenance(self) -> dict[str, Any]:
        low = 0.0 if self.says == "value" else -1.0
        return {
            "rule": type(self).__name__,
            "range": [low, 1.0],
            "needs": self.needs,
            "options": {"says": self.says},
        }

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        return [self._score(record) if agent_steps(record) else () for record in records]

    def _score(self, record: TrajectoryRecord) -> Scored:
        places = agent_steps(record)
        parents = _parents(record, places)
        if len(list(solutions.ways(record.steps))) < 2:
            return self._lacks("the trajectory is no tree")
        outcomes = _outcomes(record, places, set(range(len(places))) - set(parents))
        if not outcomes:
            return self._lacks("of none of the tree's leaves is known what it came to")
        root, found = backed_up(parents, outcomes)
        scores = [
            self._one(place, found[node], root if (parent := parents[node]) is None else found[parent])
            for node, place in enumerate(places)
            if found[node].leaves
        ]
        unscored = {place: UNKNOWN for node, place in enumerate(places) if not found[node].leaves}
        return Partly(scores, unscored) if unscored else tuple(scores)

    def _one(self, place: int, below: Below, before: Below) -> StepScore:
        assert below.mean is not None and before.mean is not None
        value = {"value": below.mean, "advantage": below.mean - before.mean, "q": 2 * below.mean - 1}[self.says]
        why = [
            {"feature": "mean of the ends below", "contribution": below.mean},
            {"feature": "mean of the ends below the step before", "contribution": before.mean},
        ]
        return StepScore(place, value, None, {"flags": [], "why": why, "leaves": below.leaves})

    def _lacks(self, what: str) -> CannotScore:
        return CannotScore(f"{self.title} not applicable: {what}")


def _parents(record: TrajectoryRecord, places: Sequence[int]) -> list[int | None]:
    """Of each of the agent's steps the number of the one it was tried after; None where that is the question."""
    numbers = {place: node for node, place in enumerate(places)}
    found: list[int | None] = []
    for place in places:
        *before, _ = solutions.lineage(record.steps, place)
        found.append(next((numbers[one] for one in reversed(before) if one in numbers), None))
    return found


def _outcomes(record: TrajectoryRecord, places: Sequence[int], leaves: Collection[int]) -> dict[int, float]:
    """Of the leaves of which it is known."""
    right = spellings(parts.answers(record.task.reference))
    rewards = {leaf: one for leaf in leaves if (one := _reward(record.steps[places[leaf]].extra)) is not None}
    if not all(0 <= one <= 1 for one in rewards.values()):
        rewards = {leaf: float(one > 0) for leaf, one in rewards.items()}
    answers = {leaf: stated(record.steps[places[leaf]].message) for leaf in leaves if right and leaf not in rewards}
    return rewards | {leaf: float(is_right(one, right)) for leaf, one in answers.items() if one is not None}


def _reward(extra: Json) -> float | None:
    values = extra.get("values") if isinstance(extra, dict) else None
    found = values.get("reward") if isinstance(values, dict) else None
    return float(found) if isinstance(found, int | float) and math.isfinite(found) else None
