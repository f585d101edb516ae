"""One change to one annotation: the row is locked, the change is made once, and one event says before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.http import Http404
from django.utils import timezone

from annotations.models import Annotation, Event, Project, Rater, User
from annotations.schemes.rules import Place
from annotations.services import frontier, history, quick, seats, standing
from annotations.services.board import Board, Labels, entries
from annotations.services.outcomes import Closed, Outcome

LONGEST_LOOK_MS = 60 * 60 * 1000  # a page left open overnight is not work


@dataclass(frozen=True)
class Wish:
    """The labels a request wants, what it takes back, and whether there is more to undo and redo afterwards."""

    labels: Labels
    undoes: Event | None = None
    undo: bool = True
    redo: bool = False


_COLUMNS = [field.attname for field in Annotation._meta.concrete_fields]
# In the model's own order: from_db gives each value to the next of these columns that the model has.
_OF_PROJECT = [
    field.attname
    for field in Project._meta.concrete_fields
    if field.attname in {"id", "slug", "lease_minutes", "overlap"}
]
# By hand, because it runs at every key: the ORM takes longer to write this query than PostgreSQL to answer it.
_OWN = f"""
    SELECT EXISTS (SELECT FROM annotations_event e WHERE e.annotation_id = a.id AND e.change = %s), m.role, r.id,
           {", ".join(f"p.{name}" for name in _OF_PROJECT)}, {", ".join(f"a.{name}" for name in _COLUMNS)}
      FROM annotations_annotation a
      JOIN annotations_rater r ON r.id = a.rater_id
      JOIN annotations_project p ON p.id = r.project_id
      JOIN annotations_membership m ON m.project_id = p.id AND m.user_id = r.user_id
     WHERE a.id = %s AND a.retired_at IS NULL AND r.user_id = %s AND (%s = '' OR p.slug = %s)"""

Decide = Callable[[Annotation, Sequence[Event]], tuple[Board, Wish]]


def own(
    annotation_id: int, user: User, slug: str = "", *, lock: bool = False, change: UUID | None = None
) -> Annotation:
    """The person's own live annotation, with `seen`: whether that change is in its log.

    Http404 for anyone else's and for who is no member (of the project of that slug, if one is named), PermissionDenied
    for a role that does not label. One query, so that saving a label stays quick.
    """
    with connection.cursor() as cursor:
        with quick.in_one_go():  # with the BEGIN before it
            cursor.execute(
                _OWN + (" FOR NO KEY UPDATE OF a" if lock else ""), [change, annotation_id, user.pk, slug, slug]
            )
        row = cursor.fetchone()
    if row is None:
        raise Http404
    seen, role, rater, *found = row
    seats.check_role(role)
    project, found = found[: len(_OF_PROJECT)], found[len(_OF_PROJECT) :]
    annotation = Annotation.from_db(connection.alias, _COLUMNS, found)
    annotation.rater = Rater.from_db(connection.alias, ["id", "project_id", "user_id"], [rater, project[0], user.pk])
    annotation.rater.project = Project.from_db(connection.alias, _OF_PROJECT, project)
    annotation.seen = seen  # type: ignore[attr-defined]
    return annotation


@transaction.atomic
def make(
    verb: str,
    annotation_id: int,
    user: User,
    decide: Decide,
    *,
    change: UUID,
    revision: int,
    time_ms: int = 0,
    slug: str = "",
) -> Outcome:
    """Do what `decide` says, given the locked annotation and the events its caller has not seen; once per `change`."""
    annotation = own(annotation_id, user, slug, lock=True, change=change)
    newer: Sequence[Event] = ()
    if annotation.seen or annotation.revision != revision:  # type: ignore[attr-defined]
        newer = history.since(annotation, revision, change)
    merged = history.touched(newer)
    if any(event.change == change for event in newer):
        return history.current(annotation, merged)
    must_be_open(annotation)
    board, wish = decide(annotation, newer)
    with quick.in_one_go():
        changed = store(board, wish.labels, verb, user, change=change, undoes=wish.undoes, time_ms=time_ms)
    if merged or not changed:
        return history.current(annotation, merged | changed)
    return history.outcome(annotation, board, changed, undo=wish.undo, redo=wish.redo)


def store(
    board: Board,
    wanted: Labels,
    verb: str,
    user: User,
    *,
    change: UUID | None = None,
    undoes: Event | None = None,
    time_ms: int = 0,
) -> set[Place]:
    """Write the labels, the event, and the annotation with a renewed lease. Returns the places that changed."""
    annotation, before, now = board.annotation, board.labels, timezone.now()
    looked = min(max(time_ms, 0), LONGEST_LOOK_MS)
    changed = board.write(wanted, annotation.revision + 1, now, looked)
    annotation.frontier = frontier.moved(board)
    if changed or undoes:
        annotation.revision += 1
        annotation.state = Annotation.State.DRAFT if annotation.state == Annotation.State.LEASED else annotation.state
    else:
        verb = history.KEPT
    was, now_is = entries(changed, before), entries(changed, board.labels)
    history.record(annotation, verb, user, before=was, after=now_is, change=change, undoes=undoes)
    if annotation.seat is not None:
        annotation.lease_until = seats.longer_lease(annotation)
    Annotation.objects.filter(pk=annotation.pk).update(
        revision=annotation.revision,
        state=annotation.state,
        lease_until=annotation.lease_until,
        frontier=annotation.frontier,
        time_spent_ms=F("time_spent_ms") + looked,
        updated_at=now,
    )
    return changed


def move(annotation: Annotation, to: str, verb: str, by: User, *, comment: str, change: UUID | None = None) -> Outcome:
    """Put the annotation in another state, with the seat and lease it has in memory, and log it."""
    now = timezone.now()
    was, annotation.state = annotation.state, to
    annotation.revision += 1
    annotation.comment = comment
    annotation.submitted_at = now if to == Annotation.State.SUBMITTED else None
    annotation.save(update_fields=["state", "revision", "comment", "submitted_at", "seat", "lease_until", "updated_at"])
    if Annotation.State.SUBMITTED in (was, to):
        standing.touch(annotation.rater.project, [annotation.trajectory_id])
    after = {"state": to} | ({"reason": comment} if comment else {})
    history.record(annotation, verb, by, before={"state": was}, after=after, change=change)
    return history.current(annotation, ())


def must_be_open(annotation: Annotation) -> None:
    if annotation.state not in seats.OPEN:
        raise Closed(annotation.state)
