"""Where the raters of one trajectory differ, cell by cell along its axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from annotations.models import Trajectory
from annotations.schemes.schema import Scheme
from annotations.services import standing
from annotations.services.axis import Axis, Place

SHOWN = 12


@dataclass(frozen=True)
class Cell:
    """How far apart the answers in it are, 0 to 1 (the furthest of any place), and how many raters have answered there;
    None where fewer than two have. `index` is the step it begins with."""

    index: int
    apart: float | None
    raters: int


@dataclass(frozen=True)
class Heat:
    """`differ` are the steps on which anybody differs, the first SHOWN of them; `count` is how many those are in all,
    `compared` on how many two or more have said something. `whole` tells of the trajectory as a whole."""

    cells: Sequence[Cell]
    differ: Sequence[Place]
    count: int
    compared: int
    whole: bool
    raters: int

    @property
    def more(self) -> int:
        return self.count - len(self.differ)


def of(scheme: Scheme, trajectory: Trajectory, axis: Axis) -> Heat:
    """Of everybody who has handed in: people, judges, files."""
    by_step: dict[int, tuple[float, int]] = {}
    whole, raters = False, set[int]()
    for (step, name), said in standing.voices(scheme, [trajectory.pk])[trajectory.pk].items():
        raters.update(one.rater for one in said)
        spec = scheme.field(name)
        if spec is None or len(said) < 2:
            continue
        apart = standing.apart(spec, [one.value for one in said])
        if step is None:
            whole = whole or apart > 0
            continue
        before = by_step.get(step, (0.0, 0))
        by_step[step] = max(before[0], apart), max(before[1], len(said))
    differ = sorted(step for step, (apart, _) in by_step.items() if apart)
    return Heat(
        cells=_cells(axis, by_step),
        differ=[axis.place(step) for step in differ[:SHOWN]],
        count=len(differ),
        compared=len(by_step),
        whole=whole,
        raters=len(raters),
    )


def _cells(axis: Axis, by_step: dict[int, tuple[float, int]]) -> list[Cell]:
    """Of several steps in a cell the one on which raters are furthest apart shows."""
    places = axis.cells()
    found: dict[int, tuple[float, int]] = {}
    for step, told in by_step.items():
        at = places.get(step if axis.width == 1 else step // axis.width)
        if at is not None:
            found[at] = max(found.get(at, (0.0, 0)), told)
    return [
        Cell(first, found[at][0] if at in found else None, found.get(at, (0.0, 0))[1])
        for at, first in enumerate(axis.firsts)
    ]
