"""Passes with all that is needed to carry what they say to another scheme, read a few hundred at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from django.db.models import F, Q, QuerySet

from annotations.models import Annotation, Label, Step
from annotations.records import Json
from annotations.schemes.rules import After, Place
from annotations.services import trees
from annotations.services.board import PROPAGATED

CHUNK = 200
# What stood when everything was shown to the rater, and was taken back since.
_FIRST = Q(superseded_at__gt=F("annotation__revealed_at"), created_at__lte=F("annotation__revealed_at"))


@dataclass(frozen=True)
class Pass:
    """`steps` maps the index of each of the agent's steps to its row, in order; `labels` are the current ones by place;
    `first` those that the first pass of a progressive one said and the second took back; `after` says where each step
    hangs, where they are a tree."""

    annotation: Annotation
    steps: Mapping[int, int]
    labels: dict[Place, Label] = field(default_factory=dict)
    first: dict[Place, Label] = field(default_factory=dict)
    after: After | None = None

    @property
    def answers(self) -> dict[Place, Json]:
        return {place: label.value for place, label in self.labels.items()}

    @property
    def filled(self) -> set[Place]:
        """Places that a rule filled in."""
        return {place for place, label in self.labels.items() if label.origin == PROPAGATED}

    @property
    def first_answers(self) -> dict[Place, Json]:
        """What the first pass said as a whole, where something of it was taken back."""
        revealed = self.annotation.revealed_at
        if not self.first or revealed is None:
            return {}
        stayed = {place: one.value for place, one in self.labels.items() if one.created_at <= revealed}
        return stayed | {place: one.value for place, one in self.first.items()}


def passes(annotations: QuerySet[Annotation]) -> Iterator[list[Pass]]:
    """The annotations in order of their ids, in lists of CHUNK at most."""
    ids = iter(list(annotations.order_by("pk").values_list("pk", flat=True)))
    while chunk := list(islice(ids, CHUNK)):
        yield of(list(annotations.filter(pk__in=chunk).select_related("rater", "scheme").order_by("pk")))


def of(annotations: Sequence[Annotation]) -> list[Pass]:
    """These annotations with their labels and steps."""
    steps, branched = _steps({one.trajectory_id for one in annotations})
    after = {pk: tree.after for pk, tree in trees.among(branched).items()} if branched else {}
    found = {one.pk: Pass(one, steps[one.trajectory_id], after=after.get(one.trajectory_id)) for one in annotations}
    rows = Label.objects.filter(Q(superseded_at__isnull=True) | _FIRST, annotation__in=found)
    for label in rows.annotate(at=F("step__index")).order_by("pk"):
        held = found[label.annotation_id]
        which = held.labels if label.superseded_at is None else held.first
        which[label.at, label.field] = label
    return list(found.values())


def _steps(trajectories: set[int]) -> tuple[dict[int, dict[int, int]], set[int]]:
    """The agent's steps of each trajectory, and which of the trajectories are trees."""
    found: dict[int, dict[int, int]] = defaultdict(dict)
    branched: set[int] = set()
    rows = Step.objects.of_agent().filter(trajectory__in=trajectories).order_by("trajectory", "index")
    for trajectory, index, pk, parent in rows.values_list("trajectory_id", "index", "pk", "parent_id"):
        found[trajectory][index] = pk
        if parent is not None:
            branched.add(trajectory)
    return found, branched
