"""Where a pass went whose trajectory came in anew, or whose scheme was changed: the one that took its place, which step
is which there, and what becomes of answers that still wait to be sent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection
from django.shortcuts import get_object_or_404

from annotations.models import Annotation, Label, Membership, User
from annotations.records import Json
from annotations.schemes import conversions
from annotations.services import board, seats


@dataclass(frozen=True)
class Place:
    """A step of the old version: its number there among the agent's, and its index in the new one if it is shown."""

    number: int
    to: int | None


@dataclass(frozen=True)
class Moved:
    """`steps` are the old version's, by their index; `labels` what the new pass says now of them and of the whole."""

    left: Annotation
    annotation: Annotation
    steps: dict[int, Place]
    labels: list[Json]


def follow(annotation_id: int, user: User, steps: Collection[int], *, slug: str) -> Moved | None:
    """Where the person's own pass went, with what became of these steps; None where it went nowhere. Http404 for who is
    no member, PermissionDenied for a role that does not label."""
    old = _retired(annotation_id, user, slug)
    new = _live(old) if old else None
    if old is None or new is None:
        return None
    places = _places(old, new, steps)
    return Moved(old, new, places, _said(new, [place.to for place in places.values() if place.to is not None]))


def under_new_scheme(moved: Moved, said: Collection[tuple[int | None, str, Json]]) -> list[Json] | None:
    """Each of these answers as the new pass takes it, {"field", "value"}, or {"why"} it does not; nothing where both
    passes are under one scheme. A value of None takes an answer back."""
    if moved.left.scheme_id == moved.annotation.scheme_id:
        return None
    way = conversions.for_change(board.scheme(moved.left.scheme_id), board.scheme(moved.annotation.scheme_id))
    return [_under(way, *one) for one in said]


def _under(way: conversions.Route, step: int | None, name: str, value: Json) -> Json:
    base, at, part = name.partition("@")
    to = way.becomes(base)
    if value is None and to:
        return {"field": to + at + part, "value": None}
    steps = () if step is None else (step,)
    made = way.convert({(step, name): value}, steps, whole=False)
    found = {field: one for (where, field), one in made.answers.items() if where == step}
    if not found:
        return {"why": made.lost[0].why if made.lost else f"{way.hops[-1].target.name} has no such field"}
    ((field, one),) = found.items()
    return {"field": field, "value": one}


def live(annotation_id: int, user: User, *, slug: str) -> Annotation | None:
    """The pass that took the place of the person's own, if one did; as `follow`."""
    old = _retired(annotation_id, user, slug)
    return _live(old) if old else None


def _retired(annotation_id: int, user: User, slug: str) -> Annotation | None:
    member = get_object_or_404(Membership, project__slug=slug, user=user)
    seats.check_role(member.role)
    gone = Annotation.objects.filter(rater__user=user, rater__project=member.project_id, retired_at__isnull=False)
    return gone.select_related("trajectory").filter(pk=annotation_id).first()


def _live(old: Annotation) -> Annotation | None:
    """The rater's live pass over the same rollout, however many versions later."""
    same = {"trajectory__task": old.trajectory.task_id, "trajectory__rollout": old.trajectory.rollout}
    return Annotation.objects.live().filter(rater=old.rater_id, purpose=old.purpose, **same).first()


# A step is the same where its stable id is: what it holds, and which of the equal ones it is.
_PLACES = """
    SELECT o.index, o.number, n.index
      FROM (SELECT s.index, s.content_hash, s.ordinal, row_number() OVER (ORDER BY s.index) AS number
              FROM annotations_step s WHERE s.trajectory_id = %(old)s AND s.source = 'agent'
               AND (%(had)s::int IS NULL OR s.index <= %(had)s)) o
      LEFT JOIN annotations_step n ON n.trajectory_id = %(new)s AND n.source = 'agent'
           AND n.content_hash = o.content_hash AND n.ordinal = o.ordinal
           AND (%(frontier)s::int IS NULL OR n.index <= %(frontier)s)
     WHERE o.index = ANY(%(steps)s)"""


def _places(old: Annotation, new: Annotation, steps: Collection[int]) -> dict[int, Place]:
    versions = {"old": old.trajectory_id, "new": new.trajectory_id}
    with connection.cursor() as cursor:
        cursor.execute(_PLACES, {**versions, "had": old.frontier, "frontier": new.frontier, "steps": list(steps)})
        return {index: Place(number, to) for index, number, to in cursor.fetchall()}


def _said(new: Annotation, steps: Collection[int]) -> list[Json]:
    current = Label.objects.current().filter(annotation=new)
    rows = current.filter(step__index__in=steps) | current.filter(step=None)
    columns = ("step__index", "field", "value", "origin")
    return [dict(zip(("step", "field", "value", "origin"), row, strict=True)) for row in rows.values_list(*columns)]
