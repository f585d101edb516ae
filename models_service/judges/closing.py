"""What a scheme no longer asks, given what was said: along the way on which each step was tried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from annotations.records import Json, StepRecord
from annotations.schemes import rules
from annotations.schemes.rules import After, Place, View
from annotations.schemes.schema import Scheme


def after(steps: Sequence[StepRecord]) -> After | None:
    """Of a tree, the agent's step that each of the agent's steps was tried after; None where one follows the other."""
    if all(step.parent is None for step in steps):
        return None
    return {place: _above(steps, place) for place, step in enumerate(steps) if step.source == "agent"}


def _above(steps: Sequence[StepRecord], place: int) -> int | None:
    above = steps[place].parent
    while above is not None and above < place and steps[above].source != "agent":
        place, above = above, steps[above].parent
    return above if above is not None and above < place else None


def closed(
    scheme: Scheme,
    steps: Sequence[StepRecord],
    asked: Iterable[int],
    said: Mapping[Place, Json],
    places: Iterable[Place],
) -> list[Place]:
    """Of these places those that are not asked any more, where `asked` steps are looked at and this is said of them."""
    effects = rules.effects(scheme, View(sorted(asked), said, after=after(steps)))
    return [place for place in places if rules.is_closed(effects, *place)]
