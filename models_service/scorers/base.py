"""What a scorer promises."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Self, TypeVar

from annotations.records import StepScore, TrajectoryRecord


class CannotScore(Exception):
    """This one trajectory is beyond the scorer, say too long for it. Others are scored without it; it has no score."""


class Partly(tuple[StepScore, ...]):
    """The scores of some steps. `unscored` says of each of the others, by its index, why no number can be told."""

    unscored: Mapping[int, str]

    def __new__(cls, scores: Iterable[StepScore], unscored: Mapping[int, str]) -> Self:
        made = super().__new__(cls, scores)
        made.unscored = unscored
        return made


Scored = tuple[StepScore, ...] | CannotScore
Chunk = TypeVar("Chunk")
Item = TypeVar("Item")


class Scorer:
    """Made once a worker, then called for many trajectories. `siblings` says whether it compares rollouts of a task,
    `reads_reference` whether it is to be given what the task holds as true: such scores are never suggested, and are
    shown to nobody who may not see the reference. `reads_outcome` is the same of what came of the trajectory, and of
    the rewards that its file gives single steps. `wrong_at` is the number at or below which it calls a step wrong; None
    where it does not say right or wrong. `at_once` trajectories are given in one call and stored together: what a
    killed worker loses."""

    siblings: bool = False
    reads_reference: bool = False
    reads_outcome: bool = False
    wrong_at: float | None = None
    at_once: int = 16

    @property
    def provenance(self) -> dict[str, Any]:
        """All that decides what the scores are: models and their fingerprints, rendering, device, versions."""
        return {}

    @property
    def usage(self) -> dict[str, float]:
        """What was asked of language models since it was made: calls, prompt_tokens, completion_tokens. Empty where
        it asks none."""
        return {}

    def prepare(self, records: Sequence[TrajectoryRecord]) -> Any:
        """What can be made of the records while others are on the device; called once, in another thread."""
        return None

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        """For each record one finite score per agent step, in order, or why it has none; Partly where that is so of
        single steps. Rollouts of one task that are scored for their siblings' sake come in one call. `prepared` is what
        `prepare` made of these records."""
        raise NotImplementedError

    def begin(self, records: Sequence[TrajectoryRecord], prepared: Any) -> Callable[[], list[Scored]]:
        """The same in two: what a device can do while others are waited for, and the waiting."""
        return partial(self.score, records, prepared)


def scored(
    scorer: Scorer, chunks: Iterable[tuple[Chunk, Sequence[TrajectoryRecord]]]
) -> Iterator[tuple[Chunk, list[Scored]]]:
    """The scores of each chunk's records, in order: while one is waited for the next is begun and the one after that
    prepared. Chunks are asked for in this thread."""
    with ThreadPoolExecutor(1, "prepare") as beside:
        made = ((chunk, records, beside.submit(scorer.prepare, records)) for chunk, records in chunks)
        begun = ((chunk, scorer.begin(records, ready.result())) for chunk, records, ready in _ahead(made))
        for chunk, finish in _ahead(begun):
            yield chunk, finish()


def _ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same, each only when the next one is there already."""
    items = iter(items)
    for item in items:
        for following in items:
            yield item
            item = following
        yield item


def agent_steps(record: TrajectoryRecord) -> list[int]:
    """The indexes of the steps that are scored."""
    return [index for index, step in enumerate(record.steps) if step.source == "agent"]


def checked(record: TrajectoryRecord, scored: Scored) -> Scored:
    """The same, held to the promise: AssertionError where a scorer breaks it. Where no step has a score, the
    trajectory has none, for the reason of its first step."""
    if isinstance(scored, CannotScore):
        return scored
    unscored = scored.unscored if isinstance(scored, Partly) else {}
    wanted = [index for index in agent_steps(record) if index not in unscored]
    assert [one.index for one in scored] == wanted, "one score or reason for each agent step, in order"
    assert all(unscored.values()) and unscored.keys() <= set(agent_steps(record)), "reasons are of agent steps"
    for one in scored:
        assert math.isfinite(one.value), f"step {one.index}: {one.value}"
        assert one.probability is None or 0 <= one.probability <= 1, f"step {one.index}: {one.probability}"
    return scored if scored or not unscored else CannotScore(unscored[min(unscored)])
