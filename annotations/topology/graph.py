"""The rollouts of a task as one graph: where their ways part, which turns lead to success, which are worth most.

After TopoCurate, of which only the abstract is known to us: the formulas are our reading of it. A node is a class of
equal turns: what was done, with which arguments, and what came of it. Edges follow time. A node's success is the share
of the rollouts through it that pass, each counted once.

    Six rollouts, two of them alike:   1 ✓ a b e    2 ✓ a b e    3 ✓ a c b e    4 ✗ a c d    5 ✗ a d    6 ✓ a b c e
    a 4/6   b 4/4   c 2/3   d 0/2   e 4/4
    edges a→b a→c a→d b→e b→c c→b c→d c→e: all of them branch, as a, b and c are each followed by several
    lower by more than 0.1: a→d (.67 → 0), b→c (1 → .67), c→d (.67 → 0): an error-branch ratio of 3/8
    moves from below 0.7 to above it: rollout 3 has one (c→b), rollout 6 two (a→b, c→e), rollouts 1 and 2 one each (a→b)
    ways that pass: abe twice, acbe, abce: an entropy of −(½ log₂ ½ + 2 · ¼ log₂ ¼) = 1.5 bits
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise
from math import log2

from annotations.records import Number

TAU = 0.5  # a node of less success is a bad place, one of more a good one
DELTA = 0.1  # an edge to a node whose success is lower by more is an error branch
Edge = tuple[str, str]


@dataclass(frozen=True)
class Rollout:
    """Its turns by the key of their class, in order, and whether it passed: None where nothing tells."""

    turns: tuple[str, ...]
    passed: bool | None = None


@dataclass(frozen=True)
class Through:
    """The rollouts through a node: how many, of how many it is known whether they passed, and how many of those did."""

    rollouts: int
    known: int
    passed: int

    @property
    def share(self) -> float | None:
        return self.passed / self.known if self.known else None


class Graph:
    """All rollouts of one task, their equal turns laid on one another."""

    def __init__(self, rollouts: Sequence[Rollout]) -> None:
        self.rollouts = tuple(rollouts)

    @cached_property
    def through(self) -> Mapping[str, Through]:
        """Of each node, in the order in which rollouts come. A rollout counts once, however often it is there."""
        found: dict[str, list[bool | None]] = defaultdict(list)
        for rollout in self.rollouts:
            for node in dict.fromkeys(rollout.turns):
                found[node].append(rollout.passed)
        return {
            node: Through(len(all_of_them), len(all_of_them) - all_of_them.count(None), all_of_them.count(True))
            for node, all_of_them in found.items()
        }

    @cached_property
    def success(self) -> Mapping[str, float | None]:
        """Of each node, the share that passed of the rollouts through it of which that is known."""
        return {node: one.share for node, one in self.through.items()}

    @cached_property
    def edges(self) -> Mapping[Edge, int]:
        """How many rollouts go along each."""
        return Counter(edge for rollout in self.rollouts for edge in dict.fromkeys(pairwise(rollout.turns)))

    @cached_property
    def branching(self) -> Sequence[Edge]:
        """Edges from nodes that several different nodes follow."""
        fans = Counter(tail for tail, _ in self.edges)
        return [edge for edge in self.edges if fans[edge[0]] > 1]

    def error_branches(self, delta: float = DELTA) -> Number:
        """Which share of the branching edges leads to a success lower by more than delta."""
        if not self.branching:
            return Number(None, "no way of the rollouts parts from another")
        ends = [(self.success[tail], self.success[head]) for tail, head in self.branching]
        falls = [tail - head > delta for tail, head in ends if tail is not None and head is not None]
        if not falls:
            return Number(None, "of no place where ways part is it known how its rollouts ended")
        return Number(sum(falls) / len(falls))

    @property
    def heterogeneity(self) -> Number:
        """Entropy of the ways that passed, in bits: 0 where they are all the same."""
        return _entropy([one for one in self.rollouts if one.passed], "no rollout passed")

    @property
    def variety(self) -> Number:
        """Entropy of all ways, in bits."""
        return _entropy(self.rollouts, "there is no rollout")

    @property
    def unlikeness(self) -> Number:
        """1 less how like two of its rollouts are, on average over all pairs."""
        pairs = [1 - likeness(one, other) for one, other in combinations(self.rollouts, 2)]
        return Number(sum(pairs) / len(pairs)) if pairs else Number(None, "one rollout has nothing to be unlike")

    def recovery(self, rollout: Rollout, tau: float = TAU) -> int:
        """How often it moves from a node of success below tau to one above; a node of unknown success is neither."""
        ends = ((self.success[tail], self.success[head]) for tail, head in pairwise(rollout.turns))
        return sum(tail < tau < head for tail, head in ends if tail is not None and head is not None)


def _entropy(rollouts: Sequence[Rollout], none: str) -> Number:
    ways = Counter(rollout.turns for rollout in rollouts)
    if not ways:
        return Number(None, none)
    shares = [count / ways.total() for count in ways.values()]
    return Number(-sum(share * log2(share) for share in shares) + 0.0)


def efficiency(rollout: Rollout) -> Number:
    """Different nodes among its turns: 1 where none comes back."""
    if not rollout.turns:
        return Number(None, "the rollout has no turn")
    return Number(len(set(rollout.turns)) / len(rollout.turns))


def likeness(one: Rollout, other: Rollout) -> float:
    """Jaccard index of their nodes; two without any are alike."""
    mine, others = set(one.turns), set(other.turns)
    return len(mine & others) / len(mine | others) if mine | others else 1.0


def diversity(rollout: Rollout, chosen: Sequence[Rollout]) -> Number:
    """1 less how like those that are chosen already it is on average."""
    if not chosen:
        return Number(None, "nothing is chosen yet")
    return Number(1 - sum(likeness(rollout, one) for one in chosen) / len(chosen))


def select(graph: Graph, count: int, tau: float = TAU) -> list[int]:
    """The places of so many rollouts that passed, one after another: each time the one most unlike those chosen; equal
    ones by more recovery, then by higher efficiency, then in order. The first one by recovery and efficiency alone."""
    left = [place for place, rollout in enumerate(graph.rollouts) if rollout.passed and rollout.turns]
    chosen: list[int] = []

    def worth(place: int) -> tuple[float, int, float, int]:
        rollout = graph.rollouts[place]
        unlike = diversity(rollout, [graph.rollouts[one] for one in chosen]).value or 0.0
        return (unlike, graph.recovery(rollout, tau), efficiency(rollout).value or 0.0, -place)

    while left and len(chosen) < count:
        best = max(left, key=worth)
        left.remove(best)
        chosen.append(best)
    return chosen
