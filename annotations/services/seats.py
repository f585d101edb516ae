"""Seats: each trajectory has `overlap` of them; a lease holds one for a while, a submission for good.

A pass that is not for the dataset (Annotation.purpose) sits beside these, so that it takes none from anybody.

All that gives or takes a seat locks the project first, so that two people never get the same one.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Min, OuterRef, QuerySet, Subquery
from django.shortcuts import get_object_or_404
from django.utils import timezone

from annotations import access
from annotations.models import Annotation, Event, Guideline, Project, QueueRank, Role, User
from annotations.services import history
from annotations.services.outcomes import NoSeat

State = Annotation.State
OPEN = (State.LEASED, State.DRAFT, State.RETURNED)
RETURNED_FOR = timedelta(days=1)  # who gets work back has to come back first
BESIDE = 1000  # from here on seats are beside those that the project wants; it wants 50 at most


def lock(project: Project | str, user: User) -> Project:
    """The project, with its seats given out to nobody else until the transaction ends.

    `no_key` lets rows that refer to the project come in meanwhile.
    """
    named = {"slug": project} if isinstance(project, str) else {"pk": project.pk}
    return _lock(Project.objects.filter(**named), user)


def lock_for(annotation_id: int, user: User) -> Project:
    """The project of that annotation, locked as by `lock`. Take it before the annotation's own lock."""
    return _lock(Project.objects.filter(raters__annotations=annotation_id), user)


def _lock(projects: QuerySet[Project], user: User) -> Project:
    mine = projects.select_for_update(of=("self",), no_key=True).filter(memberships__user=user)
    mine = mine.select_related("gold_plan")  # which the queue looks at
    newest = Guideline.objects.filter(project=OuterRef("pk")).order_by("-version").values("pk")[:1]
    project = get_object_or_404(mine.annotate(role=F("memberships__role"), newest_guideline=Subquery(newest)))
    check_role(project.role)  # type: ignore[attr-defined]
    return project


def check_role(role: str, roles: set[Role] = access.LABEL) -> None:
    """PermissionDenied unless the role is one of these; without saying which, those that label."""
    if role not in roles:
        raise PermissionDenied(f"Your role here is {role}; this needs {' or '.join(sorted(roles))}.")


def free_lapsed(project: Project, now: datetime) -> None:
    """Take the seats of leases that ran out. State and labels stay. The project must be locked."""
    lapsed = Annotation.objects.lapsed(now).filter(rater__in=project.raters.values("pk"))
    if trajectories := list(lapsed.values_list("trajectory", flat=True)):
        lapsed.update(seat=None, lease_until=None)
        came_free(project, *trajectories)


def came_free(project: Project, *trajectories: int) -> None:
    """Let everybody's next search look at the trajectories again. The project must be locked."""
    if project.queue_ranking_id is None:
        earliest: int | None = min(trajectories)
    else:
        ranks = QueueRank.objects.filter(run=project.queue_ranking_id, trajectory__in=trajectories)
        earliest = ranks.aggregate(place=Min("place"))["place"]
    if earliest is not None:  # one without a place is looked for once nothing else is left
        project.raters.filter(queue_from__gt=earliest).update(queue_from=earliest)


def renew(annotation: Annotation) -> bool:
    """Hold the seat for another lease. False where the seat is gone or the annotation is no longer worked on."""
    mine = Annotation.objects.filter(pk=annotation.pk, state__in=OPEN, seat__isnull=False)
    until = longer_lease(annotation)
    if not mine.update(lease_until=until):
        return False
    annotation.lease_until = until
    return True


@transaction.atomic
def release(annotation: Annotation) -> bool:
    """Give an unfinished annotation's seat back now. State and labels stay. False where it held none."""
    project = Project.objects.select_for_update(no_key=True).get(raters=annotation.rater_id)
    mine = Annotation.objects.filter(pk=annotation.pk, state__in=OPEN, seat__isnull=False)
    if not mine.update(seat=None, lease_until=None):
        return False
    came_free(project, annotation.trajectory_id)
    return True


def regain(annotation: Annotation, project: Project) -> bool:
    """Take a seat again for an annotation that lost its own; False where none is free, or where a lead took it away:
    a page that is still open does not take it back by itself. The project must be locked."""
    annotation.refresh_from_db(fields=["seat", "state"])
    if annotation.seat is None and last_seating([annotation]).get(annotation.pk) == history.RELEASE:
        return False
    try:
        take_seat(annotation, project)
    except NoSeat:
        return False
    annotation.lease_until = longer_lease(annotation)
    mine = Annotation.objects.filter(pk=annotation.pk, state__in=OPEN)
    return bool(mine.update(seat=annotation.seat, lease_until=annotation.lease_until))


def longer_lease(annotation: Annotation) -> datetime:
    """Until when the lease runs if it is renewed now: never shorter than it was."""
    now = timezone.now()
    return max(annotation.lease_until or now, now + timedelta(minutes=annotation.rater.project.lease_minutes))


def take_seat(annotation: Annotation, project: Project) -> None:
    """Set a seat on the annotation, unsaved; its own where it has one. The project must be locked. Raises NoSeat."""
    if annotation.seat is not None:
        return
    free_lapsed(project, timezone.now())
    annotation.seat = seat_for(annotation, project)
    if annotation.seat is None:
        raise NoSeat


def seat_for(annotation: Annotation, project: Project) -> int | None:
    """A seat that the annotation could take now; there always is one beside the project's own."""
    held = taken(annotation)
    return seat_beside(held) if annotation.purpose else free_seat(project, held)


def free_seat(project: Project, held: Collection[int | None]) -> int | None:
    """The lowest free seat. Seats beyond a lowered overlap count as taken all the same."""
    own = {seat for seat in held if seat is not None and seat < BESIDE}
    if len(own) >= project.overlap:
        return None
    return min(set(range(project.overlap)) - own)


def seat_beside(held: Collection[int | None]) -> int:
    """The lowest free seat beside those that the project wants."""
    beside = {seat for seat in held if seat is not None and seat >= BESIDE}
    return min(set(range(BESIDE, BESIDE + len(beside) + 1)) - beside)


def taken(annotation: Annotation) -> Collection[int | None]:
    held = Annotation.objects.filter(trajectory=annotation.trajectory_id, seat__isnull=False)
    return held.values_list("seat", flat=True)


def last_seating(annotations: Collection[Annotation]) -> dict[int, str]:
    """By what each of them last came to its seat or lost it for good; nothing is logged where a lease just runs out."""
    said = Event.objects.filter(annotation__in=annotations, verb__in=history.SEATING)
    newest = said.order_by("annotation", "-pk").distinct("annotation")
    return dict(newest.values_list("annotation", "verb")) if annotations else {}
