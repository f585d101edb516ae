"""Which trajectories have a known answer, whose it is, and what a project does with them, and with items that it gives
again: for those who lead."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from annotations import access
from annotations.models import Annotation, Event, Gold, GoldPlan, Membership, Project, Rater, Trajectory, User
from annotations.services import adjudication, views
from annotations.services.consensus import ADOPTED
from annotations.services.outcomes import NotAccepted
from annotations.services.queue_policies_chance import chance

Purpose = Annotation.Purpose
KINDS = (Rater.Kind.CONSENSUS, Rater.Kind.IMPORT, Rater.Kind.HUMAN)  # whose word can be a reference, the usual first
SETTINGS = ("every", "again", "again_after", "shown", "training", "mark")
MOST_EVERY, MOST_TRAINING, LONGEST = 1000, 50, 365  # the last one in days


def plan_of(project: Project) -> GoldPlan:
    """What the project does with gold items; unsaved where it has said nothing yet."""
    return GoldPlan.objects.filter(project=project).first() or GoldPlan(project=project, seed=secrets.token_hex(8))


@transaction.atomic
def change(project: Project, by: User | None, **values: Any) -> dict[str, Any]:
    """Store the settings that differ and return them. Who is a member when training is switched on is not trained."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    plan = plan_of(project)
    before = {name: getattr(plan, name) for name in SETTINGS}
    changed = {name: value for name, value in values.items() if value != before[name]}
    if changed:
        for name, value in changed.items():
            setattr(plan, name, value)
        if plan.training and not before["training"]:
            plan.training_since = timezone.now()
        plan.save()
        _record(project, by, "gold.planned", before={name: before[name] for name in changed}, after=changed)
    return changed


def references(project: Project) -> QuerySet[Annotation]:
    """The passes that can be held to be right: handed in for the dataset, of people, files and what was decided by
    people; none that was worked out from others' labels."""
    live = Annotation.objects.live().for_labels().filter(rater__project=project, rater__kind__in=KINDS)
    return live.filter(state=Annotation.State.SUBMITTED, trajectory__superseded_at=None).exclude(ADOPTED)


def usual(project: Project, found: list[Annotation]) -> Annotation | None:
    """Of the passes over one trajectory the one that is most likely meant: what was adjudicated, else the project's
    reference, else what a file says, else a person's."""

    def rank(one: Annotation) -> tuple[bool, bool, int, int]:
        decided = one.rater.kind == Rater.Kind.CONSENSUS and one.rater.name == adjudication.RATER
        return not decided, one.rater_id != project.reference_id, KINDS.index(Rater.Kind(one.rater.kind)), one.pk

    return min(found, key=rank, default=None)


@transaction.atomic
def mark(
    project: Project,
    trajectory: int,
    by: User | None,
    *,
    reference: int | None = None,
    use: str = Gold.Use.QUEUE,
    explanation: str | None = None,
) -> Gold:
    """Hold a pass over the trajectory to be right: that one, or the one that is usual. Marking anew changes the mark;
    without an explanation the one that is there stays. Raises NotAccepted."""
    found = list(references(project).filter(trajectory=trajectory).select_related("rater"))
    chosen = next((one for one in found if one.pk == reference), None) if reference else usual(project, found)
    if chosen is None:
        accepted = [one.pk for one in found]
        raise NotAccepted("Nothing that was handed in can be held to be right here.", "reference", accepted)
    said = {"reference": chosen, "use": use} | ({} if explanation is None else {"explanation": explanation.strip()})
    first = said | {"project": project, "created_by": by}
    made, _ = Gold.objects.update_or_create(trajectory_id=trajectory, defaults=said, create_defaults=first)
    _record(project, by, "gold.marked", after={"trajectory": trajectory, "reference": chosen.pk, "use": use})
    return made


@transaction.atomic
def mark_many(
    project: Project,
    by: User | None,
    *,
    rater: int,
    use: str = Gold.Use.QUEUE,
    most: int | None = None,
    view: str = "",
) -> int:
    """Mark what that rater handed in and nobody marked yet, of a kept view where one is named, at most so many of
    them, drawn by chance. Returns how many. Raises NotAccepted where there is no such view."""
    found = references(project).filter(rater=rater, trajectory__gold=None)
    found = found.filter(trajectory__in=views.shown(project, view)) if view else found
    pairs = list(found.values_list("pk", "trajectory"))
    seed = plan_of(project).seed
    pairs.sort(key=lambda pair: (chance(seed, "marked", pair[1]), pair[1]))
    rows = [
        Gold(project=project, trajectory_id=trajectory, reference_id=pk, use=use, created_by=by)
        for pk, trajectory in pairs[:most]
    ]
    made = Gold.objects.bulk_create(rows, ignore_conflicts=True)
    if made:
        _record(project, by, "gold.marked", after={"many": len(made), "rater": rater, "use": use})
    return len(made)


@transaction.atomic
def unmark(gold: Gold, by: User | None) -> None:
    """Give it to nobody any more. What was labelled of it stays, and stays what it is: given as gold."""
    told = {"trajectory": gold.trajectory_id, "reference": gold.reference_id, "use": gold.use}
    _record(gold.project, by, "gold.unmarked", before=told)
    gold.delete()


def items(project: Project) -> QuerySet[Gold]:
    """The project's items, the newest first."""
    found = Gold.objects.filter(project=project).select_related("trajectory", "reference__rater")
    return found.order_by("-pk")


def stands(gold: Gold) -> str:
    """Why the item is given to nobody; "" where it is."""
    if gold.trajectory.superseded_at:
        return "A newer version of the trajectory came in."
    if gold.reference.retired_at or gold.reference.state != Annotation.State.SUBMITTED:
        return "What was held to be right is taken up again and not handed in."
    return ""


def sources(project: Project) -> list[tuple[Rater, int]]:
    """The raters whose passes could be marked, each with how many of theirs nobody marked yet."""
    found = references(project).filter(trajectory__gold=None).values_list("rater", flat=True)
    counts: dict[int, int] = {}
    for pk in found:
        counts[pk] = counts.get(pk, 0) + 1
    raters = project.raters.filter(Q(pk__in=counts)).order_by("kind", "name")
    return [(one, counts[one.pk]) for one in raters]


def of(trajectory: Trajectory) -> Gold | None:
    return Gold.objects.filter(trajectory=trajectory).select_related("reference__rater").first()


def told(membership: Membership) -> bool:
    """Whether the member sees any such figures."""
    if access.may(membership, access.SEE_OTHERS_LABELS):
        return True
    return plan_of(membership.project).shown != GoldPlan.Shown.NOTHING


def horizon(membership: Membership) -> datetime | None:
    """Until when the member's figures count: for who does not lead, where there are gold items or some are given again,
    to the end of the day before. A number that moved with each pass would tell which one it was. None: until now."""
    project = membership.project
    if access.may(membership, access.SEE_OTHERS_LABELS) or not (has_gold(project) or has_repeats(project)):
        return None
    return timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)


def has_gold(project: Project) -> bool:
    return Gold.objects.filter(project=project, use=Gold.Use.QUEUE).exists() or _given(project, Purpose.GOLD)


def has_repeats(project: Project) -> bool:
    return plan_of(project).again > 0 or _given(project, Purpose.REPEAT)


def _given(project: Project, purpose: str) -> bool:
    return Annotation.objects.filter(rater__project=project, purpose=purpose).exists()


def follow(old: Annotation, new: Annotation) -> None:
    """Another pass stands for the one that is held to be right, maybe over a new version of its trajectory."""
    Gold.objects.filter(reference=old).update(reference=new, trajectory=new.trajectory_id)


def _record(project: Project, by: User | None, verb: str, *, before: Any = None, after: Any = None) -> None:
    Event.objects.create(project=project, actor=by, verb=verb, before=before, after=after)
