"""Scorers that are slow, choosy or broken on purpose, for tests of what runs do with them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from annotations.records import StepScore, TrajectoryRecord
from models_service.scorers.base import CannotScore, Partly, Scored, Scorer, agent_steps


class SlowScorer(Scorer):
    """Says 0.5 of every step, and takes its time over each trajectory."""

    siblings = False

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        time.sleep(self.seconds * len(records))
        return [tuple(StepScore(index, 0.5) for index in agent_steps(record)) for record in records]


class ChoosyScorer(SlowScorer):
    """Cannot score what has more than two agent steps."""

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        return [
            CannotScore("too long") if len(agent_steps(record)) > 2 else said
            for record, said in zip(records, super().score(records), strict=True)
        ]


class NeverScorer(SlowScorer):
    """Can score nothing."""

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        return [CannotScore("not today") for _ in records]


class PeekingScorer(SlowScorer):
    """Asks for the reference, and says 1 where the task has one that it was given."""

    reads_reference = True

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        return [
            tuple(StepScore(index, one, one) for index in agent_steps(record))
            for record in records
            for one in [float(record.task.reference is not None)]
        ]


class HonestScorer(PeekingScorer):
    """The same, but asks for nothing."""

    reads_reference = False


class LearnsOutcomeScorer(SlowScorer):
    """Asks what came of the trajectory, and says 1 where it was told; 2 where also a step's reward was."""

    reads_outcome = True

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        return [
            tuple(
                StepScore(index, float(record.outcome is not None) + float(record.steps[index].extra != {}))
                for index in agent_steps(record)
            )
            for record in records
        ]


class PartlyScorer(SlowScorer):
    """Knows nothing of the first step, and of trajectories of one step nothing at all."""

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        return [Partly(one[1:], {one[0].index: "nothing came before"}) for one in super().score(records)]
