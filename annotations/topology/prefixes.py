"""Steps of different rollouts before which, and in which, everything is the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

Spot = tuple[int, int]  # which rollout, which of its turns


def shared(rollouts: Sequence[Sequence[str]]) -> list[list[Spot]]:
    """The turns that several rollouts share with all that goes before, each with the rollouts that have it; shallow
    ones first. A turn without a key ("") is like no other, nor is what follows it."""
    together, depth, found = [list(range(len(rollouts)))], 0, []
    while together:
        parted: list[list[int]] = []
        for group in together:
            by_turn: dict[str, list[int]] = defaultdict(list)
            for place in group:
                if depth < len(rollouts[place]) and rollouts[place][depth]:
                    by_turn[rollouts[place][depth]].append(place)
            parted += [some for some in by_turn.values() if len(some) > 1]
        found += [[(place, depth) for place in some] for some in parted]
        together, depth = parted, depth + 1
    return found
