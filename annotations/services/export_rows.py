"""Reading for exports: trajectories with one rater's labels, and single labels, in the order of tasks and rollouts.

Streaming: a few hundred trajectories are in memory at a time, whatever the project holds.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import UTC
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import Case, F, JSONField, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from annotations.formats.lines import Packed, dump, load
from annotations.models import Annotation, Label, Project, Rater, Task, Trajectory
from annotations.records import Json, RatingRecord, StepRecord, TaskRecord, TrajectoryRecord
from annotations.schemes.schema import Scheme
from annotations.segmenting import PARTS
from annotations.services import board

CHUNK = 200
BYTES = 8_000_000  # of steps that are read at a time, unless one trajectory has more
ORDER = ("trajectory__task_id", "trajectory__rollout")
TASK = ("external_id", "source", "instruction", "reference", "tools")


def said_by(rater: Rater, *states: str) -> QuerySet[Annotation]:
    """The rater's word on live trajectories, in passes for the dataset of these states."""
    of = Annotation.objects.live().for_labels().filter(rater=rater, trajectory__superseded_at__isnull=True)
    return of.filter(state__in=states)


def records(
    scheme: Scheme, annotations: QuerySet[Annotation], *, bodies: bool = True, propagated: bool = True
) -> Generator[TrajectoryRecord, None, None]:
    """The annotated trajectories, each with its annotation as rating. Without bodies, steps have only their places
    and tasks only their names, which is all a label file needs. Labels that a rule
    brought are there where `propagated`. Needs a transaction, and to be closed within it."""
    columns = [
        *("pk", "state", "comment", "submitted_at", "trajectory_id", "trajectory__task_id"),
        *(f"trajectory__{name}" for name in ("external_id", "rollout", "policy_model", "outcome", "meta", "extra")),
    ]
    rows = annotations.order_by(*ORDER).values_list(*columns).iterator(chunk_size=CHUNK)
    while chunk := list(islice(rows, CHUNK)):
        tasks = tasks_of({row[5] for row in chunk}, bodies)
        ratings = _ratings(scheme, chunk, "" if propagated else Label.Origin.PROPAGATED)
        for part in parts_to_read([row[4] for row in chunk]) if bodies else [len(chunk)]:
            some, chunk = chunk[:part], chunk[part:]
            steps = _steps([row[4] for row in some], bodies)
            for row in some:
                yield _record(row, tasks[row[5]], steps[row[4]], ratings[row[0]])


def _record(
    row: Sequence[Any], task: dict[str, Any], steps: list[StepRecord], rating: RatingRecord
) -> TrajectoryRecord:
    external_id, rollout, policy_model, outcome, meta, extra = row[6:]
    return TrajectoryRecord(
        task=TaskRecord(**task | extra.get("task", {})),
        steps=tuple(steps),
        external_id=external_id,
        rollout=rollout,
        policy_model=policy_model,
        outcome=outcome,
        meta=meta,
        extra=extra,
        rating=rating,
    )


def tasks_of(wanted: set[int], bodies: bool) -> dict[int, dict[str, Any]]:
    names = TASK if bodies else TASK[:2]
    rows = Task.objects.filter(pk__in=wanted).values_list("pk", *names)
    return {pk: dict(zip(names, said, strict=True)) for pk, *said in rows}


# Plain SQL: most of an export's rows are steps, and the ORM would unpack every observation only for us to pack it.
STEPS = """
    SELECT trajectory_id, source, source_index, message, reasoning, tool_calls, observations, extra
      FROM annotations_step WHERE trajectory_id = ANY(%s) ORDER BY trajectory_id, index
"""
LABELS = """
    SELECT l.annotation_id, s.source_index, l.field, l.value::text, l.explanation
      FROM annotations_label l LEFT JOIN annotations_step s ON s.id = l.step_id
     WHERE l.annotation_id = ANY(%s) AND l.field = ANY(%s) AND l.superseded_at IS NULL AND l.origin <> %s
"""
SIZES = """
    SELECT trajectory_id, sum(octet_length(message) + octet_length(observations) + octet_length(tool_calls))
      FROM annotations_step WHERE trajectory_id = ANY(%s) GROUP BY trajectory_id
"""
# A part of a message says in `extra` which one it is of.
PLACES = f"""
    SELECT trajectory_id, source, source_index, '', '', '[]', '[]',
           CASE WHEN source_index >= {PARTS} THEN extra::text ELSE '{{}}' END
      FROM annotations_step WHERE trajectory_id = ANY(%s) ORDER BY trajectory_id, index
"""


def parts_to_read(trajectories: list[int]) -> list[int]:
    """How many of the trajectories to read at a time, one after the other: a few huge ones must not meet in memory."""
    with connection.cursor() as cursor:
        cursor.execute(SIZES, [trajectories])
        sizes = dict(cursor.fetchall())
    parts, held = [0], 0
    for trajectory in trajectories:
        held += sizes.get(trajectory, 0)
        if held > BYTES and parts[-1]:
            parts.append(0)
            held = sizes.get(trajectory, 0)
        parts[-1] += 1
    return parts


def _steps(trajectories: list[int], bodies: bool) -> dict[int, list[StepRecord]]:
    found: dict[int, list[StepRecord]] = {pk: [] for pk in trajectories}
    with connection.cursor() as cursor:
        cursor.execute(STEPS if bodies else PLACES, [trajectories])
        for trajectory, source, source_index, *said in cursor.fetchall():
            found[trajectory].append(StepRecord(source, source_index, *_unpacked(*said)))
    return found


def _unpacked(message: str, reasoning: str, calls: str, seen: str, extra: str) -> tuple[Any, ...]:
    return message, reasoning, tuple(load(calls)), Packed(seen), load(extra)


def _ratings(scheme: Scheme, chunk: Sequence[Sequence[Any]], but: str) -> dict[int, RatingRecord]:
    """What each annotation says in the scheme's main and final fields, labels of the origin `but` apart."""
    made = {
        pk: RatingRecord(
            failed=state == Annotation.State.FAILED,
            comment=comment,
            updated_at=submitted_at.astimezone(UTC).isoformat(timespec="microseconds") if submitted_at else "",
        )
        for pk, state, comment, submitted_at, *_ in chunk
    }
    finals: dict[int, tuple[Json, str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(LABELS, [list(made), [scheme.main, scheme.final], but])
        for pk, index, field, text, why in cursor.fetchall():
            value = load(text)
            if field == scheme.main and index is not None:
                made[pk].steps[index] = value
                if why:
                    made[pk].explanations[index] = why
            elif index is None:
                finals[pk] = value, why
    for pk, (value, why) in finals.items():
        made[pk] = RatingRecord(**vars(made[pk]) | {"final": value, "final_explanation": why})
    return made


LONG = {
    "source": "annotation__trajectory__task__source",
    "task": "annotation__trajectory__task__external_id",
    "trajectory": "annotation__trajectory__external_id",
    "rollout": "annotation__trajectory__rollout",
    "trajectory_version": "annotation__trajectory__version",
    "policy_model": "annotation__trajectory__policy_model",
    "step": "step__index",
    "source_index": "step__source_index",
    "hash": "step__content_hash",
    "ordinal": "step__ordinal",
    "scheme_id": "annotation__scheme_id",
    "field": "field",
    "value": "value",
    "origin": "origin",
    "cause_step": "cause__step__index",
    "explanation": "explanation",
    "suggestion": "suggestion",
    "first_value": "first",
    "rater": "annotation__rater__name",
    "rater_kind": "annotation__rater__kind",
    "mode": "annotation__mode",
    "propagation": "annotation__propagation",
    "drawn": "annotation__drawn",
    "scheme": "annotation__scheme__name",
    "scheme_version": "annotation__scheme__version",
    "guideline_version": "shown_version",
    "time_ms": "time_ms",
    "time_spent_ms": "annotation__time_spent_ms",
    "created_at": "created_at",
    "submitted_at": "annotation__submitted_at",
}


def long_rows(
    project: Project,
    raters: Sequence[Rater],
    trajectories: QuerySet[Trajectory],
    states: Sequence[str],
    *,
    propagated: bool = True,
) -> Generator[dict[str, Any], None, None]:
    """Every current label of the raters' passes for the dataset of these trajectories in these states, all fields, one
    dict each. A field of a part of a step has its name before "@", and the part beside it."""
    of = Q(annotation__retired_at__isnull=True, annotation__trajectory__in=trajectories.order_by())
    of &= Q(annotation__purpose="")
    labels = Label.objects.current().filter(of, annotation__rater__in=raters, annotation__state__in=states)
    labels = labels if propagated else labels.exclude(origin=Label.Origin.PROPAGATED)
    order = [f"annotation__{name}" for name in ORDER] + ["annotation__rater__kind", "annotation__rater__name"]
    shown = Coalesce("guideline__version", "annotation__guideline__version")
    rows = (
        labels.annotate(shown_version=shown, first=first_value())
        .order_by(*order, F("step__index").asc(nulls_last=True), "field")
        .values_list(*LONG.values())
    )
    for values in rows.iterator(chunk_size=5_000):
        row = dict(zip(LONG, values, strict=True))
        digest, ordinal = row.pop("hash"), row.pop("ordinal")
        spec = board.scheme(row.pop("scheme_id")).field(row["field"])
        name, _, part = row["field"].partition("@")
        value = row["value"]
        number = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
        yield row | {
            "project": project.slug,
            "field": name,
            "part": part or None,
            "title": spec.title if spec else None,
            "step_id": f"{digest[:16]}-{ordinal}" if digest else None,
            "value": dump(value),
            "number": number,
            "suggestion": row["suggestion"] and dump(row["suggestion"]),
            "first_value": None if row["first_value"] is None else dump(row["first_value"]),
        }


def first_value() -> Case:
    """What stood there when everything was revealed to the rater; null where nothing was hidden from them."""
    revealed = OuterRef("annotation__revealed_at")
    stood = Q(superseded_at__isnull=True) | Q(superseded_at__gt=revealed)
    same = Label.objects.filter(
        stood, annotation=OuterRef("annotation"), field=OuterRef("field"), created_at__lte=revealed
    )
    first = same.filter(step=OuterRef("step")).order_by("-pk").values("value")[:1]
    return Case(When(annotation__revealed_at__isnull=False, then=Subquery(first)), output_field=JSONField())
