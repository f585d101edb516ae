"""Labelling without hindsight: a first pass that shows a step once the one before it is labelled, then everything.

Both are kept: the labels that stood when the rest was revealed are the first pass, those that stand now the second.
The frontier only moves on: a label taken back hides nothing that was seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from annotations.models import Annotation, Label, Project, Step, User
from annotations.records import Json
from annotations.services import changes, history
from annotations.services.board import Board
from annotations.services.outcomes import Missing, Outcome


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
    if open_steps := [one for one in board.missing(board.labels) if one["field"] == board.scheme.main]:
        raise Missing(open_steps, ghosts=len(board.ghosts()))
    annotation.frontier, annotation.revealed_at = None, timezone.now()
    annotation.revision += 1
    annotation.save(update_fields=["frontier", "revealed_at", "revision", "updated_at"])
    history.record(annotation, history.REVEAL, user, after={"labels": len(board.labels)})
    return history.current(annotation)


def hindsight(annotation: Annotation, field: str) -> list[Hindsight]:
    """The steps whose answer in that field differs between the two passes, in order; None is no answer."""
    if annotation.revealed_at is None:
        return []
    first, now = first_pass(annotation, field), _answers(annotation, Q(superseded_at__isnull=True), field)
    changed = sorted(step for step in {*first, *now} if first.get(step) != now.get(step))
    return [Hindsight(step, first.get(step), now.get(step)) for step in changed]


def first_pass(annotation: Annotation, field: str) -> Mapping[int, Json]:
    """Index of a step → what was said of it before everything was shown; empty where nothing was revealed yet."""
    at = annotation.revealed_at
    stood = Q(created_at__lte=at) & (Q(superseded_at__isnull=True) | Q(superseded_at__gt=at))
    return _answers(annotation, stood, field) if at else {}


def _answers(annotation: Annotation, which: Q, field: str) -> Mapping[int, Json]:
    said = Label.objects.filter(which, annotation=annotation, field=field, step__isnull=False)
    return dict(said.values_list("step__index", "value"))


def restart(annotation: Annotation, field: str) -> int | None:
    """The frontier of a first pass that goes on with another version of its trajectory."""
    steps = Step.objects.filter(trajectory_id=annotation.trajectory_id)
    said = Label.objects.current().filter(annotation=annotation, field=field, step__isnull=False)
    first_open = steps.of_agent().exclude(pk__in=said.values("step")).values_list("index", flat=True).first()
    return first_open if first_open is not None else steps.order_by("-index").values_list("index", flat=True).first()
