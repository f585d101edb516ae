"""Values of a tree's nodes from what its leaves came to, and pairs of siblings to prefer one of. Nodes are numbered in
an order in which each comes after its parent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

Parents = Sequence[int | None]  # of each node; None for one that hangs on the root


class Below(NamedTuple):
    """What the leaves at or below a node came to, where it is known: their sum and how many they are."""

    sum: float = 0.0
    leaves: int = 0

    @property
    def mean(self) -> float | None:
        """V(n); None where of no leaf below it is known what it came to."""
        return self.sum / self.leaves if self.leaves else None


def backed_up(parents: Parents, outcomes: Mapping[int, float]) -> tuple[Below, list[Below]]:
    """Of the root, and of each node. `outcomes` are those of leaves."""
    inner = {parent for parent in parents if parent is not None}
    if strange := inner & outcomes.keys():
        raise ValueError(f"node {min(strange)} is no leaf, so nothing can have come of it alone")
    found = [Below(outcomes[node], 1) if node in outcomes else Below() for node in range(len(parents))]
    root = Below()
    for node in reversed(range(len(parents))):
        parent = parents[node]
        if parent is None:
            root = _sum(root, found[node])
        elif parent < node:
            found[parent] = _sum(found[parent], found[node])
        else:
            raise ValueError(f"node {node} comes before its parent {parent}")
    return root, found


class Pair(NamedTuple):
    chosen: int
    rejected: int
    gap: float


def extremes(parents: Parents, values: Sequence[float | None]) -> Iterator[Pair]:
    """Of each family of siblings the one with the highest value over the one with the lowest, where they differ
    (MCTS-DPO, "Monte Carlo Tree Search Boosts Reasoning via Iterative Preference Learning", our reading of its
    abstract: its values mix outcome and self-evaluation, ours are those that are given)."""
    for known in _families(parents, values):
        best, worst = max(known, key=lambda one: one[1]), min(known, key=lambda one: one[1])
        if best[1] > worst[1]:
            yield Pair(best[0], worst[0], best[1] - worst[1])


def apart(parents: Parents, values: Sequence[float | None], gap: float) -> Iterator[Pair]:
    """All pairs of siblings whose values differ by more than `gap` (Tree-PLV, "Advancing Process Verification for Large
    Language Models via Tree-Based Preference Learning", our reading of its abstract)."""
    for known in _families(parents, values):
        for chosen, value in known:
            yield from (Pair(chosen, other, value - less) for other, less in known if value - less > gap)


def _families(parents: Parents, values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    families: dict[int | None, list[tuple[int, float]]] = {}
    for node, (parent, value) in enumerate(zip(parents, values, strict=True)):
        if value is not None:
            families.setdefault(parent, []).append((node, value))
    yield from families.values()


def _sum(one: Below, other: Below) -> Below:
    return Below(one.sum + other.sum, one.leaves + other.leaves)
