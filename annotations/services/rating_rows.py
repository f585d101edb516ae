"""Putting ratings into the tables, many at once: what is new comes in, what changed supersedes, the rest is left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F
from django.utils import timezone

from annotations.formats.lines import dump
from annotations.models import Annotation, Event, Label, Project, Rater, Step
from annotations.records import Json, Problem, RatingRecord
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.schema import Scheme
from annotations.services import copying

ANNOTATION = (
    "id rater_id trajectory_id scheme_id mode propagation state revision time_spent_ms comment created_at updated_at"
    " submitted_at"
)
LABEL = "annotation_id step_id field value origin explanation revision created_at"

Key = tuple[int | None, str]  # a step's id (None: the whole trajectory) and a field
Saying = tuple[Json, str]  # a value and why
Places = Mapping[int, int]  # source_index → id, of the agent's steps of one trajectory


@dataclass(frozen=True)
class Said:
    """What a rater says of one stored trajectory, and where it was read. `steps`: where the caller has them."""

    trajectory: int
    rating: RatingRecord
    file: str
    line: int
    steps: Places | None = None


@dataclass
class Tally:
    """`labels` written, `annotations` made or changed, `changed` the trajectories that had other labels before."""

    labels: int = 0
    annotations: int = 0
    failed: int = 0
    unchanged: int = 0
    changed: set[int] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class _Held:
    annotation: Annotation
    labels: dict[Key, tuple[int, Saying]]


def store(project: Project, scheme: Scheme, rater: Rater, said: Sequence[Said]) -> Tally:
    """Make the rater's labels on these trajectories say what the ratings say. Needs a transaction and the import lock.

    A rating that says nothing at all leaves things as they are. Fields a rating cannot speak of (notes) are kept.
    """
    tally = Tally()
    places = _places([one.trajectory for one in said if one.steps is None])
    held = _held(rater, [one.trajectory for one in said], scheme)
    new: list[tuple[Said, dict[Key, Saying]]] = []
    for one in said:
        steps = one.steps if one.steps is not None else places.get(one.trajectory, {})
        sayings, problems = fit(scheme, one, steps)
        tally.problems += problems
        tally.failed += one.rating.failed
        if not sayings and not one.rating.failed:
            tally.unchanged += not problems
            continue
        if before := held.get(one.trajectory):
            _update(project, rater, before, one, sayings, tally)
        else:
            new.append((one, sayings))
    _create(project, rater, new, tally)
    return tally


def fit(scheme: Scheme, said: Said, steps: Places) -> tuple[dict[Key, Saying], list[Problem]]:
    """The sayings the scheme and the trajectory can take, and why each other one cannot."""
    rating, problems = said.rating, []
    fitting: dict[Key, Saying] = {}
    for index, value in rating.steps.items():
        if index not in steps:
            reason = f"message {index} is no step of the agent; accepted are {_listed(steps)}"
        elif not (reason := scheme.main_field.refusal(value)):
            fitting[steps[index], scheme.main] = value, rating.explanations.get(index, "")
            continue
        problems.append(Problem(said.file, said.line, f"step_labels.{index}", reason))
    if rating.final is not None:
        if reason := _final_refusal(scheme.field(scheme.final), rating.final):
            problems.append(Problem(said.file, said.line, "final_label", reason))
        else:
            fitting[None, scheme.final] = rating.final, rating.final_explanation
    return fitting, problems


def _final_refusal(spec: FieldSpec | None, value: Json) -> str:
    return spec.refusal(value) if spec else f"the scheme asks for no final label; found {value!r}"


def _listed(steps: Places) -> str:
    shown = ", ".join(map(str, sorted(steps)[:20]))
    return shown + (", …" if len(steps) > 20 else "")


def _places(trajectories: list[int]) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = defaultdict(dict)
    rows = Step.objects.of_agent().filter(trajectory__in=trajectories).order_by()
    for trajectory, source_index, pk in rows.values_list("trajectory_id", "source_index", "pk"):
        found[trajectory][source_index] = pk
    return found


def _held(rater: Rater, trajectories: list[int], scheme: Scheme) -> dict[int, _Held]:
    """The rater's live annotations of these trajectories with what they now say in the fields ratings speak of."""
    mine = Annotation.objects.live().filter(rater=rater, trajectory__in=trajectories)
    held = {one.pk: _Held(one, {}) for one in mine}
    labels = Label.objects.current().filter(annotation__in=held, field__in=[scheme.main, scheme.final])
    for pk, annotation, step, name, value, why in labels.values_list(
        "pk", "annotation_id", "step_id", "field", "value", "explanation"
    ):
        held[annotation].labels[step, name] = pk, (value, why)
    return {one.annotation.trajectory_id: one for one in held.values()}


def _state(rating: RatingRecord) -> str:
    return Annotation.State.FAILED if rating.failed else Annotation.State.SUBMITTED


def _when(rating: RatingRecord) -> datetime:
    """When it was said: the file's own time where it has one."""
    return datetime.fromisoformat(rating.updated_at) if rating.updated_at else timezone.now()


def _origin(rater: Rater) -> str:
    return Label.Origin.JUDGE if rater.kind == Rater.Kind.JUDGE else Label.Origin.IMPORT


def _create(project: Project, rater: Rater, new: list[tuple[Said, dict[Key, Saying]]], tally: Tally) -> None:
    now = timezone.now()
    ids = copying.reserve(Annotation, len(new))
    fixed = (project.scheme_id, Annotation.mode.field.default, Annotation.propagation.field.default)
    copying.insert(
        Annotation,
        ANNOTATION,
        (
            (
                pk,
                rater.pk,
                one.trajectory,
                *fixed,
                _state(one.rating),
                0,
                0,
                one.rating.comment,
                now,
                now,
                _when(one.rating),
            )
            for pk, (one, _) in zip(ids, new, strict=True)
        ),
    )
    rows = [
        row for pk, (_, sayings) in zip(ids, new, strict=True) for row in _rows(pk, sayings, _origin(rater), 0, now)
    ]
    copying.insert(Label, LABEL, rows)
    tally.annotations += len(new)
    tally.labels += len(rows)


def _rows(annotation: int, sayings: dict[Key, Saying], origin: str, revision: int, now: datetime) -> list[tuple]:
    return [
        (annotation, step, name, dump(value), origin, why, revision, now)
        for (step, name), (value, why) in sayings.items()
    ]


def _update(project: Project, rater: Rater, held: _Held, said: Said, sayings: dict[Key, Saying], tally: Tally) -> None:
    """Supersede what differs. Nothing is written where nothing does."""
    annotation, rating = held.annotation, said.rating
    fresh = {key: saying for key, saying in sayings.items() if key not in held.labels or held.labels[key][1] != saying}
    gone = [pk for key, (pk, saying) in held.labels.items() if sayings.get(key) != saying]
    same_end = annotation.state == _state(rating) and annotation.comment == rating.comment
    if not fresh and not gone and same_end:
        tally.unchanged += 1
        return
    now = timezone.now()
    revision = annotation.revision + 1
    Label.objects.filter(pk__in=gone).update(superseded_at=now)
    copying.insert(Label, LABEL, _rows(annotation.pk, fresh, _origin(rater), revision, now))
    Annotation.objects.filter(pk=annotation.pk).update(
        state=_state(rating),
        comment=rating.comment,
        revision=F("revision") + 1,
        updated_at=now,
        submitted_at=_when(rating),
    )
    Event.objects.create(
        project=project,
        verb="labels.imported",
        annotation=annotation,
        revision=revision,
        before=_told(annotation.state, {key: saying for key, (_, saying) in held.labels.items()}),
        after=_told(_state(rating), sayings),
    )
    tally.labels += len(fresh)
    tally.annotations += 1
    tally.changed.add(said.trajectory)


def _told(state: str, sayings: dict[Key, Saying]) -> dict[str, Any]:
    labels = [{"step": step, "field": name, "value": value} for (step, name), (value, _) in sayings.items()]
    return {"state": state, "labels": labels}
