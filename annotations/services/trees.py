"""Where each step of a trajectory hangs, where it is a tree. Steps never change once they are stored, so it is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby
from operator import itemgetter

from annotations.models import Step
from annotations.records import StepRecord
from annotations.schemes.rules import After

KEPT = 64  # trajectories
Row = tuple[int, bool, int | None]  # a step's index, whether the agent made it, and the index of the one it hangs on


@dataclass(frozen=True)
class Tree:
    """`parents` says of the agent's steps on which step each hangs, whoever made that; `after` which of the agent's
    steps is the nearest above."""

    parents: Mapping[int, int | None]
    after: After

    @cached_property
    def agent(self) -> Sequence[int]:
        return list(self.parents)

    @cached_property
    def ends(self) -> int:
        """How many of the agent's steps nothing of the agent's was tried after."""
        return len(self.after.keys() - set(self.after.values()))

    @cached_property
    def depth(self) -> int:
        """How many of the agent's steps the longest way has."""
        found: dict[int | None, int] = {None: 0}
        for step, above in self.after.items():
            found[step] = found[above] + 1
        return max(found.values())

    @cached_property
    def _families(self) -> Mapping[int, Sequence[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for step, parent in self.parents.items():
            if parent is not None:
                found[parent].append(step)
        return found

    def siblings(self, step: int) -> Sequence[int]:
        """The agent's steps that hang where this one does, itself among them."""
        parent = self.parents.get(step)
        return [step] if parent is None else self._families[parent]


@lru_cache(maxsize=KEPT)
def of(trajectory_id: int) -> Tree | None:
    """The tree of a stored trajectory; None where one step follows the other."""
    steps = Step.objects.filter(trajectory_id=trajectory_id).order_by("index")
    if not steps.filter(parent__isnull=False).exists():
        return None
    rows = steps.values_list("index", "source", "parent__index")
    return tree((index, source == Step.Source.AGENT, parent) for index, source, parent in rows)


def among(trajectories: Iterable[int]) -> dict[int, Tree]:
    """Those of the trajectories that are trees, by primary key."""
    steps = Step.objects.filter(trajectory__in=trajectories, parent__isnull=False).order_by()
    branched = set(steps.values_list("trajectory", flat=True).distinct())
    rows = Step.objects.filter(trajectory__in=branched).order_by("trajectory", "index")
    read = rows.values_list("trajectory", "index", "source", "parent__index").iterator(chunk_size=10_000)
    return {
        pk: tree((index, source == Step.Source.AGENT, parent) for _, index, source, parent in of_one)
        for pk, of_one in groupby(read, key=itemgetter(0))
    }


def of_record(steps: Sequence[StepRecord]) -> Tree | None:
    """The same of steps that are not stored."""
    if all(step.parent is None for step in steps):
        return None
    return tree((place, step.source == Step.Source.AGENT, step.parent) for place, step in enumerate(steps))


def after(trajectory_id: int) -> After | None:
    """Of each step the agent's step it was tried after, where the trajectory is a tree."""
    found = of(trajectory_id)
    return found.after if found else None


def tree(rows: Iterable[Row]) -> Tree:
    """The rows come by index. A step that hangs on itself or on a later one hangs on nothing."""
    nearest: dict[int, int | None] = {}  # of every step: itself if the agent's, else the nearest of the agent's above
    parents: dict[int, int | None] = {}
    above: dict[int, int | None] = {}
    for index, agent, said in rows:
        parent = said if said is not None and said < index else None
        over = None if parent is None else nearest.get(parent)
        nearest[index] = index if agent else over
        if agent:
            parents[index], above[index] = parent, over
    return Tree(parents, above)
