"""The first error by bisection, and which rollout to bisect next (OmegaPRM). Nothing is drawn here.

"Improve Mathematical Reasoning in Language Models by Automated Process Supervision": our reading of its abstract, its
constants from memory.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

Prefix = tuple[str, ...]  # steps from the first on
Ask = TypeVar("Ask")
Told = TypeVar("Told")


def bisected(count: int) -> Generator[int, bool, int]:
    """The number of the first wrong one of `count` steps, from 1, of a solution whose end is wrong. Yields numbers t
    and is sent whether MC of the first t steps is above 0: ⌈log2 count⌉ times at most. It is right only where MC falls
    to 0 once and stays there."""
    right, wrong = 0, count
    while wrong - right > 1:
        middle = (right + wrong) // 2
        if (yield middle):
            right = middle
        else:
            wrong = middle
    return wrong


@dataclass(frozen=True)
class Rollout:
    """A continuation, in steps, and whether its answer is right."""

    steps: Prefix
    right: bool

    @property
    def length(self) -> int:
        """In words, for want of a tokenizer."""
        return sum(len(step.split()) for step in self.steps)


@dataclass
class State:
    """Steps from the first on, and the rollouts that were drawn from there; `visits` counts how often one of them was
    chosen."""

    prefix: Prefix
    rollouts: tuple[Rollout, ...]
    visits: int = 0
    taken: set[int] = field(default_factory=set)

    @property
    def value(self) -> float:
        """MC: the share of the rollouts that are right."""
        return sum(one.right for one in self.rollouts) / len(self.rollouts)


@dataclass
class Tree:
    """All states that were evaluated. Q(s, r) = alpha^(1 − MC(s)) · beta^(len(r) / length) prefers wrong rollouts from
    states that should have led to a right answer, and short ones; U(s) = exploration · √ΣN / (1 + N(s)) states that
    were seldom chosen. A rollout that is right has no first error, so it is never picked."""

    alpha: float = 0.5
    beta: float = 0.9
    length: float = 500
    exploration: float = 0.125
    states: dict[Prefix, State] = field(default_factory=dict)

    def add(self, prefix: Prefix, rollouts: Sequence[Rollout]) -> State:
        return self.states.setdefault(prefix, State(prefix, tuple(rollouts)))

    def q(self, state: State, rollout: Rollout) -> float:
        return float(self.alpha ** (1 - state.value) * self.beta ** (rollout.length / self.length))

    def u(self, state: State) -> float:
        visits = sum(one.visits for one in self.states.values())
        return self.exploration * math.sqrt(visits) / (1 + state.visits)

    def pick(self) -> tuple[State, Rollout] | None:
        """The state with 0 < MC < 1 and its wrong rollout of the greatest Q + U, each once; of equal ones the first.
        None where none is left. The choice counts as a visit."""
        found = [
            (self.q(state, rollout) + self.u(state), state, number)
            for state in self.states.values()
            if 0 < state.value < 1
            for number, rollout in enumerate(state.rollouts)
            if not rollout.right and number not in state.taken
        ]
        if not found:
            return None
        _, state, number = max(found, key=lambda one: one[0])
        state.visits += 1
        state.taken.add(number)
        return state, state.rollouts[number]

    def pairs(self) -> list[tuple[Prefix, float]]:
        """Every state that was evaluated, with its MC: what a value model is trained on."""
        return [(state.prefix, state.value) for state in self.states.values()]


def grown(
    tree: Tree, draw: Callable[[Prefix], Generator[Ask, Told, Sequence[Rollout]]], searches: int
) -> Generator[Ask, Told, int]:
    """Draws from the bare question, then bisects a rollout at a time, each state drawn from once. `draw` yields what it
    asks of a language model and comes to the rollouts from a state. How many rollouts were bisected: fewer than
    `searches` where none was left."""
    if () not in tree.states:
        tree.add((), (yield from draw(())))
    for done in range(searches):
        picked = tree.pick()
        if picked is None:
            return done
        state, rollout = picked
        search = bisected(len(rollout.steps))
        try:
            number = next(search)
            while True:
                prefix = state.prefix + rollout.steps[:number]
                if prefix not in tree.states:
                    tree.add(prefix, (yield from draw(prefix)))
                number = search.send(tree.states[prefix].value > 0)
        except StopIteration:
            continue
    return searches


def balanced(pairs: Sequence[tuple[Prefix, float]], seed: int = 0) -> list[tuple[Prefix, float]]:
    """As many of MC > 0 as of MC = 0, drawn at random from whichever there are more of, in their order."""
    groups = [[at for at, (_, value) in enumerate(pairs) if (value > 0) is positive] for positive in (True, False)]
    fewest = min(map(len, groups))
    chosen = random.Random(seed)
    kept = sorted(at for group in groups for at in chosen.sample(group, fewest))
    return [pairs[at] for at in kept]
