"""Putting sequences together so that little is computed twice and little is padding."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from os.path import commonprefix

from models_service.scorers.rendering import Rendered

SHARED = 64  # a common beginning shorter than this is not worth a pass of its own
PADDED = 1.5  # where padding makes a batch so many times as long, its sequences are packed


@dataclass(frozen=True)
class Batch:
    """Sequences that are forwarded together, by their places. `shared`: so many tokens all begin with, run once."""

    places: list[int] = field(default_factory=list)
    shared: int = 0
    packed: bool = False


def plan(
    items: Sequence[Rendered],
    budget: int,
    groups: Sequence[Hashable] = (),
    *,
    saved: float = 0.1,
    packs: bool = False,
) -> Iterator[Batch]:
    """All items in batches of at most `budget` tokens, padding counted; one that is longer goes alone. Items of one
    group (rollouts of a task) share their beginning where that saves at least `saved` of their tokens. With `packs`,
    sequences of very different lengths are laid end to end instead of padded."""
    left = list(range(len(items)))
    for places in _groups(groups):
        shared = _common([items[place] for place in places])
        if shared * (len(places) - 1) >= saved * sum(len(items[place].ids) for place in places) and shared >= SHARED:
            left = [place for place in left if place not in places]
            lengths = [len(items[place].ids) - shared for place in places]
            yield from (Batch([places[one] for one in batch], shared) for batch in batches(lengths, budget))
    lengths = [len(items[place].ids) for place in left]
    for found in batches(lengths, budget):
        batch = Batch([left[one] for one in found])
        yield replace(batch, packed=True) if packs and _is_padded([lengths[one] for one in found]) else batch


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """The places of `lengths`, longest first, in batches of at most `budget` tokens with padding; one that is longer
    goes alone."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: (-lengths[place], place)):
        if batch and lengths[batch[0]] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _groups(groups: Sequence[Hashable]) -> list[list[int]]:
    found: dict[Hashable, list[int]] = {}
    for place, group in enumerate(groups):
        found.setdefault(group, []).append(place)
    return [places for places in found.values() if len(places) > 1]


def _common(items: Sequence[Rendered]) -> int:
    """How many tokens all begin with, before anything that is judged in any, and leaving each at least one."""
    same = len(commonprefix([item.ids for item in items]))
    return max(0, min(same, *(min(item.begins - 1, len(item.ids) - 1) for item in items)))


def _is_padded(lengths: Sequence[int]) -> bool:
    return len(lengths) * max(lengths) > PADDED * sum(lengths)
