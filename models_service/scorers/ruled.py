"""Scorers that follow a rule and need no model: a number for each step of one trajectory, and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from annotations.records import StepRecord, StepScore, TrajectoryRecord
from models_service.scorers.base import CannotScore, Scored, Scorer, agent_steps


class Found(NamedTuple):
    """What the rule says of a step: a number, the parts it comes from, and what must be known to read it."""

    value: float
    why: Sequence[tuple[str, float]] = ()
    flags: Sequence[str] = ()


class RuledScorer(Scorer):
    """`range` are the ends of its numbers, `needs` what a trajectory must have for it, in words. None of the numbers is
    a probability."""

    title: ClassVar[str]
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    needs: ClassVar[str] = ""

    @property
    def provenance(self) -> dict[str, Any]:
        return {"rule": type(self).__name__, "range": list(self.range), "needs": self.needs, "options": vars(self)}

    def steps(self, record: TrajectoryRecord, steps: Sequence[StepRecord]) -> Sequence[Found]:
        """What it says of each of the agent's steps. CannotScore where the trajectory lacks what it needs."""
        raise NotImplementedError

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        return [self._score(record) for record in records]

    def _score(self, record: TrajectoryRecord) -> Scored:
        indexes = agent_steps(record)
        if not indexes:
            return ()
        try:
            found = self.steps(record, [record.steps[index] for index in indexes])
        except CannotScore as no:
            return no
        return tuple(self._one(index, one) for index, one in zip(indexes, found, strict=True))

    def _one(self, index: int, found: Found) -> StepScore:
        low, high = self.range
        assert low - 1e-9 <= found.value <= high + 1e-9, f"step {index}: {found.value}"
        why = [{"feature": feature, "contribution": share} for feature, share in found.why]
        return StepScore(index, float(found.value), None, {"flags": list(found.flags), "why": why})

    def lacks(self, what: str) -> CannotScore:
        return CannotScore(f"{self.title} not applicable: {what}")
