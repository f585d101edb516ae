"""How labelling goes, person by person: how long steps are looked at, how fast answers come, what an item costs.

Leads see everybody's numbers, others their own. Everything is counted by the database, from what is there when one
asks. Counted are answers that a person gave to the main field of a step, or accepted; what a rule brought took nobody
any time. A number of which nothing is known is None.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from annotations import access
from annotations.models import Membership, Rater
from annotations.services.answers import Voices
from annotations.services.board import scheme

UNDER, HASTY = 3, 2  # seconds, where one does not say
PER_PAGE = 100


@dataclass(frozen=True)
class Asked:
    """What the numbers are to be about. `under`: seconds in sight below which a step was hardly looked at; `hasty`:
    below which a suggestion was hardly looked at before it was taken."""

    since: date | None = None
    person: str = ""
    under: float = UNDER
    hasty: float = HASTY


@dataclass(frozen=True)
class Figures:
    """One person's numbers, or everybody's where `name` is empty. Times are milliseconds.

    Of the labelled `steps`, `measured` are those whose time in sight is known: `median`, `p90`, `quick` and `revisits`
    are about them. `between` is the median time between `changes`; `items` are submitted, with `item_steps` labelled
    steps.
    """

    name: str
    steps: int = 0
    measured: int = 0
    median: float | None = None
    p90: float | None = None
    quick: int = 0
    revisits: float | None = None
    accepted: int = 0
    hasty: int = 0
    changes: int = 0
    between: float | None = None
    items: int = 0
    spent: int = 0
    item_steps: int = 0

    @property
    def quick_share(self) -> float | None:
        return self.quick / self.measured if self.measured else None

    @property
    def hasty_share(self) -> float | None:
        return self.hasty / self.accepted if self.accepted else None

    @property
    def per_item(self) -> float | None:
        return self.spent / self.items if self.items and self.spent else None

    @property
    def per_step(self) -> float | None:
        return self.spent / self.item_steps if self.item_steps and self.spent else None


_OWN = "FROM annotations_annotation a JOIN annotations_rater r ON r.id = a.rater_id AND r.id = ANY(%(raters)s)"
_ANSWERED = """
       l.annotation_id = a.id AND l.superseded_at IS NULL AND l.step_id IS NOT NULL
       AND (l.field = %(field)s OR starts_with(l.field, %(field)s || '@')) AND l.origin IN ('human', 'accepted')"""
# What one counts from: labelled steps with the looks at them, changes with the time before them, submitted passes.
_SOURCES = {
    "looked": f"""
    SELECT DISTINCT ON (a.id, l.step_id)
           r.name, a.id AS annotation, a.trajectory_id AS trajectory, l.step_id AS step, l.field, l.value, l.origin,
           l.time_ms, l.suggestion, (l.suggestion->>'looked_ms')::bigint AS looked_ms, k.visible_ms, k.visits, k.unfolds
      {_OWN}
      JOIN annotations_label l ON {_ANSWERED} AND l.created_at >= %(since)s
      LEFT JOIN LATERAL (
           SELECT sum(visible_ms)::bigint AS visible_ms, sum(visits)::bigint AS visits, sum(unfolds)::bigint AS unfolds
             FROM annotations_look WHERE annotation_id = a.id AND step_id = l.step_id) k ON TRUE
     WHERE a.retired_at IS NULL
     ORDER BY a.id, l.step_id, l.id""",
    "typed": f"""
    SELECT DISTINCT ON (l.annotation_id, l.revision)
           r.name, a.id AS annotation, a.trajectory_id AS trajectory, l.step_id AS step, l.field, l.value, l.origin,
           l.time_ms
      {_OWN}
      JOIN annotations_label l ON l.annotation_id = a.id AND l.time_ms > 0 AND l.created_at >= %(since)s
     WHERE a.retired_at IS NULL
     ORDER BY l.annotation_id, l.revision, l.id""",
    "submitted": f"""
    SELECT r.name, a.id AS annotation, a.trajectory_id AS trajectory, NULL::bigint AS step, a.time_spent_ms,
           a.submitted_at, (SELECT count(DISTINCT l.step_id) FROM annotations_label l WHERE {_ANSWERED}) AS steps
      {_OWN}
     WHERE a.retired_at IS NULL AND a.state = 'submitted' AND a.submitted_at >= %(since)s""",
}
_NUMBERS = {
    "looked": """
           count(*) AS steps, count(visible_ms) AS measured,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY visible_ms) AS median,
           percentile_cont(0.9) WITHIN GROUP (ORDER BY visible_ms) AS p90,
           count(*) FILTER (WHERE visible_ms < %(under)s) AS quick,
           avg(greatest(visits - 1, 0)) FILTER (WHERE visits IS NOT NULL)::float AS revisits,
           count(*) FILTER (WHERE origin = 'accepted') AS accepted,
           count(*) FILTER (WHERE origin = 'accepted' AND looked_ms < %(hasty)s) AS hasty""",
    "typed": "count(*) AS changes, percentile_cont(0.5) WITHIN GROUP (ORDER BY time_ms) AS between",
    "submitted": "count(*) AS items, sum(time_spent_ms)::bigint AS spent, sum(steps)::bigint AS item_steps",
}


def people(membership: Membership) -> QuerySet[Rater]:
    """The people whose numbers the member may see."""
    humans = Rater.objects.filter(project=membership.project, kind=Rater.Kind.HUMAN, user__isnull=False)
    return humans if access.may(membership, access.SEE_OTHERS_LABELS) else humans.filter(user=membership.user)


def figures(membership: Membership, asked: Asked) -> tuple[Figures, list[Figures]]:
    """Everybody's together, and each person's by name: of those whom the member may see, where there is anything."""
    about = _about(membership, asked)
    found: dict[str, dict[str, Any]] = {}
    for source, numbers in _NUMBERS.items():
        counted = f"SELECT name, {numbers} FROM ({_SOURCES[source]}) AS found GROUP BY GROUPING SETS ((name), ())"
        for row in _rows(counted, about):
            told = {key: value for key, value in row.items() if value is not None and key != "name"}
            found.setdefault(row["name"] or "", {}).update(told)
    made = {name: Figures(name, **numbers) for name, numbers in found.items()}
    return made.pop("", Figures("")), [made[name] for name in sorted(made)]


class Kind(NamedTuple):
    """Rows behind a number: what they are, what they are read from, which of it, in which order."""

    title: str
    source: str
    where: str
    order: str


KINDS: Mapping[str, Kind] = {
    "steps": Kind("Labelled steps, longest in sight first", "looked", "TRUE", "visible_ms DESC NULLS LAST"),
    "quick": Kind("Steps hardly looked at", "looked", "visible_ms < %(under)s", "visible_ms"),
    "revisits": Kind("Steps one came back to", "looked", "visits > 1", "visits DESC"),
    "accepted": Kind("Suggestions taken, shortest looked at first", "looked", "origin = 'accepted'", "looked_ms"),
    "hasty": Kind(
        "Suggestions hardly looked at", "looked", "origin = 'accepted' AND looked_ms < %(hasty)s", "looked_ms"
    ),
    "changes": Kind("Changes, the longest time before them first", "typed", "TRUE", "time_ms DESC"),
    "items": Kind("Submitted items, the dearest first", "submitted", "TRUE", "time_spent_ms DESC"),
}


def rows(membership: Membership, asked: Asked, kind: str, page: int) -> tuple[list[dict[str, Any]], int]:
    """A page, from 0, of the rows behind a number, and how many there are in all. KeyError where there is no such."""
    what, about = KINDS[kind], _about(membership, asked)
    chosen = f"FROM ({_SOURCES[what.source]}) AS found"
    wanted = f"""
        SELECT found.*, t.external_id, s.index {chosen}
          JOIN annotations_trajectory t ON t.id = found.trajectory
          LEFT JOIN annotations_step s ON s.id = found.step
         WHERE {what.where} ORDER BY {what.order}, annotation, s.index LIMIT %(limit)s OFFSET %(offset)s"""
    (counted,) = _rows(f"SELECT count(*) AS count {chosen} WHERE {what.where}", about)
    found = _rows(wanted, about | {"limit": PER_PAGE, "offset": page * PER_PAGE})
    voices = Voices(scheme(membership.project.scheme_id))
    for row in found:
        row["each"] = row["time_spent_ms"] / row["steps"] if row.get("steps") else None
        row |= {name: json.loads(row[name]) for name in ("value", "suggestion") if row.get(name) is not None}
        row["said"] = voices.mark(row["field"], row["value"]) if "value" in row else None
    return found, counted["count"]


def _about(membership: Membership, asked: Asked) -> dict[str, Any]:
    raters = people(membership)
    if asked.person:
        raters = raters.filter(name=asked.person)
    return {
        "raters": list(raters.values_list("pk", flat=True)),
        "field": scheme(membership.project.scheme_id).main,
        "since": asked.since or date.min,
        "under": asked.under * 1000,
        "hasty": asked.hasty * 1000,
    }


def _rows(query: str, about: Mapping[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(query, about)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
