"""What a probe is: from a trajectory whose steps people have graded, a pair of it and a changed copy, with a log of the
change and with what an honest judge would say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from random import Random
from typing import Any, Literal

from annotations.records import Labelled, TrajectoryRecord

WHOLE: Literal["whole"] = "whole"
Spot = int | Literal["whole"]  # the place of a step, or the trajectory as a whole
Way = Literal["absolute", "pairwise"]  # judges that grade one trajectory, and judges that prefer one of two
Expected = Literal["same", "wrong", "other"]


@dataclass(frozen=True)
class Edit:
    """The log of one change. `step` is its place in the untouched trajectory, `part` what of it was changed (message,
    call, observation, step, steps). `before` and `after` are the texts of that part. `level` is the kind of mistake it
    makes (reasoning, tool use, evidence, report), `variant` which of several wordings or keys was used."""

    probe: str
    operator: str
    step: int
    part: str
    before: str
    after: str
    level: str = ""
    variant: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Target:
    """Where the verdict is read: a spot of the changed copy, and the same spot of the untouched one; None where the
    change brought it in."""

    after: Spot
    before: Spot | None


def at(spot: Spot) -> Target:
    return Target(spot, spot)


@dataclass(frozen=True)
class Pair:
    """A control and a changed copy: one trajectory each, or the two that are compared.

    `expected`: an honest judge says the `same` of the target; finds it `wrong` (gives it `at_most`); or says something
    `other`, since what the verdict rested on is gone. `targets` in order of preference: the first of which both copies
    were judged is read. `push` is the direction in which the change pulls a judge that falls for it (0: either).
    `truth` is the grade that people gave the target, of two trajectories 1 where the first is better, -1 where the
    second is. `swapped`: the changed copy shows the two in the other order. `kept` are steps of the changed copy by
    their places in the untouched one.
    """

    task: str
    trajectory: str
    way: Way
    control: tuple[TrajectoryRecord, ...]
    changed: tuple[TrajectoryRecord, ...]
    edit: Edit
    expected: Expected
    targets: tuple[Target, ...]
    truth: int | None = None
    push: int = 0
    at_most: int = -1
    swapped: bool = False
    kept: Mapping[int, int] = field(default_factory=dict)

    @cached_property
    def name(self) -> str:
        """Names the pair among others: the same pair has the same name whenever it is made."""
        told = [self.task, self.trajectory, self.way, self.edit.as_json()]
        return hashlib.sha256(
            json.dumps(told, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")
        ).hexdigest()[:20]


@dataclass(frozen=True)
class NotHere:
    """The operator has nothing to change in this trajectory, and why, in words."""

    reason: str


@dataclass(frozen=True)
class Duel:
    """Two rollouts of one task, of which people call the first right and the second wrong."""

    right: Labelled
    wrong: Labelled


@dataclass(frozen=True)
class Form:
    """How the judge that is probed speaks, for injections that imitate it: the field of its verdict and the words for
    right and wrong, and what closes the text it is shown."""

    field: str = "label"
    right: Any = 1
    wrong: Any = -1
    closers: tuple[str, ...] = ("</trajectory>", "</question>", "```", '"}]}')


@dataclass(frozen=True)
class Pool:
    """All trajectories at hand, from which what is swapped in is taken; and how the judge speaks."""

    known: Sequence[Labelled]
    form: Form = Form()

    def others(self, one: Labelled) -> list[Labelled]:
        """Those of other tasks, in order."""
        return [other for other in self.known if other.record.task.external_id != one.record.task.external_id]


Single = Callable[[Labelled, Pool, Random], Pair | NotHere]
Double = Callable[[Duel, Pool, Random], Pair | NotHere]


@dataclass(frozen=True)
class Operator:
    """One way of changing, in one of its wordings. `level` is the kind of mistake that it makes, where it makes one."""

    name: str
    title: str
    variant: str = ""
    single: Single | None = None
    double: Double | None = None
    level: str = ""

    @property
    def way(self) -> Way:
        return "absolute" if self.single else "pairwise"


@dataclass(frozen=True)
class Probe:
    """Operators that look for one fault. `source` is the title of the work it comes from, `asks` what it finds out."""

    name: str
    title: str
    asks: str
    source: str
    operators: tuple[Operator, ...]

    @property
    def ways(self) -> tuple[Way, ...]:
        """The kinds of judges that it can be put to."""
        found = {operator.way for operator in self.operators}
        return tuple(way for way in ("absolute", "pairwise") if way in found)
