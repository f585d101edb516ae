"""Whether suggestions sway: the passes of an assisted project that were begun blind, beside those that were assisted.

Which pass is blind is drawn by chance when it is begun, so whole passes compare with whole passes. Accepted answers
alone do not: they are of the steps that the source of suggestions was surest of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from annotations.models import Project
from annotations.services.board import scheme


@dataclass(frozen=True)
class Arm:
    """Submitted passes of one mode, or the answers of one origin in them: how many items and steps, how many of these
    the reference labels too, and how many of those alike."""

    mode: str
    origin: str
    items: int
    steps: int
    compared: int
    agreed: int

    @property
    def agreement(self) -> float | None:
        return self.agreed / self.compared if self.compared else None


@dataclass(frozen=True)
class Comparison:
    """`since` is when the project became assisted: the blind passes begun from then on are those that were drawn.
    `comparable`: two answers of the main field can be held against each other."""

    since: datetime
    arms: list[Arm]
    comparable: bool = True


# Answers of people in the main field; what a rule brought is nobody's judgement.
_ARMS = """
    SELECT a.mode, coalesce(l.origin, ''), count(DISTINCT a.id), count(*), count(m.value),
           count(*) FILTER (WHERE m.value = l.value)
      FROM annotations_annotation a
      JOIN annotations_rater r ON r.id = a.rater_id AND r.project_id = %(project)s AND r.kind = 'human'
                              AND r.id IS DISTINCT FROM %(reference)s
      JOIN annotations_label l ON l.annotation_id = a.id AND l.superseded_at IS NULL
                              AND (l.field = %(field)s OR starts_with(l.field, %(field)s || '@'))
                              AND l.origin IN ('human', 'accepted')
      LEFT JOIN annotations_annotation ra ON ra.trajectory_id = a.trajectory_id AND ra.rater_id = %(reference)s
                                         AND ra.retired_at IS NULL
      LEFT JOIN annotations_label m ON m.annotation_id = ra.id AND m.field = l.field AND %(comparable)s
                                   AND m.step_id IS NOT DISTINCT FROM l.step_id AND m.superseded_at IS NULL
     WHERE a.retired_at IS NULL AND a.state = 'submitted' AND a.mode IN ('blind', 'assisted')
       AND a.purpose = ''
       AND a.created_at >= %(since)s
     GROUP BY GROUPING SETS ((a.mode), (a.mode, l.origin))
     ORDER BY a.mode DESC, 2"""


def compare(project: Project) -> Comparison | None:
    """None for a project that is not assisted now."""
    if project.mode != Project.Mode.ASSISTED:
        return None
    since = _assisted_since(project)
    main = scheme(project.scheme_id).main_field
    about = {
        "project": project.pk,
        "reference": project.reference_id,
        "field": main.name,
        "comparable": main.level != "none",
        "since": since,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ARMS, about)
        return Comparison(since, [Arm(*row) for row in cursor.fetchall()], main.level != "none")


def _assisted_since(project: Project) -> datetime:
    changed = project.events.filter(verb="project.changed", after__mode=Project.Mode.ASSISTED)
    return changed.order_by("-id").values_list("at", flat=True).first() or project.created_at
