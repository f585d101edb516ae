"""Labelling without hindsight: a first pass that shows a step once the one before it is labelled, then everything.

Both are kept: the labels that stood when the rest was revealed are the first pass, those that stand now the second.
The frontier only moves on: a label taken back hides nothing that was seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from annotations.models import Annotation, Label, Project, Step, User
from annotations.records import Json
from annotations.services import changes, completeness, frontier, history
from annotations.services.answers import of_name
from annotations.services.board import Board, scheme
from annotations.services.outcomes import Missing, Outcome

# What was said, and not taken back yet, when everything was shown.
_STOOD = Q(created_at__lte=F("annotation__revealed_at")) & (
    Q(superseded_at__isnull=True) | Q(superseded_at__gt=F("annotation__revealed_at"))
)


class Hindsight(NamedTuple):
    """A step whose label changed once the end was known."""

    step: int
    before: Json
    after: Json


@transaction.atomic
def reveal(annotation_id: int, user: User, *, slug: str = "") -> Outcome:
    """End the first pass and show everything. Revealing twice is revealing once. Raises Missing where a step is open
    or not yet shown, Closed where the pass is not being worked on."""
    annotation = changes.own(annotation_id, user, slug, lock=True)
    if annotation.mode != Project.Mode.PROGRESSIVE or annotation.revealed_at:
        return history.current(annotation)
    changes.must_be_open(annotation)
    board = Board.load(annotation)
    if open_steps := [one for one in completeness.missing(board, board.labels) if one["step"] is not None]:
        raise Missing(open_steps, ghosts=len(board.ghosts()))
    if not frontier.is_through(annotation):
        raise Missing([{"step": annotation.frontier, "field": frontier.gates(board.scheme)[0].name}], ghosts=0)
    annotation.frontier, annotation.revealed_at = None, timezone.now()
    annotation.revision += 1
    annotation.save(update_fields=["frontier", "revealed_at", "revision", "updated_at"])
    history.record(annotation, history.REVEAL, user, after={"labels": len(board.labels)})
    return history.current(annotation)


def hindsight(annotations: Iterable[Annotation], field: str) -> dict[int, list[Hindsight]]:
    """By pass, the steps whose answer in that field (of a part of them) differs between its two passes, in order; None
    is no answer. Passes in which nothing differs, or that have no second one, are left out."""
    revealed = [one.pk for one in annotations if one.revealed_at]
    said = Label.objects.filter(of_name(field), annotation__in=revealed, step__isnull=False)
    names = ("annotation", "step__index", "field", "value")
    stood = said.filter(_STOOD).values_list(*names) if revealed else []
    stands = said.filter(superseded_at__isnull=True).values_list(*names) if revealed else []
    first, now = ({(pk, step, name): value for pk, step, name, value in rows} for rows in (stood, stands))
    found: dict[int, list[Hindsight]] = {}
    for pk, step, name in sorted({*first, *now}):
        before, after = first.get((pk, step, name)), now.get((pk, step, name))
        if before != after:
            found.setdefault(pk, []).append(Hindsight(step, before, after))
    return found


def first_pass(annotation: Annotation, field: str) -> Mapping[int, Json]:
    """Index of a step → what was said of it before everything was shown; empty where nothing was revealed yet."""
    if annotation.revealed_at is None:
        return {}
    said = Label.objects.filter(_STOOD, annotation=annotation, field=field, step__isnull=False)
    return dict(said.values_list("step__index", "value"))


class Shift(NamedTuple):
    """How many steps went from one answer to another once the end was known; None is no answer."""

    before: Json
    after: Json
    steps: int


class Tally(NamedTuple):
    """What hindsight did in a project, over its revealed passes and the steps that had an answer in the first."""

    passes: int
    steps: int
    shifts: list[Shift]

    @property
    def changed(self) -> int:
        return sum(one.steps for one in self.shifts)


_SHIFTS = """
    SELECT f.value, n.value, count(*)
      FROM annotations_annotation a
      JOIN annotations_rater r ON r.id = a.rater_id AND r.project_id = %(project)s
      JOIN annotations_label f ON f.annotation_id = a.id AND f.step_id IS NOT NULL
                              AND (f.field = %(field)s OR starts_with(f.field, %(field)s || '@'))
                              AND f.created_at <= a.revealed_at
                              AND (f.superseded_at IS NULL OR f.superseded_at > a.revealed_at)
      LEFT JOIN annotations_label n ON n.annotation_id = a.id AND n.field = f.field AND n.step_id = f.step_id
                                   AND n.superseded_at IS NULL
     WHERE a.revealed_at IS NOT NULL AND a.retired_at IS NULL
     GROUP BY 1, 2"""


def tally(project: Project, field: str) -> Tally:
    """From which answers to which the project's people went between their two passes, the most frequent first."""
    revealed = Annotation.objects.live().filter(rater__project=project, revealed_at__isnull=False)
    with connection.cursor() as cursor:
        cursor.execute(_SHIFTS, {"project": project.pk, "field": field})
        rows = [(json.loads(first), None if now is None else json.loads(now), n) for first, now, n in cursor.fetchall()]
    shifts = [Shift(*row) for row in rows if row[0] != row[1]]
    return Tally(revealed.count(), sum(n for *_, n in rows), sorted(shifts, key=lambda one: -one.steps))


def restart(annotation: Annotation) -> int | None:
    """The frontier of a first pass that goes on with another version of its trajectory."""
    steps = Step.objects.filter(trajectory_id=annotation.trajectory_id)
    last = steps.order_by("-index").values_list("index", flat=True).first()
    if not (asked := frontier.gates(scheme(annotation.scheme_id))):
        return last
    said = Label.objects.current().filter(of_name(asked[0].name), annotation=annotation, step__isnull=False)
    first_open = steps.of_agent().exclude(pk__in=said.values("step")).values_list("index", flat=True).first()
    return last if first_open is None else first_open
