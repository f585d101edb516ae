"""Who labels what next."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from annotations.models import Annotation, Project, Rater, User
from annotations.services import frontier, gold_queue, history, people, quick, repeats, seats, task_answers, training
from annotations.services.board import scheme

State, Purpose = Annotation.State, Annotation.Purpose


@transaction.atomic
def lease_next(project: Project | str, user: User) -> Annotation | None:
    """The trajectory the person should label now, leased to them; None when nothing is left for them.

    First what they hold, of that what a lead returned or gave to them; then what was returned to them, then their own
    drafts whose lease ran out if there is a seat, then the first live trajectory, in the queue's order, that has room
    and that they have not had; at last what a lead took from them, where its seat is still free. Asking again gives the
    same. The project may be named by its slug. Http404 for who is no member, PermissionDenied for a role that does not
    label.
    """
    # People are slow: one lease at a time per project costs nothing and leaves no race to reason about.
    rater = _ready(seats.lock(project, user), user)
    begun, released = _begun(rater)
    return _resume(begun) or _start(rater) or _take_back(_resume(released), user)


@transaction.atomic
def lease_ahead(annotation: Annotation, user: User) -> Annotation | None:
    """What the person labels after this pass of theirs, leased while they still look this one over; None where nothing
    is left, or where they hold no seat of this one any more. Asking again gives the same: nobody holds two ahead."""
    rater = _ready(seats.lock_for(annotation.pk, user), user)
    holds = Annotation.objects.filter(pk=annotation.pk, state__in=seats.OPEN, seat__isnull=False)
    if annotation.purpose == Purpose.TRAINING or not holds.exists():
        return None  # what follows training is what came of it
    begun, _ = _begun(rater)
    return _resume(one for one in begun if one.pk != annotation.pk) or _start(rater)


def has_more(project: Project, user: User) -> bool:
    """Whether a trajectory would come that the person has not had, as far as one can say without locking anything."""
    rater = Rater.objects.filter(project=project, user=user).first() or Rater(user=user)
    rater.project = project
    lapsed = Annotation.objects.for_labels().lapsed(timezone.now()).filter(rater__project=project)
    return _search(rater, _IMPORTED, 0) is not None or lapsed.exclude(rater__user=user).exists()


def _ready(locked: Project, user: User) -> Rater:
    """The person as a rater of the project, whose lapsed leases are free."""
    seats.free_lapsed(locked, timezone.now())
    rater = people.rater_of(locked, user)
    rater.project, rater.user = locked, user
    return rater


def _begun(rater: Rater) -> tuple[list[Annotation], list[Annotation]]:
    """What the person has begun here and can go on with, the most urgent first; and what of it a lead took away."""
    found = list(rater.annotations.live().filter(state__in=seats.OPEN, trajectory__superseded_at__isnull=True))
    for one in found:
        one.rater = rater
    if len(found) == 1 and found[0].seat is not None:
        return found, []
    seating = seats.last_seating(found)
    released = [one for one in found if one.seat is None and seating.get(one.pk) == history.RELEASE]
    given = {pk for pk, verb in seating.items() if verb == history.ASSIGN}
    found.sort(key=lambda one: (one.seat is None, one.state != State.RETURNED and one.pk not in given, one.pk))
    return [one for one in found if one not in released], released


def _resume(begun: Iterable[Annotation]) -> Annotation | None:
    """The first of these for which there is a seat, leased again."""
    for one in begun:
        one.seat = seats.seat_for(one, one.rater.project) if one.seat is None else one.seat
        if one.seat is None:
            continue
        one.lease_until = seats.longer_lease(one)
        # It may have been submitted or skipped a moment ago: that stands.
        if Annotation.objects.filter(pk=one.pk, state__in=seats.OPEN).update(
            seat=one.seat, lease_until=one.lease_until
        ):
            return one
    return None


def _take_back(one: Annotation | None, user: User) -> Annotation | None:
    """What a lead took away is the person's again: that is another lease."""
    if one:
        history.record(one, history.LEASE, user, after={"trajectory": one.trajectory_id, "seat": one.seat})
    return one


def _start(rater: Rater) -> Annotation | None:
    project = rater.project
    plan = gold_queue.plan_for(rater)
    if plan and plan.training and training.holds(rater, plan):
        return _aside(rater, training.following(rater, plan), Purpose.TRAINING)
    found = _first_with_room(rater)
    if found is None:
        return None
    if plan and (gold := gold_queue.due(rater, plan)):
        return _aside(rater, gold, Purpose.GOLD)
    if plan and (again := repeats.due(rater, plan)):
        return _aside(rater, again, Purpose.REPEAT)
    seat, until = seats.free_seat(project, found.taken), _lease(project)
    assert seat is not None  # it has room
    annotation = begin(rater, found.trajectory, seat, until, drawn=found.drawn)
    after = {"trajectory": found.trajectory, "seat": seat}
    with quick.in_one_go():
        Rater.objects.filter(pk=rater.pk).update(queue_from=found.at, queue_overlap=project.overlap)
        history.record(annotation, history.LEASE, rater.user, after=after)
    return annotation


def _aside(rater: Rater, trajectory: int | None, purpose: str) -> Annotation | None:
    """A pass that is not for the dataset, beside the seats of those that are; None of no trajectory."""
    if trajectory is None:
        return None
    taken = Annotation.objects.filter(trajectory=trajectory, seat__isnull=False).values_list("seat", flat=True)
    seat = seats.seat_beside(taken)
    annotation = begin(rater, trajectory, seat, _lease(rater.project), purpose=purpose)
    history.record(annotation, history.LEASE, rater.user, after={"trajectory": trajectory, "seat": seat})
    return annotation


def _lease(project: Project) -> datetime:
    return timezone.now() + timedelta(minutes=project.lease_minutes)


def begin(
    rater: Rater, trajectory: int, seat: int, until: datetime, *, drawn: str = "", purpose: str = ""
) -> Annotation:
    """A new pass with that seat, under the rules the project has now; to be logged. `drawn` says how the queue came to
    it, `purpose` what it is given for. The project must be locked, by `lock`."""
    project = rater.project
    annotation = Annotation(
        rater=rater,
        trajectory_id=trajectory,
        scheme_id=project.scheme_id,
        guideline_id=project.newest_guideline,  # type: ignore[attr-defined]
        **_rules(project, trajectory),
        state=State.LEASED,
        seat=seat,
        lease_until=until,
        drawn=drawn,
        purpose=purpose,
    )
    annotation.save(force_insert=True)
    task_answers.carry(annotation)
    return annotation


def _rules(project: Project, trajectory: int) -> dict[str, Any]:
    """The rules a pass begins under. A share of the assisted ones is blind, so that quality can still be measured; a
    first progressive pass fills nothing in by itself, or it would run ahead of the person."""
    mode, propagation = project.mode, project.propagation
    if mode == Project.Mode.ASSISTED and random.randrange(100) < project.blind_share:
        mode = Project.Mode.BLIND
    if mode != Project.Mode.PROGRESSIVE:
        return {"mode": mode, "propagation": propagation}
    if propagation == Project.Propagation.FILL:
        propagation = Project.Propagation.SUGGEST
    return {"mode": mode, "propagation": propagation, "frontier": frontier.first(trajectory, scheme(project.scheme_id))}


class Place(NamedTuple):
    """A trajectory with room, and the seats of it that are taken; where in the queue's order it stands, and how it came
    to stand there."""

    trajectory: int
    taken: list[int]
    at: int
    drawn: str


def _first_with_room(rater: Rater) -> Place | None:
    """The first live trajectory, in the queue's order, with a free seat that the rater has no pass over.

    To look past thousands that are done takes longer each time, so the search begins where the rater's last one
    ended; what came free behind that has set the place back (came_free). Where the rest holds nothing, all is looked
    at: the place is a hint, and can cost order but never a trajectory. What the order has no place for comes last, as
    imported.
    """
    start = rater.queue_from if rater.queue_overlap >= rater.project.overlap else 0
    order = _IMPORTED if rater.project.queue_ranking_id is None else _RANKED
    found = _search(rater, order, start) or (_search(rater, order, 0) if start else None)
    if found or order is _IMPORTED:
        return found
    unplaced = _search(rater, _IMPORTED, 0)
    return unplaced and unplaced._replace(at=start)


# By hand: the ORM spends more time on writing it than PostgreSQL on answering.
_OF_IT = f"FROM annotations_annotation s WHERE s.trajectory_id = t.id AND s.seat < {seats.BESIDE}"
_TAKEN = f"ARRAY(SELECT s.seat {_OF_IT})"
_HAS_ROOM = f"""
       AND NOT EXISTS (SELECT {_OF_IT} OFFSET %(overlap)s - 1)
"""
# Where only tasks are asked about, the first rollout of each stands for the task, once for each person.
_ONE_A_TASK = """
       AND t.id = (
            SELECT min(f.id) FROM annotations_trajectory f WHERE f.task_id = t.task_id AND f.superseded_at IS NULL)
       AND t.task_id NOT IN (
            SELECT o.task_id FROM annotations_annotation a JOIN annotations_trajectory o ON o.id = a.trajectory_id
             WHERE a.rater_id = %(rater)s AND a.retired_at IS NULL)
"""


class Order(NamedTuple):
    """The beginning of a query for what has room, in one order, and its end."""

    begins: str
    ends: str


_IMPORTED = Order(
    f"""
    SELECT t.id, {_TAKEN}, t.id, ''
      FROM annotations_trajectory t
     WHERE t.project_id = %(project)s AND t.superseded_at IS NULL AND t.id >= %(start)s
       AND t.id NOT IN (
            SELECT a.trajectory_id FROM annotations_annotation a
             WHERE a.rater_id = %(rater)s AND a.retired_at IS NULL AND a.trajectory_id >= %(start)s)""",
    "     ORDER BY t.id\n     LIMIT 1",
)
# OFFSET 0 keeps the test at the row: what the person has had may be thousands, and one look is enough.
_RANKED = Order(
    f"""
    SELECT t.id, {_TAKEN}, q.place, q.drawn
      FROM annotations_queuerank q
      JOIN annotations_trajectory t ON t.id = q.trajectory_id AND t.superseded_at IS NULL
     WHERE q.run_id = %(ranking)s AND q.place >= %(start)s
       AND NOT EXISTS (
            SELECT FROM annotations_annotation a
             WHERE a.rater_id = %(rater)s AND a.trajectory_id = t.id AND a.retired_at IS NULL OFFSET 0)""",
    "     ORDER BY q.place\n     LIMIT 1",
)


def _search(rater: Rater, order: Order, start: int) -> Place | None:
    project = rater.project
    one_a_task = _ONE_A_TASK if task_answers.only(scheme(project.scheme_id)) else ""
    named = {
        "project": project.pk,
        "ranking": project.queue_ranking_id,
        "start": start,
        "rater": rater.pk,
        "overlap": project.overlap,
    }
    with connection.cursor() as cursor:
        cursor.execute("".join((order.begins, _HAS_ROOM, one_a_task, order.ends)), named)
        row = cursor.fetchone()
    return Place(*row) if row else None
