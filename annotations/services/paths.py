"""The rollouts of one task as one graph of states, for whoever may see what others say of them.

A state is what was done and what came of it: equal calls with equal arguments (spaces and the order of keys do not
count), answered by equal observations (their white space folded); of a step that calls nothing, its words. What was
thought does not count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple

from annotations.models import Task, Trajectory
from annotations.services.axis import Place
from annotations.topology.graph import Graph, Rollout, Through, efficiency, select
from annotations.topology.layout import Layout, layout
from annotations.topology.stretches import stretches

DRAWN = 120  # boxes of a picture, and rows of its table
CHOSEN = 5  # rollouts that passed and are most unlike one another


class Visit(NamedTuple):
    """A step at which a rollout comes to a state. `rollout` is its place among the ways."""

    rollout: int
    step: int
    place: Place


@dataclass(frozen=True)
class Way:
    """One rollout: the states it goes through, and whether it passed (None: nothing tells)."""

    trajectory: Trajectory
    passed: bool | None
    turns: tuple[str, ...]

    @property
    def fresh(self) -> float | None:
        """Which share of its steps comes to a state it has not been in."""
        return efficiency(Rollout(self.turns)).value


@dataclass(frozen=True)
class Stretch:
    """States that always follow one another. `early` is how many steps rollouts have made before it, on average."""

    number: int
    states: tuple[str, ...]
    through: Through
    visits: Sequence[Visit]
    early: float


class LeftOut(NamedTuple):
    """How many rollouts are not in the graph: trees, which are no one way, and those beyond its bound."""

    trees: int
    beyond: int


@dataclass
class Paths:
    """`ways` in the order of rollouts; `visits` by state, in the order in which rollouts come to them. `turns` are the
    fingerprints of all that each rollout said, did and saw, context as well, with the steps they are of."""

    task: Task
    ways: list[Way]
    visits: Mapping[str, list[Visit]]
    turns: list[list[tuple[str, Visit]]]
    left_out: LeftOut

    @cached_property
    def graph(self) -> Graph:
        return Graph([Rollout(one.turns, one.passed) for one in self.ways])

    @cached_property
    def stretches(self) -> list[Stretch]:
        """By how early rollouts come there: about from left to right."""
        found = []
        for states in stretches([one.turns for one in self.ways]):
            visits = self.visits[states[0]]
            early = fmean((one.place.number or 1) - 1 for one in visits)
            found.append((early, states, self.graph.through[states[0]], visits))
        found.sort(key=lambda one: (one[0], -one[2].rollouts))
        return [
            Stretch(number, states, through, visits, early)
            for number, (early, states, through, visits) in enumerate(found, start=1)
        ]

    @cached_property
    def drawn(self) -> list[Stretch]:
        """Those that most rollouts go through, as many as a page holds."""
        most = sorted(self.stretches, key=lambda one: (-one.through.rollouts, one.number))[:DRAWN]
        return sorted(most, key=lambda one: one.number)

    @cached_property
    def layout(self) -> Layout:
        """Of what is drawn."""
        at = {state: place for place, one in enumerate(self.drawn) for state in one.states}
        within = {pair for one in self.drawn for pair in pairwise(one.states)}
        edges = Counter(
            (at[tail], at[head])
            for way in self.ways
            for tail, head in set(pairwise(way.turns)) - within
            if tail in at and head in at
        )
        return layout([one.through.rollouts for one in self.drawn], [one.early for one in self.drawn], edges)

    @property
    def passed(self) -> int:
        return sum(one.passed is True for one in self.ways)

    @property
    def known(self) -> int:
        return sum(one.passed is not None for one in self.ways)

    @cached_property
    def shortest(self) -> int | None:
        """Steps of the shortest rollout that passed."""
        return min((len(one.turns) for one in self.ways if one.passed and one.turns), default=None)

    def over(self, way: Way) -> float | None:
        """Its steps over those of the shortest that passed."""
        return len(way.turns) / self.shortest if self.shortest else None

    def moves(self, way: Way) -> int:
        """From a state from which fewer than half pass to one from which more do."""
        return self.graph.recovery(Rollout(way.turns, way.passed))

    @property
    def distinct(self) -> int:
        return len({one.turns for one in self.ways})

    @cached_property
    def chosen(self) -> list[Way]:
        """Rollouts that passed, each unlike those before it."""
        return [self.ways[place] for place in select(self.graph, CHOSEN)]
