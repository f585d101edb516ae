"""ProcessBench: a solution in steps, and the index of its earliest wrong step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import naming, solutions
from annotations.formats.base import LineFormat, Refused, found, text
from annotations.formats.writer import Writer
from annotations.records import Json, Labelled, RatingRecord, TaskRecord, TrajectoryRecord

KEYS = ("id", "generator", "problem", "steps", "final_answer_correct", "label")
NONE = -1


class ProcessBench(LineFormat, Writer):
    """Solutions of one problem are rollouts of one task. A record says of the steps before the label that they are
    right, and of those after it nothing. A row is written where the first wrong step is known: every step before it
    is labelled, or every step where none is wrong. A neutral step is not wrong. Of a tree there is a row for each way
    to a leaf, without a word on its answer: the verdict is on the whole tree."""

    name = "processbench"
    title = "ProcessBench"
    purpose = "reward"
    keeps = "Problem, steps, generator, the first wrong step, whether the answer is correct, and fields of its own."
    loses = (
        "Written: labels after the first wrong step, which steps before it are neutral (they count as not wrong), "
        "explanations, trajectories with an open step before their first wrong one, and of a tree how it branches and "
        "the verdict on it: each way to a leaf is a row."
    )

    def recognises(self, row: Json) -> bool:
        return isinstance(row, dict) and {"problem", "steps", "label"} <= row.keys() and isinstance(row["steps"], list)

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        said = solutions.texts(row, "steps")
        steps = solutions.steps_of(text(row, "problem"), said)
        correct = row.get("final_answer_correct")
        if correct is not None and not isinstance(correct, bool):
            raise Refused("final_answer_correct", f"found {found(correct)}; accepted are true and false")
        return TrajectoryRecord(
            task=TaskRecord(naming.prompt_id(steps), source=self.name, instruction=steps[0].message),
            steps=steps,
            external_id=naming.name(row, "id"),
            policy_model=text(row, "generator", 200),
            outcome=None if correct is None else {"correct": correct},
            extra=solutions.kept(self.name, row, KEYS, KEYS),
            rating=_rating(row, len(said), correct),
        )

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        for labelled in rollouts:
            for way in solutions.written(labelled.record):
                label = first_error(way.labels(labelled))
                if label is not None:
                    yield self._row(labelled, way, label)

    def _row(self, labelled: Labelled, way: solutions.Written, label: int) -> dict[str, Json]:
        record = labelled.record
        values = {
            "id": way.name(record),
            "generator": record.policy_model,
            "problem": way.prompt,
            "steps": list(way.steps),
            "final_answer_correct": None if way.number is not None else _correct(labelled),
            "label": label,
        }
        return solutions.ordered(values, solutions.memory(record, self.name), KEYS, ("label",))


def first_error(labels: Sequence[int | None]) -> int | None:
    """The index of the first wrong step, -1 where every step is labelled and none is wrong, None where it is open."""
    for index, label in enumerate(labels):
        if label is None:
            return None
        if label < 0:
            return index
    return NONE if labels else None


def _rating(row: dict[str, Any], count: int, correct: bool | None) -> RatingRecord | None:
    label = row.get("label")
    if label is None and correct is None:
        return None
    final = None if correct is None else int(correct)
    if label is None:
        return RatingRecord(final=final, scheme="processbench")
    if isinstance(label, bool) or not isinstance(label, int) or not NONE <= label < count:
        raise Refused("label", f"found {found(label)}; accepted is the index of a step, 0 to {count - 1}, or {NONE}")
    steps = solutions.until(None if label == NONE else label, count)
    return RatingRecord(steps, final, scheme="processbench")


def _correct(labelled: Labelled) -> bool | None:
    """The verdict on the whole; where there is none, what the file said came of it."""
    rating, outcome = labelled.record.rating, labelled.record.outcome
    if labelled.final:
        return labelled.final > 0
    if labelled.final == 0 and rating and rating.scheme == "processbench":
        return bool(rating.final)
    correct = outcome.get("correct") if labelled.final is None and isinstance(outcome, dict) else None
    return correct if isinstance(correct, bool) else None
