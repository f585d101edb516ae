"""How far a trajectory has come, as far as that is seen without a model: the baselines of learnt progress."""

from __future__ import annotations

from collections.abc import Sequence

from annotations.records import StepRecord, TrajectoryRecord
from models_service.scorers.ruled import Found, RuledScorer


class ElapsedTime(RuledScorer):
    """The share of the steps that are done. A score of progress that is no better than this has learnt the clock."""

    title = "elapsed time"

    def steps(self, record: TrajectoryRecord, steps: Sequence[StepRecord]) -> Sequence[Found]:
        return [Found((place + 1) / len(steps)) for place in range(len(steps))]


class SegmentBudgets(RuledScorer):
    """A turn of the user begins a segment; segments have budgets that sum to 1, equal where none are given. Within a
    segment the budget is used up step by step."""

    title = "segment budgets"

    def __init__(self, budgets: Sequence[float] = ()) -> None:
        if budgets and (min(budgets) < 0 or abs(sum(budgets) - 1) > 1e-6):
            raise ValueError(f"budgets are 0 or more and sum to 1; found {list(budgets)}")
        self.budgets = list(budgets)

    def steps(self, record: TrajectoryRecord, steps: Sequence[StepRecord]) -> Sequence[Found]:
        lengths = _segments(record)
        if self.budgets and len(self.budgets) != len(lengths):
            raise self.lacks(f"there are budgets for {len(self.budgets)} segments, and it has {len(lengths)}")
        done, found = 0.0, []
        for number, length in enumerate(lengths):
            budget = self.budgets[number] if self.budgets else 1 / len(lengths)
            found += [Found(min(1.0, done + budget * (at + 1) / length)) for at in range(length)]
            done += budget
        return found


def _segments(record: TrajectoryRecord) -> list[int]:
    """How many of the agent's steps each segment has; a turn of the user that none follows begins none."""
    lengths, fresh = [], True
    for step in record.steps:
        if step.source != "agent":
            fresh = fresh or step.source == "user"
        elif fresh:
            lengths.append(1)
            fresh = False
        else:
            lengths[-1] += 1
    return lengths
