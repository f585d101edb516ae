"""The person's own word on the same step elsewhere: in rollouts of the same task that begin alike, or repeat a step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple

from annotations.models import Annotation, Label, Step
from annotations.models.labels import LabelQuerySet
from annotations.models.trajectories import StepQuerySet
from annotations.records import Json
from annotations.services import around
from annotations.services.board import PROPAGATED, scheme
from annotations.services.outcomes import Suggestion

MOST = 5_000  # steps of a rollout that are compared


class Twin(NamedTuple):
    """An equal step of a sibling, and what the person said of it there."""

    annotation: int
    step: int
    value: Json


def siblings_of(annotation: Annotation) -> list[Annotation]:
    """The person's live passes over other rollouts of the task."""
    own = Annotation.objects.live().filter(rater=annotation.rater_id)
    same_task = own.filter(trajectory__task__trajectories=annotation.trajectory_id)
    return list(same_task.exclude(trajectory=annotation.trajectory_id).order_by("pk"))


def prefix(annotation: Annotation, siblings: Sequence[Annotation]) -> Mapping[int, Suggestion]:
    """What the person said of the steps this rollout begins with, in the sibling that shares most of them: index of
    the step → that answer. It is their own word, so it is offered in every mode."""
    best: dict[int, Suggestion] = {}
    own = _turns(annotation) if siblings else []
    for other in siblings:
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(own, _turns(other), strict=False)))
        said = _said([other]).filter(step__index__lt=shared).values_list("step__index", "value")
        if shared and len(said) > len(best):
            best = {step: Suggestion(value, None, f"own:{other.pk}") for step, value in said}
    return best


def equal_steps(annotation: Annotation, siblings: Sequence[Annotation]) -> Mapping[int, Sequence[Twin]]:
    """Index of a step → where the person labelled an equal step of a sibling."""
    if not siblings:
        return {}
    places: dict[str, list[int]] = defaultdict(list)
    for index, turn in _turns(annotation):
        places[turn].append(index)
    found: dict[int, list[Twin]] = defaultdict(list)
    labels = _said(siblings).filter(step__turn_hash__in=list(places))
    for turn, *twin in labels.values_list("step__turn_hash", "annotation", "step__index", "value")[:MOST]:
        for index in places[turn]:
            found[index].append(Twin(*twin))
    return found


def _turns(annotation: Annotation) -> list[tuple[int, str]]:
    """(index, turn_hash) of what the pass shows, from the first step on."""
    shown: StepQuerySet = Step.objects.filter(trajectory=annotation.trajectory_id).exclude(turn_hash="")
    if annotation.frontier is not None:
        shown = shown.filter(index__lte=annotation.frontier)
    return list(shown.order_by("index").values_list("index", "turn_hash")[:MOST])


def _said(passes: Iterable[Annotation]) -> LabelQuerySet:
    """What the person themself answered in the passes' main field. What names steps, or a part, holds for its own
    rollout alone."""
    found: LabelQuerySet = Label.objects.current().filter(annotation__in=passes, step__isnull=False)
    mains = [scheme(one.scheme_id).main_field for one in passes]
    fields = {main.name for main in mains if main.kind != "preference" and not around.has_parts(main)}
    return found.filter(field__in=fields).exclude(origin=PROPAGATED)
