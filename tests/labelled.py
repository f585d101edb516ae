"""Labelled trajectories and what formats make of them, for the tests of what is read and written."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

from annotations import formats
from annotations.formats.base import Item, Reader
from annotations.formats.opening.sources import Source
from annotations.formats.writer import Writer
from annotations.records import Json, Labelled, RatingRecord, StepRecord, TaskRecord, TrajectoryRecord


def items_of(name: str, *values: Any) -> list[Item]:
    text = "".join(f"{json.dumps(value)}\n" for value in values).encode()
    one = formats.FORMATS[name]
    assert isinstance(one, Reader)
    return list(one.read(Source("made.jsonl", lambda: BytesIO(text))))


def record_of(name: str, value: Any) -> TrajectoryRecord:
    (item,) = items_of(name, value)
    assert isinstance(item.record, TrajectoryRecord), item.problems
    return item.record


def labels_of(record: TrajectoryRecord) -> list[Json]:
    """The label of each step, in order."""
    rating = record.rating or RatingRecord()
    return [rating.steps.get(step.source_index) for step in record.steps if step.source == "agent"]


def rows(name: str, labelled: Labelled, **asked: Any) -> list[dict[str, Any]]:
    form = formats.FORMATS[name]
    assert isinstance(form, Writer)
    return list(form.rows([labelled], {one.name: one.default for one in form.options} | asked))


def chat(*grades: int | None, **more: Any) -> Labelled:
    """A conversation of another format with these grades of its steps: a question, then a turn each."""
    steps = [StepRecord("user", 0, "How far?")]
    steps += [StepRecord("agent", place, f"turn {place}") for place in range(1, len(grades) + 1)]
    record = TrajectoryRecord(TaskRecord("far"), tuple(steps), external_id="run", policy_model="small", rating=None)
    return Labelled(record, {place: one for place, one in enumerate(grades, 1) if one is not None}, **more)


def tree() -> Labelled:
    """Two ways to go on from the first step, the second of them wrong."""
    steps = (
        StepRecord("user", 0, "How far?"),
        StepRecord("agent", 1, "start", parent=0, extra={"values": {"q": 0.5}}),
        StepRecord("agent", 2, "left", parent=1, extra={"values": {"q": 1}}),
        StepRecord("agent", 3, "right", parent=1, extra={"values": {"visits": 3}}),
    )
    return Labelled(TrajectoryRecord(TaskRecord("far"), steps), {1: 1, 2: 1, 3: -1}, by="human:ann")
