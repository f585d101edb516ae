"""A trajectory that came in changed: what was said of its unchanged steps is said of the new version too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from annotations.models import Annotation, Event, Label, Look, Project, Step
from annotations.schemes import moving
from annotations.schemes.fields.base import FieldSpec
from annotations.services import board, progressive
from annotations.services.drafts import StepDraft

RETURNED = "The trajectory was imported again and some of its steps changed; please look at those without a label."


@dataclass(frozen=True)
class Moved:
    """Steps of an old version that are in the new one too: their ids there, and their indexes."""

    ids: Mapping[int, int]
    indexes: Mapping[int, int]


def carry_over(
    project: Project, old: int, new: int, steps: Sequence[StepDraft], ids: Sequence[int], but: int | None
) -> int:
    """Give every live annotation of the old version, except those of the rater `but`, a successor on the new one with
    the labels of the steps that are still there. Returns how many labels were carried. Needs a transaction.

    A person's submitted annotation comes back to them as returned where an agent's step is new or a label was lost.
    """
    there = {step.stable: (pk, step.place) for step, pk in zip(steps, ids, strict=True)}
    columns = ("content_hash", "ordinal", "pk", "index")
    rows = Step.objects.filter(trajectory=old).values_list(*columns)
    before = {(digest, ordinal): (pk, index) for digest, ordinal, pk, index in rows}
    same = [(before[stable], there[stable]) for stable in before if stable in there]
    moved = Moved({was[0]: now[0] for was, now in same}, {was[1]: now[1] for was, now in same})
    grown = any(step.source == Step.Source.AGENT and step.stable not in before for step in steps)
    mine = Annotation.objects.live().filter(trajectory=old).exclude(rater=but)
    # Whoever is saving a label of one of these finishes first, and the next finds the successor.
    held = mine.select_for_update(of=("self",)).select_related("rater").order_by("pk")
    return sum(_succeed(project, annotation, new, moved, grown) for annotation in held)


def _succeed(project: Project, old: Annotation, trajectory: int, moved: Moved, grown: bool) -> int:
    labels = list(old.labels.current().order_by("pk"))
    scheme = board.scheme(old.scheme_id)
    kept = [one for one in labels if _goes_along(one, scheme.field(one.field), moved)]
    alive = {one.pk for one in kept}
    kept = [one for one in kept if one.cause_id is None or one.cause_id in alive]
    successor = _successor(old, trajectory, returned=grown or len(kept) < len(labels))
    Annotation.objects.filter(pk=old.pk).update(retired_at=timezone.now(), seat=None, lease_until=None)
    successor.save()
    _copy(kept, successor, moved.ids)
    _copy_looks(old, successor, moved.ids)
    if successor.frontier is not None:
        successor.frontier = progressive.restart(successor)
        successor.save(update_fields=["frontier"])
    Event.objects.create(
        project=project,
        verb="annotation.carried_over",
        annotation=successor,
        revision=successor.revision,
        before={"annotation": old.pk, "trajectory": old.trajectory_id, "state": old.state, "labels": len(labels)},
        after={"annotation": successor.pk, "trajectory": trajectory, "state": successor.state, "labels": len(kept)},
    )
    return len(kept)


def _goes_along(label: Label, spec: FieldSpec | None, moved: Moved) -> bool:
    """Whether its step is still there, and every step it names; it then names them where they stand now."""
    if label.step_id is not None and label.step_id not in moved.ids:
        return False
    if spec is None:
        return True
    name, value = moving.name(spec, label.field, moved.indexes), moving.value(spec, label.value, moved.indexes)
    if name is None or value is None:
        return False
    label.field, label.value = name, value
    return True


def _successor(old: Annotation, trajectory: int, *, returned: bool) -> Annotation:
    """The old annotation's row again, for the new version. Its seat and lease go along."""
    fields: dict[str, Any] = {
        name.attname: getattr(old, name.attname) for name in Annotation._meta.concrete_fields if not name.primary_key
    }
    made = Annotation(**fields | {"trajectory_id": trajectory})
    if returned and old.state == Annotation.State.SUBMITTED and old.rater.user_id:
        made.state, made.comment, made.submitted_at = Annotation.State.RETURNED, RETURNED, None
    return made


def _copy(labels: Sequence[Label], successor: Annotation, moved: Mapping[int, int]) -> None:
    """The labels again, causes before what they caused."""
    again: dict[int, Label] = {}
    waiting = list(labels)
    while waiting:
        ready = [one for one in waiting if one.cause_id is None or one.cause_id in again]
        for one in ready:
            again[one.pk] = Label.objects.create(
                annotation=successor,
                step_id=moved[one.step_id] if one.step_id else None,
                field=one.field,
                value=one.value,
                origin=one.origin,
                cause=again[one.cause_id] if one.cause_id else None,
                explanation=one.explanation,
                guideline_id=one.guideline_id,
                time_ms=one.time_ms,
                suggestion=one.suggestion,
                revision=one.revision,
            )
        waiting = [one for one in waiting if one.pk not in again]


def _copy_looks(old: Annotation, successor: Annotation, moved: Mapping[int, int]) -> None:
    """How long the steps that are still there were looked at, so that labels that go along do not seem unread."""
    sums = ("page", "visible_ms", "visits", "unfolds")
    rows = [row for row in old.looks.values("step_id", *sums) if row["step_id"] in moved]
    Look.objects.bulk_create(Look(annotation=successor, **{**row, "step_id": moved[row["step_id"]]}) for row in rows)
