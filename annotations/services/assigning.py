"""A lead decides who works on what: takes the seat of a pass away, or gives one. No label is lost by either.

Locks are taken as in queue.py: the project first, then annotations, in the order of their ids.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.http import Http404
from django.utils import timezone

from annotations import access
from annotations.models import Annotation, Membership, Project, Rater, Trajectory, User
from annotations.services import changes, history, people, queue, seats
from annotations.services.outcomes import Closed, Refusal

State = Annotation.State
GIVEN_FOR = timedelta(days=1)  # who gets work from a lead has that long to begin it


class NotGiven(Refusal):
    """The pass cannot be given to that person, and why."""

    def __init__(self, error: str, field: str) -> None:
        super().__init__(error, field=field)


def labellers(project: Project) -> list[str]:
    """The members to whom work can be given, by name."""
    mine = project.memberships.filter(role__in=access.LABEL, user__is_active=True)
    return list(mine.order_by("user__username").values_list("user__username", flat=True))


@transaction.atomic
def release(annotation_id: int, by: User, reason: str = "", *, slug: str) -> Annotation:
    """Free the seat of an open pass for others. Its state, labels and draft stay; its person has to come back for it by
    themselves. Releasing twice is releasing once. Raises Closed where the pass is not open, Http404 where the project
    has none like it, PermissionDenied unless `by` manages the project."""
    project = _lock(slug, by)
    trajectory = Annotation.objects.filter(pk=annotation_id, rater__project=project).values_list(
        "trajectory", flat=True
    )
    found = _passes(project, trajectory.first()).get(annotation_id)
    if found is None:
        raise Http404
    _free(found, by, reason)
    return found


@transaction.atomic
def give(
    trajectory_id: int, to: User, by: User, *, instead_of: int | None = None, reason: str = "", slug: str
) -> Annotation:
    """Lease the person a pass over the trajectory for a day; it is theirs first at "Label next". One they have begun or
    skipped goes on, with its labels. `instead_of` is the open pass whose seat they take. Raises NotGiven where no seat
    can be had or they have submitted it already; Http404 and PermissionDenied as `release`."""
    project = _lock(slug, by)
    trajectory = Trajectory.objects.filter(project=project, pk=trajectory_id).first()
    if trajectory is None:
        raise Http404
    if trajectory.superseded_at:
        raise NotGiven("There is a newer version of this trajectory. Give that.", "trajectory")
    rater = _labels_here(project, to)
    passes = _passes(project, trajectory.pk)
    if instead_of is not None:
        _make_way(passes.get(instead_of), rater, by, reason)
    firsts = (one for one in passes.values() if one.purpose != Annotation.Purpose.REPEAT)
    mine = next((one for one in firsts if one.rater_id == rater.pk), None)
    given = _goes_on(mine, project, passes, by) if mine else _begins(rater, trajectory, project, passes)
    told = {"to": rater.name, "seat": given.seat, "instead_of": instead_of, "reason": reason.strip()}
    history.record(given, history.ASSIGN, by, after=told)
    return given


@transaction.atomic
def free_all(project: Project, user: User, by: User, reason: str) -> int:
    """Free every seat of the person's open passes, because they no longer label here. Returns how many held one. Should
    they come back, they go on as after a lease that ran out. The project must be locked."""
    mine = Annotation.objects.live().filter(rater__project=project, rater__user=user, state__in=seats.OPEN)
    held = mine.filter(seat__isnull=False).select_for_update(of=("self",), no_key=True).order_by("pk")
    found = list(held.select_related("rater__project"))
    for one in found:
        _free(one, by, reason, history.FREE)
    return len(found)


def _lock(slug: str, by: User) -> Project:
    project = seats.lock(slug, by)
    seats.check_role(project.role, access.MANAGE)  # type: ignore[attr-defined]
    seats.free_lapsed(project, timezone.now())
    return project


def _passes(project: Project, trajectory: int | None) -> dict[int, Annotation]:
    """The live passes over the trajectory by their ids, locked."""
    live = Annotation.objects.live().filter(trajectory=trajectory, rater__project=project)
    held = live.select_for_update(of=("self",), no_key=True).select_related("rater__project").order_by("pk")
    return {one.pk: one for one in held}


def _free(one: Annotation, by: User, reason: str, verb: str = history.RELEASE) -> None:
    if one.rater.user_id is None or one.state not in seats.OPEN:
        raise Closed(one.state)
    seat = one.seat
    if seats.release(one):
        one.seat = one.lease_until = None
        history.record(one, verb, by, before={"seat": seat}, after={"reason": reason.strip()})


def _labels_here(project: Project, to: User) -> Rater:
    role = Membership.objects.filter(project=project, user=to).values_list("role", flat=True).first()
    if role is None:
        raise NotGiven(f"{to.username} is no member of this project.", "to")
    if role not in access.LABEL:
        raise NotGiven(f"{to.username} is {role} here and does not label.", "to")
    rater = people.rater_of(project, to)
    rater.project, rater.user = project, to
    return rater


def _make_way(one: Annotation | None, rater: Rater, by: User, reason: str) -> None:
    if one is None:
        raise NotGiven("The pass whose seat was to be taken is not one of this trajectory.", "instead_of")
    if one.state not in seats.OPEN:
        said = one.get_state_display().lower()
        raise NotGiven(f"{one.rater.name}'s pass is {said}: only an open pass makes way.", "instead_of")
    if one.rater_id != rater.pk:
        _free(one, by, reason)


def _goes_on(mine: Annotation, project: Project, passes: dict[int, Annotation], by: User) -> Annotation:
    name = mine.rater.name
    if mine.state == State.SUBMITTED:
        raise NotGiven(f"{name} has submitted this trajectory already. Return it to them instead.", "to")
    if mine.seat is None:
        mine.seat = seats.seat_for(mine, project) if mine.purpose else _seat(project, passes)
    mine.lease_until = max(mine.lease_until or timezone.now(), timezone.now() + GIVEN_FOR)
    if mine.state == State.SKIPPED:
        changes.move(mine, State.DRAFT, history.REOPEN, by, comment="")
    else:
        mine.save(update_fields=["seat", "lease_until", "updated_at"])
    return mine


def _begins(rater: Rater, trajectory: Trajectory, project: Project, passes: dict[int, Annotation]) -> Annotation:
    return queue.begin(rater, trajectory.pk, _seat(project, passes), timezone.now() + GIVEN_FOR)


def _seat(project: Project, passes: dict[int, Annotation]) -> int:
    """A free seat. Raises NotGiven, naming who holds them all."""
    holders = [one for one in passes.values() if one.seat is not None and not one.purpose]
    seat = seats.free_seat(project, [one.seat for one in holders])
    if seat is None:
        raise NotGiven(_taken(project, holders), "to")
    return seat


def _taken(project: Project, holders: list[Annotation]) -> str:
    seats = "The one seat" if project.overlap == 1 else f"All {project.overlap} seats"
    done = ", ".join(sorted(one.rater.name for one in holders if one.state == State.SUBMITTED))
    at_work = ", ".join(sorted(one.rater.name for one in holders if one.state != State.SUBMITTED))
    if not at_work:
        return f"{seats} of this trajectory: submitted by {done}. Return one, or raise the overlap in the settings."
    and_done = f"; submitted by {done}" if done else ""
    return f"{seats} of this trajectory: at work on it {at_work}{and_done}. Say whose place it is to take."
