"""What a scorer promises."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from annotations.records import StepScore, TrajectoryRecord


class CannotScore(Exception):
    """This one trajectory is beyond the scorer, say too long for it. Others are scored without it; it has no score."""


Scored = tuple[StepScore, ...] | CannotScore


class Scorer(Protocol):
    """Made once a worker, then called for many trajectories. `siblings` says whether it compares rollouts of a task."""

    siblings: bool

    def score(self, records: Sequence[TrajectoryRecord]) -> list[Scored]:
        """For each record one finite score per agent step, in order, or why it has none. Rollouts of one task that
        are scored for their siblings' sake come in one call."""


def agent_steps(record: TrajectoryRecord) -> list[int]:
    """The indexes of the steps that are scored."""
    return [index for index, step in enumerate(record.steps) if step.source == "agent"]


def checked(record: TrajectoryRecord, scored: Scored) -> Scored:
    """The same, held to the promise: AssertionError where a scorer breaks it."""
    if not isinstance(scored, CannotScore):
        assert [one.index for one in scored] == agent_steps(record), "one score for each agent step, in order"
        for one in scored:
            assert math.isfinite(one.value), f"step {one.index}: {one.value}"
            assert one.probability is None or 0 <= one.probability <= 1, f"step {one.index}: {one.probability}"
    return scored
