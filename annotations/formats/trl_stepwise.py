"""Stepwise supervision as TRL's PRM trainer reads it: a prompt, completions, and a true or false for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

from annotations.formats import naming, solutions
from annotations.formats.base import LineFormat, Refused, found, text
from annotations.formats.solutions import Written
from annotations.formats.writer import Option, Writer
from annotations.records import Json, Labelled, RatingRecord, StepRecord, TaskRecord, TrajectoryRecord

Zero = Literal["drop", "true", "false"]
ZEROS: tuple[str, ...] = get_args(Zero)
KEYS = ("prompt", "completions", "labels")
ZERO = Option(
    "zero",
    "A neutral step",
    "drop",
    (("drop", "Cut before it"), ("true", "Count it as true"), ("false", "Count it as false")),
    "A 0 is neither true nor false. The steps after it were taken in its light, so that dropping it ends the row.",
)


class TRLStepwise(LineFormat, Writer):
    """Positive labels are true, negative ones false. A 0 is neither: `zero` makes it true or false, or drops it, which
    cuts the trajectory before the step, because the steps after it were taken in its light. A step without a label
    cuts likewise: nobody's silence becomes a label. A trajectory cut before its first step is not written. Of a tree
    there is a row for each way to a leaf, and one for ways that were cut to the same steps. Read, a fraction, or a list
    of them, is an estimate and no verdict: it is kept with its step."""

    name = "trl-stepwise"
    title = "TRL stepwise supervision (JSONL)"
    purpose = "reward"
    keeps = "The steps as text up to the last that is labelled, and whether each is right; fields of its own."
    loses = (
        "Written: labels other than right and wrong, explanations, steps after the first without a label, and how a "
        "tree branches: each way to a leaf is a row."
    )
    options = (ZERO,)

    def recognises(self, row: Json) -> bool:
        return (
            isinstance(row, dict)
            and isinstance(row.get("prompt"), str)
            and isinstance(row.get("completions"), list)
            and isinstance(row.get("labels"), list)
        )

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        said, labels = solutions.texts(row, "completions"), row.get("labels")
        if not isinstance(labels, list) or len(labels) != len(said):
            raise Refused("labels", f"found {found(labels)}; accepted is a list of {len(said)}, one a completion")
        values = [_read(one, place) for place, one in enumerate(labels)]
        asked, *steps = solutions.steps_of(text(row, "prompt"), said)
        graded = {place: one for place, one in enumerate(values, start=1) if isinstance(one, int)}
        every = (asked, *(_with(step, one) for step, one in zip(steps, values, strict=True)))
        return TrajectoryRecord(
            task=TaskRecord(naming.prompt_id(every), instruction=asked.message),
            steps=every,
            extra=solutions.kept(self.name, row, KEYS, KEYS),
            rating=RatingRecord(graded, scheme="binary") if graded else None,
        )

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        for labelled in rollouts:
            remembered = solutions.memory(labelled.record, self.name)
            made: set[tuple[int, ...]] = set()
            for way in solutions.written(labelled.record):
                labels = way.labels(labelled)
                row = _row(way, [_graded(one, asked.get("zero", ZERO.default)) for one in labels])
                if row and (places := way.places[: len(row["labels"])]) not in made:
                    made.add(places)
                    yield solutions.ordered(row, remembered, KEYS)

    def row(self, record: TrajectoryRecord, zero: str = "drop") -> dict[str, Json] | None:
        """The one row of a record with the labels of its rating; None where it is cut before its first step."""
        rating = record.rating or RatingRecord()
        way = next(solutions.written(record), None)
        if way is None:
            return None
        given = [rating.steps.get(record.steps[place].source_index) for place in way.places]
        return _row(way, [_label(one, zero) for one in given])


def _row(way: Written, labels: Sequence[bool | None]) -> dict[str, Json] | None:
    until = next((index for index, label in enumerate(labels) if label is None), len(labels))
    if not until:
        return None
    return {"prompt": way.prompt, "completions": list(way.steps[:until]), "labels": list(labels[:until])}


def _graded(grade: int | None, zero: str) -> bool | None:
    if grade is None or (grade == 0 and zero == "drop"):
        return None
    return zero == "true" if grade == 0 else grade > 0


def _label(value: Json, zero: str) -> bool | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise Refused("labels", f"found {found(value)}; accepted are whole numbers")
    return _graded(value, zero)


def _read(label: Json, place: int) -> int | float | list[Json] | None:
    """1 or -1, or an estimate: a fraction, or one for each token."""
    if label is None or isinstance(label, float):
        return label
    if isinstance(label, int) and label in (-1, 0, 1):
        return 1 if label > 0 else -1
    if isinstance(label, list) and all(isinstance(one, int | float) and not isinstance(one, bool) for one in label):
        return label
    accepted = "true, false, 1, 0, a fraction, and a list of one for each token"
    raise Refused(f"labels[{place}]", f"found {found(label)}; accepted are {accepted}")


def _with(step: StepRecord, label: int | float | list[Json] | None) -> StepRecord:
    if isinstance(label, float):
        return StepRecord("agent", step.source_index, step.message, extra={"values": {"score": label}})
    if isinstance(label, list):
        return StepRecord("agent", step.source_index, step.message, extra={"fields": {"label": label}})
    return step
