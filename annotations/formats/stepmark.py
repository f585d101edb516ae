"""Stepmark's own format: a trajectory a line, exactly as it is stored, with what every rater says in every field."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from typing import Any

from annotations.formats import stepmark_rows as rows
from annotations.formats.base import LineFormat
from annotations.formats.lines import Packed, dump
from annotations.records import (
    AnswerRecord,
    Json,
    PassRecord,
    RubricRecord,
    SchemeRecord,
    StepRecord,
    TaskRecord,
    TrajectoryRecord,
)


class Stepmark(LineFormat):
    """`task`, `trajectory`, `steps`, `annotations`. A label names its step by `step`, the id of one of the line's
    steps, and by `source_index`; a value that names a step does so by the step's `index`. A scheme's document stands
    under its SHA-256 in `schemes` of the first line that needs it, so that the file says all there is to know."""

    name = "stepmark"
    title = "Stepmark, everything (JSONL)"
    purpose = "everything"
    keeps = "Everything."
    loses = "Nothing."
    writes = True
    everyone = True

    def recognises(self, row: Json) -> bool:
        return isinstance(row, dict) and "stepmark" in row

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        line = rows.read(row)
        numbers = {step.index: place for place, step in enumerate(line.steps)}
        found, task = line.trajectory, line.task
        return TrajectoryRecord(
            task=TaskRecord(
                task.external_id,
                task.source,
                task.instruction,
                task.reference,
                task.tools,
                {name: RubricRecord(tuple(one.items), one.rater) for name, one in task.rubrics.items()},
            ),
            steps=tuple(_step(one, numbers) for one in line.steps),
            external_id=found.external_id,
            rollout=found.rollout,
            policy_model=found.policy_model,
            outcome=found.outcome,
            meta=found.meta,
            extra=found.extra,
            passes=tuple(_pass(one, line.steps) for one in line.annotations),
            schemes=tuple(
                SchemeRecord(one.name, one.version, digest, one.document) for digest, one in line.schemes.items()
            ),
            numbers=numbers,
        )

    def line(self, record: TrajectoryRecord) -> str:
        """The record as a line, without unpacking observations that are packed."""
        task, said = record.task, record.schemes
        schemes = {one.sha256: {"name": one.name, "version": one.version, "document": one.document} for one in said}
        lists = {name: {"items": list(one.items)} | _but_empty(rater=one.rater) for name, one in task.rubrics.items()}
        parts = [
            ("stepmark", dump(rows.VERSION)),
            *([("schemes", dump(schemes))] if schemes else []),
            ("task", dump({key: getattr(task, key) for key in TASK} | ({"rubrics": lists} if lists else {}))),
            ("trajectory", dump({key: getattr(record, key) for key in TRAJECTORY})),
            ("steps", _steps_text(record.steps)),
            ("annotations", dump([_pass_row(one, record.steps) for one in record.passes])),
        ]
        return _object_text(parts)


TASK = ("external_id", "source", "instruction", "reference", "tools")
TRAJECTORY = ("external_id", "rollout", "policy_model", "outcome", "meta", "extra")
PASS = ("state", "mode", "propagation")


def _step(step: rows.Step, numbers: dict[int, int]) -> StepRecord:
    return StepRecord(
        source=step.source,
        source_index=step.source_index,
        message=step.message,
        reasoning=step.reasoning,
        tool_calls=tuple(step.tool_calls),
        observations=tuple(step.observations),
        extra=step.extra,
        parent=None if step.parent is None else numbers[step.parent],
        stable_id=step.id,
    )


def _pass(said: rows.Pass, steps: Collection[rows.Step]) -> PassRecord:
    by_id = {step.id: place for place, step in enumerate(steps)}
    by_source = {step.source_index: place for place, step in enumerate(steps)}
    return PassRecord(
        rater=said.rater.name,
        kind=said.rater.kind,
        scheme=said.scheme,
        state=said.state,
        mode=said.mode,
        propagation=said.propagation,
        drawn=said.drawn,
        purpose=said.purpose,
        guideline=said.guideline,
        guidelines={int(version): digest for version, digest in said.guidelines.items()},
        time_spent_ms=said.time_spent_ms,
        comment=said.comment,
        created_at=said.created_at,
        submitted_at=said.submitted_at,
        revealed_at=said.revealed_at,
        answers=tuple(_answer(one, number, by_id, by_source) for number, one in enumerate(said.labels)),
    )


def _answer(said: rows.Label, number: int, by_id: dict[str, int], by_source: dict[int, int]) -> AnswerRecord:
    """A step that the line does not have is at place -1, where nothing stands."""
    whole = said.step is None and said.source_index is None
    there = by_id.get(said.step or "", by_source.get(-1 if said.source_index is None else said.source_index, -1))
    return AnswerRecord(
        place=None if whole else there,
        field=said.field,
        value=said.value,
        number=number,
        origin=said.origin,
        cause=None if said.cause is None else by_id.get(said.cause, -1),
        explanation=said.explanation,
        suggestion=said.suggestion,
        first_value=said.first_value,
        guideline=said.guideline,
        time_ms=said.time_ms,
        created_at=said.created_at,
    )


def _steps_text(steps: Iterable[StepRecord]) -> str:
    return f"[{','.join(_step_text(place, step) for place, step in enumerate(steps))}]"


def _step_text(place: int, step: StepRecord) -> str:
    seen = step.observations
    return _object_text(
        [
            ("id", dump(step.stable_id)),
            ("index", str(place)),
            ("source", dump(step.source)),
            ("source_index", str(step.source_index)),
            *([] if step.parent is None else [("parent", str(step.parent))]),
            ("message", dump(step.message)),
            ("reasoning", dump(step.reasoning)),
            ("tool_calls", dump(step.tool_calls)),
            ("observations", seen.text if isinstance(seen, Packed) else dump(list(seen))),
            ("extra", dump(step.extra)),
        ]
    )


def _object_text(parts: Iterable[tuple[str, str]]) -> str:
    return f"{{{','.join(f'{dump(key)}:{value}' for key, value in parts)}}}"


def _pass_row(said: PassRecord, steps: tuple[StepRecord, ...]) -> Json:
    return {
        "rater": {"kind": said.kind, "name": said.rater},
        "scheme": said.scheme,
        **{key: getattr(said, key) for key in PASS},
        **_but_empty(
            drawn=said.drawn,
            purpose=said.purpose,
            guideline=said.guideline,
            guidelines={str(version): digest for version, digest in sorted(said.guidelines.items())},
        ),
        "time_spent_ms": said.time_spent_ms,
        **_but_empty(
            comment=said.comment,
            created_at=said.created_at,
            submitted_at=said.submitted_at,
            revealed_at=said.revealed_at,
        ),
        "labels": [_label_row(one, steps) for one in said.answers],
    }


def _label_row(said: AnswerRecord, steps: tuple[StepRecord, ...]) -> Json:
    step = None if said.place is None else steps[said.place]
    return {
        **({"step": step.stable_id, "source_index": step.source_index} if step else {}),
        "field": said.field,
        "value": said.value,
        "origin": said.origin,
        **_but_empty(
            cause=None if said.cause is None else steps[said.cause].stable_id,
            explanation=said.explanation,
            suggestion=said.suggestion,
            first_value=said.first_value,
            guideline=said.guideline,
            time_ms=said.time_ms,
            created_at=said.created_at,
        ),
    }


def sha256(text: str) -> str:
    """What tells one text of guidelines from another."""
    return hashlib.sha256(text.encode()).hexdigest()


def _but_empty(**fields: Json) -> dict[str, Json]:
    """The fields that say something. Zero says something."""
    return {key: value for key, value in fields.items() if value is not None and value != "" and value != {}}
