"""How long each step of a pass was in sight, as the label page counts it. Nothing here stops anybody from labelling."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from annotations.models import User
from annotations.services import changes

MOST = 24 * 60 * 60 * 1000  # of anything that one opening of the page can tell of one step: a day of milliseconds


class Look(NamedTuple):
    """What one opening of the page had of one step so far, each a sum."""

    step: int
    visible_ms: int
    visits: int
    unfolds: int


# Sums only grow, so of two packets the larger number is the later one, in whatever order they arrive.
_KEEP = """
    INSERT INTO annotations_look AS held (annotation_id, step_id, page, visible_ms, visits, unfolds, created_at)
    SELECT %(annotation)s, s.id, %(page)s, r.visible_ms, r.visits, r.unfolds, now()
      FROM unnest(%(steps)s::int[], %(visible_ms)s::int[], %(visits)s::int[], %(unfolds)s::int[])
        AS r (index, visible_ms, visits, unfolds)
      JOIN annotations_step s ON s.trajectory_id = %(trajectory)s AND s.index = r.index AND s.source = 'agent'
     WHERE %(frontier)s::int IS NULL OR s.index <= %(frontier)s
     ORDER BY s.index
        ON CONFLICT (annotation_id, step_id, page) DO UPDATE
       SET visible_ms = GREATEST(held.visible_ms, excluded.visible_ms),
           visits = GREATEST(held.visits, excluded.visits),
           unfolds = GREATEST(held.unfolds, excluded.unfolds)
     WHERE (held.visible_ms, held.visits, held.unfolds)
        <> (GREATEST(held.visible_ms, excluded.visible_ms), GREATEST(held.visits, excluded.visits),
            GREATEST(held.unfolds, excluded.unfolds))"""


def record(annotation_id: int, user: User, page: UUID, looks: Iterable[Look], *, slug: str = "") -> int:
    """Keep sums of one opening of the page; told again, or late, they change nothing. Returns how many rows changed.

    Steps that the pass does not have or does not show yet are left out, numbers beyond a day are a day. Http404 and
    PermissionDenied as for a change of a label.
    """
    annotation = changes.own(annotation_id, user, slug)
    largest: dict[int, Look] = {}
    for one in looks:
        held = largest.get(one.step, Look(one.step, 0, 0, 0))
        largest[one.step] = Look(*map(max, held, one))
    columns = list(zip(*largest.values(), strict=True)) or [()] * 4
    steps, *sums = columns
    visible_ms, visits, unfolds = ([min(number, MOST) for number in column] for column in sums)
    told = {"steps": list(steps), "visible_ms": visible_ms, "visits": visits, "unfolds": unfolds}
    own = {"annotation": annotation.pk, "trajectory": annotation.trajectory_id, "frontier": annotation.frontier}
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, {**told, **own, "page": page})
        return int(cursor.rowcount)
