"""From several opinions to one: taking up a trajectory, deciding place by place, settling it, taking it up again.

Who decides may have to decide first and sees what the raters said only then; both are kept. What raters agree on is
taken as it is when the trajectory is settled, with whose word it was.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from annotations.formats.lines import dump
from annotations.models import Adjudication, Annotation, Event, Label, Project, Rater, Standing, Step, Trajectory, User
from annotations.records import Json
from annotations.schemes.fields.base import NOTHING
from annotations.schemes.schema import Scheme
from annotations.services import adjudication_places as places
from annotations.services import adjudication_weighed, agreement_marks
from annotations.services.adjudication_places import Spot
from annotations.services.outcomes import NotAccepted
from annotations.services.projects import scheme_of
from annotations.services.standing import Place

RATER = "adjudicated"
AT_ONCE = 200  # trajectories on which all agree, that one press takes over
State = Annotation.State


class NotSettled(ValueError):
    """It cannot be settled yet, or changed any more. The message says why."""


def waiting(project: Project, *, everybody: bool = False) -> QuerySet[Standing]:
    """Trajectories on which raters differ and nobody has begun, those furthest apart first."""
    who = "everybody" if everybody else "people"
    found = Standing.objects.filter(
        **{f"{who}_differ__gt": 0}, project=project, trajectory__superseded_at=None, trajectory__adjudication=None
    )
    return found.order_by(f"-{who}_weight", "trajectory")


def open_ones(project: Project) -> QuerySet[Adjudication]:
    """Begun and not settled, those that lie longest first."""
    found = Adjudication.objects.filter(project=project, settled_at=None, trajectory__superseded_at=None)
    return _told(found).order_by("opened_at", "pk")


def settled(project: Project) -> QuerySet[Adjudication]:
    return _told(Adjudication.objects.filter(project=project, settled_at__isnull=False)).order_by("-settled_at")


def _told(found: QuerySet[Adjudication]) -> QuerySet[Adjudication]:
    """With who has each, and how many comments are open there."""
    comments = Count(
        "annotation__threads", filter=Q(annotation__threads__kind="note", annotation__threads__closed_at=None)
    )
    return found.select_related("by", "trajectory").annotate(comments=comments)


def following(project: Project, by: User, *, everybody: bool = False) -> int | None:
    """The trajectory that comes next for somebody: what they have begun, else the one where raters differ most."""
    mine = open_ones(project).filter(by=by).values_list("trajectory", flat=True).first()
    return mine or waiting(project, everybody=everybody).values_list("trajectory", flat=True).first()


@transaction.atomic
def begin(trajectory: Trajectory, by: User, *, everybody: bool = False, blind: bool = True) -> Adjudication:
    """Take the trajectory up; one that is taken up already comes back as it stands."""
    project = Project.objects.select_for_update(no_key=True).get(pk=trajectory.project_id)
    if found := Adjudication.objects.filter(trajectory=trajectory).first():
        return found
    rater, _ = Rater.objects.get_or_create(project=project, kind=Rater.Kind.CONSENSUS, name=RATER)
    # A new version of a trajectory has the labels that went along; they are looked at again.
    annotation, _ = Annotation.objects.live().update_or_create(
        rater=rater,
        trajectory=trajectory,
        defaults={"state": State.DRAFT, "submitted_at": None},
        create_defaults={
            "scheme": project.scheme,
            "guideline": project.guidelines.first(),
            "mode": Project.Mode.REFERENCE,
            "state": State.DRAFT,
        },
    )
    made = Adjudication.objects.create(
        project=project, trajectory=trajectory, annotation=annotation, by=by, everybody=everybody, blind=blind
    )
    _record(made, by, "adjudication.begun", after={"everybody": everybody, "blind": blind})
    return made


def spots(adjudication: Adjudication) -> list[Spot]:
    """Every place with who says what, and what is decided."""
    scheme = scheme_of(adjudication.project.scheme)
    found = places.spots(
        scheme, adjudication.trajectory_id, everybody=adjudication.everybody, besides=adjudication.annotation_id
    )
    for spot in found:
        spot.first = adjudication.firsts.get(spot.path)
        spot.is_seen = not adjudication.blind or spot.path in adjudication.seen
    return found


@transaction.atomic
def decide(
    adjudication: Adjudication, by: User, place: Place, value: Json, *, why: str = "", of: str = ""
) -> Adjudication:
    """Say what holds at that place. `of` is the rater whose word it is, where it is taken from one. Raises NotAccepted,
    NotSettled; saying the same again changes nothing."""
    locked = _open(adjudication, by)
    scheme = scheme_of(locked.project.scheme)
    step = _checked(locked, scheme, place, value)
    spot = next((one for one in spots(locked) if one.place == place), None)
    raters = sorted(one.rater.name for one in spot.voices if dump(one.value) == dump(value)) if spot else []
    path = places.path(place)
    if path not in locked.firsts and (not spot or not spot.is_seen):
        locked.firsts = locked.firsts | {path: value}
    _see(locked, path)
    _write(locked, by, step, place[1], value, why=why, told={"raters": raters, "taken_of": of, "by": by.username})
    return locked


@transaction.atomic
def show(adjudication: Adjudication, by: User, place: Place) -> Adjudication:
    """Let the raters' words at that place be seen without deciding first; that this was so is kept."""
    locked = _open(adjudication, by)
    _see(locked, places.path(place))
    return locked


@transaction.atomic
def settle(adjudication: Adjudication, by: User) -> Adjudication:
    """Hand it in: what raters agree on is taken, with whose word it is. NotSettled where something is not decided."""
    locked = _open(adjudication, by)
    found = spots(locked)
    if left := [spot for spot in found if spot.differs and spot.decided is None]:
        raise NotSettled(f"Of the places on which raters differ, {len(left)} are not decided.")
    ids = dict(Step.objects.filter(trajectory=locked.trajectory_id).values_list("index", "pk"))
    for spot in found:
        if spot.decided is None and spot.agreed is not None:
            step, name = spot.place
            told = {"raters": sorted(one.rater.name for one in spot.voices), "taken_of": "", "agreed": True}
            _write(locked, by, None if step is None else ids[step], name, spot.agreed, why="", told=told)
    now = timezone.now()
    Annotation.objects.filter(pk=locked.annotation_id).update(
        state=State.SUBMITTED, submitted_at=now, updated_at=now, revision=F("revision") + 1
    )
    locked.settled_at, locked.by, locked.weighed = now, by, adjudication_weighed.weigh(found)
    locked.save(update_fields=["settled_at", "by", "weighed"])
    agreement_marks.mark([locked.trajectory_id])
    _record(locked, by, "adjudication.settled", after={"decided": sum(one.differs for one in found)})
    return locked


def agreed(project: Project, *, everybody: bool = False) -> QuerySet[Standing]:
    """Trajectories on which two or more raters agree in everything, and that nobody has taken up."""
    who = "everybody" if everybody else "people"
    alike = {f"{who}__gt": 1, f"{who}_differ": 0}
    found = Standing.objects.filter(project=project, trajectory__superseded_at=None, trajectory__adjudication=None)
    return found.filter(**alike).order_by("trajectory")


def settle_agreed(project: Project, by: User, *, everybody: bool = False) -> int:
    """Take over what all agree on, at most AT_ONCE trajectories; how many these were."""
    rows = agreed(project, everybody=everybody).select_related("trajectory")[:AT_ONCE]
    for row in rows:
        with transaction.atomic():
            settle(begin(row.trajectory, by, everybody=everybody), by)
    return len(rows)


@transaction.atomic
def reopen(adjudication: Adjudication, by: User, reason: str) -> Adjudication:
    """Take up again what was settled, with a reason. Until it is settled anew it counts for nothing."""
    locked = _locked(adjudication)
    if not reason.strip():
        raise NotAccepted("Say why you take it up again.", "reason", ["a text that is not empty"])
    if locked.settled_at is None:
        return locked
    Annotation.objects.filter(pk=locked.annotation_id).update(
        state=State.DRAFT, submitted_at=None, updated_at=timezone.now(), revision=F("revision") + 1
    )
    locked.settled_at, locked.by, locked.reopened_because = None, by, reason.strip()
    locked.save(update_fields=["settled_at", "by", "reopened_because"])
    agreement_marks.mark([locked.trajectory_id])
    _record(locked, by, "adjudication.reopened", after={"reason": reason.strip()})
    return locked


@transaction.atomic
def take_over(adjudication: Adjudication, by: User) -> Adjudication:
    """Go on with what somebody else began."""
    locked = _locked(adjudication)
    if locked.by_id != by.pk and locked.settled_at is None:
        before, locked.by = locked.by.username, by
        locked.save(update_fields=["by"])
        _record(locked, by, "adjudication.taken_over", after={"from": before})
    return locked


def _locked(adjudication: Adjudication) -> Adjudication:
    found = Adjudication.objects.select_for_update(of=("self",), no_key=True).select_related("project__scheme", "by")
    return found.get(pk=adjudication.pk)


def _open(adjudication: Adjudication, by: User) -> Adjudication:
    locked = _locked(adjudication)
    if locked.settled_at is not None:
        raise NotSettled("It is settled. Take it up again to change it.")
    if locked.by_id != by.pk:
        raise NotSettled(f"{locked.by.username} has it. Take it over to go on with it.")
    return locked


def _checked(adjudication: Adjudication, scheme: Scheme, place: Place, value: Json) -> int | None:
    """The id of the place's step; None for the whole. NotAccepted where there is no such place, or not that answer."""
    index, name = place
    spec = scheme.field(name)
    if spec is None or spec.of_step != (index is not None):
        accepted = [one.name for one in scheme.fields if one.of_step == (index is not None)]
        raise NotAccepted(f"There is no field {name} there.", "field", accepted)
    steps = Step.objects.of_agent().filter(trajectory=adjudication.trajectory_id)
    found = steps.filter(index=index).values_list("pk", flat=True).first() if index is not None else None
    if index is not None and found is None:
        raise NotAccepted(f"There is no step {index} of the agent.", "step", [])
    if reason := spec.refusal(value, NOTHING):
        raise NotAccepted(reason, "value", spec.accepted(NOTHING))
    return found


def _see(locked: Adjudication, path: str) -> None:
    if path not in locked.seen:
        locked.seen = [*locked.seen, path]
    locked.save(update_fields=["seen", "firsts"])


def _write(
    locked: Adjudication, by: User, step: int | None, name: str, value: Json, *, why: str, told: dict[str, Any]
) -> None:
    """One label in place of the one before; nothing where it says just that."""
    before = Label.objects.current().filter(annotation=locked.annotation_id, step=step, field=name).first()
    if before and (dump(before.value), before.explanation) == (dump(value), why):
        return
    now = timezone.now()
    if before:
        Label.objects.filter(pk=before.pk).update(superseded_at=now)
    Annotation.objects.filter(pk=locked.annotation_id).update(revision=F("revision") + 1, updated_at=now)
    Label.objects.create(
        annotation_id=locked.annotation_id,
        step_id=step,
        field=name,
        value=value,
        origin=Label.Origin.ADJUDICATED,
        explanation=why,
        suggestion=told,
        guideline=locked.project.guidelines.first(),
    )
    was = {"value": before.value} if before else None
    _record(locked, by, "adjudication.decided", before=was, after={"step": step, "field": name, "value": value, **told})


def _record(one: Adjudication, by: User, verb: str, *, before: Any = None, after: Any = None) -> None:
    Event.objects.create(
        project=one.project, actor=by, verb=verb, annotation=one.annotation, before=before, after=after
    )


def counted(project: Project) -> dict[str, int]:
    """How many wait, are begun, and are settled."""
    untouched = Standing.objects.filter(
        project=project, trajectory__superseded_at=None, trajectory__adjudication=None
    ).aggregate(
        people=Count("pk", filter=Q(people_differ__gt=0)), everybody=Count("pk", filter=Q(everybody_differ__gt=0))
    )
    return {
        **untouched,
        "open": open_ones(project).count(),
        "settled": settled(project).count(),
    }
