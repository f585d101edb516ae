"""Reading a trajectory piece by piece: a window of its steps, where a text stands in it. No request reads it whole."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from annotations.models import Step, Trajectory
from annotations.rendering.parts import parts

BODIES = ("message", "reasoning", "tool_calls", "observations", "extra")
SEARCHED_AT_ONCE = 200  # steps whose bodies are in memory together while searching
_IS_LONG = ExpressionWrapper(Q(outline__isnull=False), BooleanField())
PATIENCE = 0.8  # seconds a search may take before it says how far it came


def window(trajectory: Trajectory, first: int, last: int) -> list[Step]:
    """The steps with first ≤ index < last. One with an outline comes without its bodies: they may be megabytes."""
    return light(trajectory.steps.filter(index__gte=first, index__lt=last))


def light(steps: QuerySet[Step]) -> list[Step]:
    """These steps, without the bodies of those that have an outline."""
    found = list(steps.defer(*BODIES))
    short = Step.objects.filter(pk__in=[step.pk for step in found if step.outline is None]).in_bulk()
    return [short.get(step.pk, step) for step in found]


def agent_steps(trajectory: Trajectory) -> list[int]:
    """The indexes of the steps that are labelled, in order."""
    return list(trajectory.steps.of_agent().values_list("index", flat=True))


class Found(NamedTuple):
    """(index of a step, name of the text, how often) of each text that holds what was looked for; a tool's own name is
    the text "<part>/name". `next` is where to go on from, None at the end."""

    hits: list[tuple[int, str, int]]
    next: int | None


def find(trajectory: Trajectory, wanted: str, first: int = 0, last: int | None = None) -> Found:
    """Which texts from the step `first` on (and before `last`) hold it, whatever its case. Gives up after PATIENCE
    seconds and says where to go on."""
    needle, began, at = wanted.lower(), time.monotonic(), first
    hits: list[tuple[int, str, int]] = []
    while batch := _bodies(trajectory, at, last):
        for step in batch:
            counts = [(step.index, name, text.lower().count(needle)) for name, text in _texts(step)]
            hits += [one for one in counts if one[2]]
            at = step.index + 1
            if time.monotonic() - began > PATIENCE:
                return Found(hits, at)
    return Found(hits, None)


def _bodies(trajectory: Trajectory, first: int, last: int | None) -> Sequence[Step]:
    """The next steps with their bodies: many short ones, or a single long one."""
    ahead = trajectory.steps.filter(index__gte=first)
    if last is not None:
        ahead = ahead.filter(index__lt=last)
    marks = list(ahead.annotate(long=_IS_LONG).values_list("pk", "long")[:SEARCHED_AT_ONCE])
    short = next((place for place, (_, long) in enumerate(marks) if long), len(marks))
    chosen = [pk for pk, _ in marks[: max(1, short)]]
    return list(Step.objects.filter(pk__in=chosen).defer("extra", "outline").order_by("index"))


def _texts(step: Step) -> Iterator[tuple[str, str]]:
    """What a reader can look for, names of tools among it, in reading order."""
    for part in parts(step, pictures=False):
        if part.kind in ("call", "observation"):
            yield f"{part.name}/name", part.title
        yield part.name, part.text
