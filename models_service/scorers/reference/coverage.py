"""How much of what leads to the answer has been found: entities on the way, and hops of a chain of questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from annotations.records import StepRecord, TrajectoryRecord
from models_service.scorers import reading, text
from models_service.scorers.reference import parts
from models_service.scorers.reference.parts import Hop
from models_service.scorers.ruled import Found, RuledScorer
from models_service.statistics.canonical import canonical, tokens


def first_found(sought: Sequence[Hop], steps: Sequence[StepRecord]) -> dict[int, int]:
    """Which of those sought is found, by name or alias, and at which step first: said, called for or seen."""
    found: dict[int, int] = {}
    for place, step in enumerate(steps):
        words = tokens("\n".join([text.said(step), *text.calls(step), text.observed(step)]))
        for number, one in enumerate(sought):
            if number not in found and any(parts.stands_in(mark, words) for mark in one.marks):
                found[number] = place
    return found


def waypoint_score(coverage: float, right: bool, weight: float) -> float:
    """1 for a right answer; a wrong one is worth a part of what was found on the way."""
    return 1.0 if right else weight * coverage


def group_rewards(coverages: Sequence[float], right: Sequence[bool], alpha: float) -> list[float]:
    """Rewards within a task's rollouts: 1 for a right one, else alpha times the coverage as a share of the group's best
    (E-GRPO)."""
    best = max(coverages, default=0.0)
    return [1.0 if good else alpha * (one / best if best else 0.0) for one, good in zip(coverages, right, strict=True)]


def _so_far(sought: Sequence[Hop], found: dict[int, int], steps: int) -> Iterator[Found]:
    count = 0
    for place in range(steps):
        new = [sought[number].title for number, at in found.items() if at == place]
        count += len(new)
        yield Found(count / len(sought), [(f"found {title}", 1 / len(sought)) for title in new])


class EntityCoverage(RuledScorer):
    """The share of the entities that has been met by the end of the step. With `weight` the last step has the score of
    the whole: 1 where the answer is right, else weight × coverage."""

    title = "coverage of entities"
    needs = "entities in the task's reference, with aliases where there are some"
    reads_reference = True

    def __init__(self, weight: float | None = None) -> None:
        if weight is not None and not 0 <= weight < 1:
            raise ValueError(f"weight is from 0 to below 1, so that a right answer is worth most; found {weight}")
        self.weight = weight

    def steps(self, record: TrajectoryRecord, steps: Sequence[StepRecord]) -> Sequence[Found]:
        sought = parts.entities(record.task.reference)
        if not sought:
            raise self.lacks("the task's reference holds no entities")
        said = list(_so_far(sought, first_found(sought, steps), len(steps)))
        if self.weight is not None:
            answers = parts.answers(record.task.reference)
            if not answers:
                raise self.lacks("the task's reference holds no answer")
            right = canonical(reading.answer(steps[-1].message)) in {canonical(one) for one in answers}
            value = waypoint_score(said[-1].value, right, self.weight)
            said[-1] = said[-1]._replace(value=value, flags=["score of the whole"])
        return said


class HopCoverage(RuledScorer):
    """The share of the hops that has been found by the end of the step; the last step says where the chain broke
    (the diagnosis of AgenticRAGTracer)."""

    title = "coverage of hops"
    needs = "a chain of hops, each with its answer, in the task's reference"
    reads_reference = True

    def steps(self, record: TrajectoryRecord, steps: Sequence[StepRecord]) -> Sequence[Found]:
        sought = parts.hops(record.task.reference)
        if not sought:
            raise self.lacks("the task's reference holds no hops")
        found = first_found(sought, steps)
        said = list(_so_far(sought, found, len(steps)))
        taken = sum(bool(step.tool_calls) for step in steps)
        said[-1] = said[-1]._replace(flags=diagnosis(sought, found, taken))
        return said


def diagnosis(sought: Sequence[Hop], found: dict[int, int], taken: int) -> list[str]:
    """Where the chain broke and what its length says, in words; nothing where it was followed to its end."""
    missing = [number for number in range(len(sought)) if number not in found]
    order = [found[number] for number in sorted(found)]
    if not missing and order == sorted(order) and taken == len(sought):
        return []
    failing = [f"hop {missing[0] + 1} is the first that is missing"] if missing else []
    if taken < len(sought):
        return [*failing, "premature collapse: fewer hops than the chain has"]
    if taken > len(sought):
        return [*failing, "over-extension: more hops than the chain has"]
    return [*failing, "distorted: as many hops as the chain has, in another order or to another end"]
