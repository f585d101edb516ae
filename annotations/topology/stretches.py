"""Nodes that always follow one another, put together: what a picture draws as one box.

Ways a b c d, a b c e, x c e:   a·b (only ever together)   c (two lead to it)   d   e   x
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

Way = Sequence[str]


def stretches(ways: Sequence[Way]) -> list[tuple[str, ...]]:
    """Each node in exactly one stretch, in the order in which the ways come to them. The same rollouts go through all
    nodes of a stretch, equally often, and none begins or ends within it."""
    before: dict[str, set[str | None]] = defaultdict(set)
    after: dict[str, set[str | None]] = defaultdict(set)
    for way in ways:
        for tail, head in zip([None, *way], [*way, None], strict=True):
            if head is not None:
                before[head].add(tail)
            if tail is not None:
                after[tail].add(head)
    follows = {node: _only(tails) for node, tails in before.items()}
    leads = {node: _only(heads) for node, heads in after.items()}
    goes_on = {tail: head for tail, head in leads.items() if head is not None and follows[head] == tail}
    inside = set(goes_on.values())
    return [_from(node, goes_on) for node in before if node not in inside]


def _only(some: set[str | None]) -> str | None:
    return next(iter(some)) if len(some) == 1 else None


def _from(node: str, goes_on: dict[str, str]) -> tuple[str, ...]:
    found = [node]
    while (node := goes_on.get(node, "")) != "":
        found.append(node)
    return tuple(found)
