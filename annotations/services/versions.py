"""A trajectory that came in changed: what was said of its unchanged steps is said of the new version too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from annotations.formats.lines import dump
from annotations.models import Annotation, Event, Label, Look, Membership, Project, Step, Trajectory
from annotations.records import Json
from annotations.services import board, gold, progressive, resegmented, visibility
from annotations.services.carrying import Carrying, Kept
from annotations.services.drafts import StepDraft
from annotations.services.resegmented import Moved
from annotations.services.said import STEP_BODIES

CARRIED_OVER = "annotation.carried_over"
LISTED, LONGEST = 200, 200  # labels of one pass, and characters of a value, that are kept of what did not go along
RETURNED = "The trajectory was imported again and some of its steps changed; please look at those without a label."


def carry_over(
    project: Project, old: int, new: int, steps: Sequence[StepDraft], ids: Sequence[int], but: int | None
) -> tuple[int, list[Json]]:
    """Give every live annotation of the old version, except those of the rater `but`, a successor on the new one with
    the labels of the steps that are still there. Returns how many labels were carried, and those that could not be.
    Needs a transaction.

    Parts of a message that are one step now leave it the answer that all of them have; where one has another or none,
    nobody knows what would be said of the whole. A message that is cut into parts now leaves them nothing.
    A person's submitted annotation comes back to them as returned where an agent's step is new or a label was lost.
    """
    moved = resegmented.moved(old, steps, ids)
    known = {*moved.one.values(), *moved.several.values()}
    grown = any(step.source == Step.Source.AGENT and pk not in known for step, pk in zip(steps, ids, strict=True))
    mine = Annotation.objects.live().filter(trajectory=old).exclude(rater=but)
    # Whoever is saving a label of one of these finishes first, and the next finds the successor.
    held = mine.select_for_update(of=("self",)).select_related("rater", "trajectory").order_by("pk")
    carried, lost = 0, []
    for annotation in held:
        labels, gone = _succeed(project, annotation, new, moved, grown)
        carried += labels
        lost += gone
    return carried, lost


def _succeed(project: Project, old: Annotation, trajectory: int, moved: Moved, grown: bool) -> tuple[int, list[Json]]:
    labels = list(old.labels.current().order_by("pk").select_related("step").defer(*STEP_BODIES))
    work = Carrying(board.scheme(old.scheme_id), moved)
    kept = work.kept(labels)
    lost = [_told(old, trajectory, work, label, why) for label, why in work.lost]
    successor = _successor(old, trajectory, returned=grown or bool(lost))
    Annotation.objects.filter(pk=old.pk).update(retired_at=timezone.now(), seat=None, lease_until=None)
    successor.save()
    _copy(kept, successor)
    _copy_looks(old, successor, moved.one)
    gold.follow(old, successor)
    if successor.frontier is not None:
        successor.frontier = progressive.restart(successor)
        successor.save(update_fields=["frontier"])
    stood = {"annotation": successor.pk, "trajectory": trajectory, "state": successor.state, "labels": len(kept)}
    Event.objects.create(
        project=project,
        verb=CARRIED_OVER,
        annotation=successor,
        revision=successor.revision,
        before={"annotation": old.pk, "trajectory": old.trajectory_id, "state": old.state, "labels": len(labels)},
        after=stood | ({"lost": lost[:LISTED], "lost_more": len(lost[LISTED:])} if lost else {}),
    )
    return len(kept), lost


def _told(old: Annotation, trajectory: int, work: Carrying, label: Label, why: str) -> Json:
    """A label that did not go along, as results of imports and events list it."""
    spec = work.scheme.field(label.field)
    return {
        "trajectory": old.trajectory.external_id,
        "now": trajectory,
        "before": old.trajectory_id,
        "step": label.step.index if label.step else None,
        "rater": old.rater.name,
        "field": spec.title if spec else label.field,
        "value": (spec.words(label.value) if spec and not spec.refusal(label.value) else dump(label.value))[:LONGEST],
        "why": why,
    }


def lost_of(membership: Membership, trajectory: Trajectory) -> tuple[list[Json], int]:
    """The labels of its earlier version that did not go along to this one, as far as the member may see who made them,
    and how many more there are."""
    shown = visibility.annotations_visible_to(membership).filter(trajectory=trajectory)
    events = Event.objects.filter(verb=CARRIED_OVER, annotation__in=shown, after__has_key="lost").order_by("pk")
    found = [after for after in events.values_list("after", flat=True) if after]
    return [one for after in found for one in after["lost"]], sum(after.get("lost_more", 0) for after in found)


def _successor(old: Annotation, trajectory: int, *, returned: bool) -> Annotation:
    """The old annotation's row again, for the new version. Its seat and lease go along."""
    fields: dict[str, Any] = {
        name.attname: getattr(old, name.attname) for name in Annotation._meta.concrete_fields if not name.primary_key
    }
    made = Annotation(**fields | {"trajectory_id": trajectory})
    if returned and old.state == Annotation.State.SUBMITTED and old.rater.user_id:
        made.state, made.comment, made.submitted_at = Annotation.State.RETURNED, RETURNED, None
    return made


def _copy(labels: Sequence[Kept], successor: Annotation) -> None:
    """The labels again, causes before what they caused."""
    again: dict[int, Label] = {}
    waiting = list(labels)
    while waiting:
        ready = [one for one in waiting if one.cause is None or one.cause in again]
        for one in ready:
            said = one.label
            again[said.pk] = Label.objects.create(
                annotation=successor,
                step_id=one.step,
                field=one.field,
                value=one.value,
                origin=said.origin,
                cause=again[one.cause] if one.cause else None,
                explanation=one.explanation,
                guideline_id=said.guideline_id,
                time_ms=said.time_ms,
                suggestion=said.suggestion,
                revision=said.revision,
            )
        waiting = [one for one in waiting if one.label.pk not in again]


def _copy_looks(old: Annotation, successor: Annotation, moved: Mapping[int, int]) -> None:
    """How long the steps that are still there were looked at, so that labels that go along do not seem unread."""
    sums = ("page", "visible_ms", "visits", "unfolds")
    rows = [row for row in old.looks.values("step_id", *sums) if row["step_id"] in moved]
    Look.objects.bulk_create(Look(annotation=successor, **{**row, "step_id": moved[row["step_id"]]}) for row in rows)
