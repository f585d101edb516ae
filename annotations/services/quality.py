"""How far to rely on each person: against the others, against what is held to be right, against themselves on equal
steps, and whether that changes as they go on. Counted by the database over steps; intervals over tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

from django.db import connection

from annotations.models import Membership, Rater
from annotations.schemes.schema import Scheme
from annotations.services import adjudication, gold, pace
from annotations.services.projects import scheme_of

ENOUGH = 20  # compared steps; of fewer no share is told
QUARTERS = 4
Z = 1.96

_SAID = """
    said AS (
        SELECT a.rater_id AS rater, l.step_id AS step, l.value, l.origin, t.task_id AS task,
               ntile(4) OVER (PARTITION BY a.rater_id ORDER BY a.submitted_at, a.id) AS quarter
          FROM annotations_label l
          JOIN annotations_annotation a ON a.id = l.annotation_id
          JOIN annotations_rater r ON r.id = a.rater_id
          JOIN annotations_trajectory t ON t.id = a.trajectory_id
         WHERE r.project_id = %(project)s AND r.kind = 'human' AND a.retired_at IS NULL AND a.state = 'submitted'
           AND a.purpose NOT IN ('training', 'repeat')
           AND (%(until)s::timestamptz IS NULL OR a.submitted_at < %(until)s)
           AND t.superseded_at IS NULL AND l.superseded_at IS NULL AND l.step_id IS NOT NULL AND l.field = %(field)s)"""
# The others' majority at a step, where they have one: the answer that more of them give than any other.
_OTHERS = f"""
    WITH {_SAID},
    counts AS (SELECT step, value, count(*) AS n FROM said GROUP BY step, value),
    most AS (
        SELECT s.rater, s.task, s.quarter, own.n - 1 AS own, coalesce(max(c.n), 0) AS other,
               count(*) FILTER (WHERE c.n = (SELECT max(n) FROM counts m WHERE m.step = s.step AND m.value <> s.value))
                   AS ties
          FROM said s
          JOIN counts own ON own.step = s.step AND own.value = s.value
          LEFT JOIN counts c ON c.step = s.step AND c.value <> s.value
         GROUP BY s.rater, s.task, s.quarter, s.step, own.n)
    SELECT rater, task, quarter, count(*) FILTER (WHERE own > other), count(*)
      FROM most WHERE own > other OR (other > own AND ties = 1)
     GROUP BY rater, task, quarter"""
_AGAINST = f"""
    WITH {_SAID}
    SELECT s.rater, s.task, 0, count(*) FILTER (WHERE s.value = l.value), count(*)
      FROM said s
      JOIN annotations_label l ON l.step_id = s.step AND l.superseded_at IS NULL AND l.field = %(field)s
      JOIN annotations_annotation a ON a.id = l.annotation_id AND a.retired_at IS NULL AND a.state = 'submitted'
     WHERE a.rater_id = %(against)s AND s.rater <> a.rater_id
     GROUP BY s.rater, s.task"""
_AGAIN = f"""
    WITH {_SAID},
    equal AS (
        SELECT s.rater, s.task, p.turn_hash, s.value, count(*) AS n
          FROM said s JOIN annotations_step p ON p.id = s.step
         WHERE p.turn_hash <> '' GROUP BY s.rater, s.task, p.turn_hash, s.value),
    every AS (SELECT rater, task, turn_hash, sum(n) AS n, sum(n * (n - 1) / 2) AS same FROM equal GROUP BY 1, 2, 3)
    SELECT rater, task, 0, sum(same)::bigint, sum(n * (n - 1) / 2)::bigint
      FROM every WHERE n > 1 GROUP BY rater, task"""
_OWN = f"""
    WITH {_SAID}
    SELECT rater, count(*), count(*) FILTER (WHERE origin = 'propagated'), count(*) FILTER (WHERE origin = 'accepted')
      FROM said GROUP BY rater"""


@dataclass(frozen=True)
class Share:
    """Of `n` compared steps those that are alike. `value` is None where they are too few. The interval is 95 %, of a
    ratio of sums over tasks (Cochran, Sampling Techniques, 1977, section 6.3: linearised, with n − 1)."""

    n: int = 0
    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass
class Person:
    """One person's figures. `quarters` are their share with the others in each quarter of their passes, in time."""

    rater: Rater
    steps: int = 0
    propagated: int = 0
    accepted: int = 0
    others: Share = Share()
    reference: Share = Share()
    adjudicated: Share = Share()
    again: Share = Share()
    quarters: Sequence[Share] = field(default_factory=list)

    @property
    def drift(self) -> float | None:
        """By how much the last quarter is above the first."""
        first, last = (self.quarters[place].value if self.quarters else None for place in (0, -1))
        return None if first is None or last is None else last - first


def unfit(scheme: Scheme) -> str:
    """Why there are no figures under the scheme; "" where there are."""
    main = scheme.main_field
    if main.of_step and main.target == "step" and main.level != "none":
        return ""
    return f"Quality compares answers about steps; here the main field is “{main.title}”, of the {main.target}."


def figures(membership: Membership) -> list[Person]:
    """Everybody's for those who lead, one's own for others, as far as that must not tell of gold items."""
    project = membership.project
    people = {one.pk: Person(one) for one in pace.people(membership).order_by("name")}
    until = gold.horizon(membership)
    asked: dict[str, Any] = {"project": project.pk, "field": scheme_of(project.scheme).main, "until": until}
    for rater, steps, propagated, accepted in _rows(_OWN, asked):
        if rater in people:
            one = people[rater]
            one.steps, one.propagated, one.accepted = steps, propagated, accepted
    others = _rows(_OTHERS, asked)
    again = _shares(_rows(_AGAIN, asked))
    held = (
        project.raters.filter(kind=Rater.Kind.CONSENSUS, name=adjudication.RATER).values_list("pk", flat=True).first()
    )
    reference = _shares(_rows(_AGAINST, asked | {"against": project.reference_id or 0}))
    adjudicated = _shares(_rows(_AGAINST, asked | {"against": held or 0}))
    with_others = _shares(others)
    quarters = [_shares([row for row in others if row[2] == quarter]) for quarter in range(1, QUARTERS + 1)]
    for pk, one in people.items():
        one.others, one.again = with_others.get(pk, Share()), again.get(pk, Share())
        one.reference, one.adjudicated = reference.get(pk, Share()), adjudicated.get(pk, Share())
        one.quarters = [shares.get(pk, Share()) for shares in quarters]
    return list(people.values())


def _rows(query: str, asked: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, asked)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _shares(rows: Sequence[tuple[Any, ...]]) -> dict[int, Share]:
    """Of rows of (rater, task, quarter, alike, compared), each rater's share."""
    tasks: dict[int, dict[int, tuple[int, int]]] = defaultdict(dict)
    for rater, task, _, alike, compared in rows:
        before = tasks[rater].get(task, (0, 0))
        tasks[rater][task] = before[0] + alike, before[1] + compared
    return {rater: share(list(found.values())) for rater, found in tasks.items()}


def share(tasks: Sequence[tuple[int, int]]) -> Share:
    """Of (alike, compared) of each task. Of one task alone there is no interval."""
    n = sum(compared for _, compared in tasks)
    if n < ENOUGH:
        return Share(n)
    value = sum(alike for alike, _ in tasks) / n
    if len(tasks) < 2:
        return Share(n, value)
    spread = sum((alike - value * compared) ** 2 for alike, compared in tasks) * len(tasks) / (len(tasks) - 1)
    error = Z * sqrt(spread) / n
    return Share(n, value, max(0.0, value - error), min(1.0, value + error))
