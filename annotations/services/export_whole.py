"""Reading for Stepmark's own format: every live trajectory, with all that raters say of it in every field."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from annotations.formats.lines import Packed, load
from annotations.formats.stepmark import sha256
from annotations.models import Annotation, Guideline, Label, Project, Rater, Rubric, SchemeVersion, Trajectory
from annotations.records import (
    AnswerRecord,
    PassRecord,
    RubricRecord,
    SchemeRecord,
    StepRecord,
    TaskRecord,
    TrajectoryRecord,
)
from annotations.services.export_rows import CHUNK, first_value, parts_to_read, tasks_of

COLUMNS = ("external_id", "rollout", "policy_model", "outcome", "meta", "extra")
# Plain SQL, as in export_rows: the ORM would unpack every observation only for us to pack it.
STEPS = """
    SELECT s.trajectory_id, s.id, s.source, s.source_index, s.message, s.reasoning, s.tool_calls, s.observations,
           s.extra, s.content_hash, s.ordinal, p.index
      FROM annotations_step s LEFT JOIN annotations_step p ON p.id = s.parent_id
     WHERE s.trajectory_id = ANY(%s) ORDER BY s.trajectory_id, s.index
"""
PLACES = """
    SELECT trajectory_id, id, source, source_index FROM annotations_step
     WHERE trajectory_id = ANY(%s) ORDER BY trajectory_id, index
"""
FINISHED = (Annotation.State.SUBMITTED, Annotation.State.FAILED)


def trajectories(project: Project) -> QuerySet[Trajectory]:
    return project.trajectories.live().order_by("task_id", "rollout")


def whole_records(
    project: Project, raters: Sequence[Rater], found: QuerySet[Trajectory] | None = None
) -> Generator[TrajectoryRecord, None, None]:
    """The project's trajectories, or those found, with what these raters say of each in passes that are submitted or
    failed. A scheme comes with the first record that needs it. Needs a transaction, and to be closed within it."""
    for one in read(project, raters, trajectories(project) if found is None else found, set_aside=True):
        yield one.record


class Read(NamedTuple):
    """A trajectory as it was read: its row, its task's, and all of it. `steps` are the ids of its steps."""

    trajectory: int
    task: int
    record: TrajectoryRecord
    steps: tuple[int, ...]


def read(
    project: Project,
    raters: Sequence[Rater],
    found: QuerySet[Trajectory],
    states: Sequence[str] = FINISHED,
    *,
    bodies: bool = True,
    set_aside: bool = False,
) -> Generator[Read, None, None]:
    """The trajectories found, with what these raters say in passes of these states; in gold items and training only
    where `set_aside`. Without bodies, steps have only their places. Needs a transaction, and to be closed within it."""
    reading = _Reading(project, raters, states, set_aside)
    rows = found.values_list("pk", "task_id", *COLUMNS).iterator(chunk_size=CHUNK)
    while chunk := list(islice(rows, CHUNK)):
        tasks, lists = tasks_of({row[1] for row in chunk}, bodies), _rubrics({row[1] for row in chunk})
        for part in parts_to_read([row[0] for row in chunk]) if bodies else [len(chunk)]:
            some, chunk = chunk[:part], chunk[part:]
            steps = _steps([row[0] for row in some], bodies)
            passes = reading.passes([row[0] for row in some], steps)
            for pk, task, *said in some:
                record = reading.record(said, tasks[task], lists[task], steps[pk], passes[pk])
                yield Read(pk, task, record, tuple(steps[pk]))


Steps = dict[int, StepRecord]  # id → step, in order


class _Reading:
    """One export's reading, of passes in these states. `brought` are the schemes that a record has brought already."""

    def __init__(self, project: Project, raters: Sequence[Rater], states: Sequence[str], set_aside: bool) -> None:
        self.raters, self.states, self.set_aside = raters, states, set_aside
        versions = Guideline.objects.filter(project=project)
        self.guidelines = {version: sha256(text) for version, text in versions.values_list("version", "text")}
        self.brought: set[str] = set()

    def record(
        self,
        said: Sequence[Any],
        task: dict[str, Any],
        rubrics: dict[str, RubricRecord],
        steps: Steps,
        passes: tuple[PassRecord, ...],
    ) -> TrajectoryRecord:
        external_id, rollout, policy_model, outcome, meta, extra = said
        own = {key: value for key, value in extra.items() if key != "task"}
        return TrajectoryRecord(
            TaskRecord(**task | extra.get("task", {}), rubrics=rubrics),
            tuple(steps.values()),
            external_id=external_id,
            rollout=rollout,
            policy_model=policy_model,
            outcome=outcome,
            meta=meta,
            extra=own,
            passes=passes,
            schemes=self._schemes(passes),
        )

    def _schemes(self, passes: Sequence[PassRecord]) -> tuple[SchemeRecord, ...]:
        new = sorted({one.scheme for one in passes} - self.brought)
        self.brought |= set(new)
        rows = SchemeVersion.objects.filter(sha256__in=new).order_by("sha256") if new else ()
        return tuple(SchemeRecord(one.name, one.version, one.sha256, one.document) for one in rows)

    def passes(self, trajectories: Sequence[int], steps: dict[int, Steps]) -> dict[int, tuple[PassRecord, ...]]:
        live = Annotation.objects.live().filter(trajectory__in=trajectories, rater__in=self.raters)
        live = live.filter(state__in=self.states)
        live = live if self.set_aside else live.for_labels()
        rows = list(live.select_related("rater", "scheme", "guideline").order_by("rater__kind", "rater__name"))
        labels = _labels(rows)
        found: dict[int, tuple[PassRecord, ...]] = defaultdict(tuple)
        for one in rows:
            places = {pk: place for place, pk in enumerate(steps[one.trajectory_id])}
            found[one.trajectory_id] += (self._pass(one, labels[one.pk], places),)
        return found

    def _pass(self, one: Annotation, labels: Sequence[tuple[Any, ...]], places: dict[int, int]) -> PassRecord:
        own = one.guideline.version if one.guideline else None
        answers = tuple(_answer(number, label, places, own) for number, label in enumerate(labels))
        versions = {own, *(answer.guideline for answer in answers)} - {None}
        return PassRecord(
            rater=one.rater.name,
            kind=one.rater.kind,
            scheme=one.scheme.sha256,
            state=one.state,
            mode=one.mode,
            propagation=one.propagation,
            drawn=one.drawn,
            purpose=one.purpose,
            guideline=own,
            guidelines={version: self.guidelines[version] for version in versions if version is not None},
            time_spent_ms=one.time_spent_ms,
            comment=one.comment,
            created_at=_time(one.created_at),
            submitted_at=_time(one.submitted_at),
            revealed_at=_time(one.revealed_at),
            answers=answers,
        )


LABEL = (
    *("annotation_id", "step_id", "field", "value", "origin", "cause__step_id", "explanation", "suggestion", "first"),
    *("guideline__version", "time_ms", "created_at"),
)


def _labels(annotations: Sequence[Annotation]) -> dict[int, list[tuple[Any, ...]]]:
    """The current labels of each annotation, steps first, in order."""
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    current = Label.objects.current().filter(annotation__in=[one.pk for one in annotations])
    rows = current.annotate(first=first_value()).order_by("annotation_id", "step__index", "field")
    for annotation, *said in rows.values_list(*LABEL):
        found[annotation].append(tuple(said))
    return found


def _answer(number: int, label: Sequence[Any], places: dict[int, int], own: int | None) -> AnswerRecord:
    step, name, value, origin, cause, why, suggestion, first, guideline, time_ms, created_at = label
    return AnswerRecord(
        place=None if step is None else places[step],
        field=name,
        value=value,
        number=number,
        origin=origin,
        cause=None if cause is None else places[cause],
        explanation=why,
        suggestion=suggestion,
        first_value=first,
        guideline=guideline if guideline != own else None,
        time_ms=time_ms,
        created_at=_time(created_at),
    )


def _steps(trajectories: list[int], bodies: bool) -> dict[int, Steps]:
    found: dict[int, Steps] = {pk: {} for pk in trajectories}
    with connection.cursor() as cursor:
        if not bodies:
            cursor.execute(PLACES, [trajectories])
            for trajectory, pk, source, place in cursor:
                found[trajectory][pk] = StepRecord(source, place)
            return found
        cursor.execute(STEPS, [trajectories])
        for trajectory, pk, source, place, message, why, calls, seen, extra, digest, ordinal, parent in cursor:
            found[trajectory][pk] = StepRecord(
                source,
                place,
                message,
                why,
                tuple(load(calls)),
                Packed(seen),
                load(extra),
                parent,
                f"{digest[:16]}-{ordinal}",
            )
    return found


def _rubrics(tasks: set[int]) -> dict[int, dict[str, RubricRecord]]:
    """The lists in force, by task and field: of several the last that came in or was approved."""
    found: dict[int, dict[str, RubricRecord]] = defaultdict(dict)
    for one in Rubric.objects.filter(task__in=tasks, approved_at__isnull=False).order_by("approved_at", "number"):
        found[one.task_id][one.field] = RubricRecord(tuple(one.items), one.rater)
    return found


def _time(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds") if moment else ""
