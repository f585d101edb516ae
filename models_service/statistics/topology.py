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

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import log2

from annotations.records import Json, StepRecord
from models_service.statistics.aggregating import Number

TAU = 0.5  # a node of less success is a bad place, one of more a good one
DELTA = 0.1  # an edge to a node whose success is lower by more is an error branch
Edge = tuple[str, str]


@dataclass(frozen=True)
class Rollout:
    """Its turns by the key of their class, in order, and whether it passed."""

    turns: tuple[str, ...]
    passed: bool


class Graph:
    """All rollouts of one task, their equal turns laid on one another."""

    def __init__(self, rollouts: Sequence[Rollout]) -> None:
        self.rollouts = tuple(rollouts)

    @cached_property
    def success(self) -> Mapping[str, float]:
        """Of each node, in the order in which rollouts came to them."""
        through: dict[str, list[bool]] = defaultdict(list)
        for rollout in self.rollouts:
            for node in dict.fromkeys(rollout.turns):
                through[node].append(rollout.passed)
        return {node: sum(passed) / len(passed) for node, passed in through.items()}

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
        falls = [self.success[tail] - self.success[head] > delta for tail, head in self.branching]
        return Number(sum(falls) / len(falls))

    @property
    def heterogeneity(self) -> Number:
        """Entropy of the ways that passed, in bits: 0 where they are all the same."""
        ways = Counter(rollout.turns for rollout in self.rollouts if rollout.passed)
        if not ways:
            return Number(None, "no rollout passed")
        shares = [count / ways.total() for count in ways.values()]
        return Number(-sum(share * log2(share) for share in shares) + 0.0)

    def recovery(self, rollout: Rollout, tau: float = TAU) -> int:
        """How often it moves from a node of success below tau to one above."""
        return sum(self.success[tail] < tau < self.success[head] for tail, head in pairwise(rollout.turns))


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


def turn_of(step: StepRecord) -> str:
    """The class of a step of an agent: its calls with their arguments, however spaced or ordered, and what they
    brought, its white space folded; of a step that calls nothing, its words."""
    if not step.tool_calls:
        return json.dumps(["says", _folded(step.message)], ensure_ascii=False)
    calls = [[str(call.get("name") or ""), _arguments(call.get("arguments"))] for call in step.tool_calls]
    return json.dumps([calls, [_folded(text) for text in _texts(step.observations)]], ensure_ascii=False)


def rollout_of(steps: Sequence[StepRecord], passed: bool) -> Rollout:
    return Rollout(tuple(turn_of(step) for step in steps if step.source == "agent"), passed)


def _arguments(value: Json) -> str:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return _folded(value)
    if isinstance(value, dict):
        value = {name: _folded(one) if isinstance(one, str) else one for name, one in value.items()}
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _texts(observations: Sequence[Json]) -> Iterator[str]:
    for one in observations:
        content = one.get("content") if isinstance(one, dict) else one
        yield content if isinstance(content, str) else json.dumps(content, sort_keys=True, ensure_ascii=False)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
