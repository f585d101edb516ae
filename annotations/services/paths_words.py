"""The paths of a task as tables: what the page shows, what its CSV files hold, what the command prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.models import Step
from annotations.services import gists
from annotations.services.answers import Mark
from annotations.services.gists import Gist
from annotations.services.paths import Paths, Stretch, Visit, Way
from annotations.services.paths_labels import Conflict, Labels, Said

LINKS = 8  # rollouts that a row names
SHOWN = 25  # contradictions that a page lists
Row = Sequence[Any]


@dataclass(frozen=True)
class Shown:
    """A stretch as a row of the page: the first thing that is done there, and the steps that do it."""

    stretch: Stretch
    gist: Gist | None
    visits: Sequence[tuple[Way, Visit]]
    more: int
    marks: Sequence[tuple[Mark, int]]

    @property
    def title(self) -> str:
        """The tool it calls; "says" where it calls none."""
        return self.gist.calls[0].name if self.gist and self.gist.calls else "says"


@dataclass(frozen=True)
class Rollout:
    way: Way
    moves: int
    over: float | None
    wrong: int
    recovers: bool


def shown(paths: Paths, labels: Labels) -> list[Shown]:
    """The stretches that are drawn, as rows."""
    first = _gists([one.visits[0].step for one in paths.drawn])
    return [
        Shown(
            one,
            first.get(one.visits[0].step),
            [(paths.ways[visit.rollout], visit) for visit in one.visits[:LINKS]],
            max(0, len(one.visits) - LINKS),
            labels.tally(one),
        )
        for one in paths.drawn
    ]


def rollouts(paths: Paths, labels: Labels) -> list[Rollout]:
    return [
        Rollout(way, paths.moves(way), paths.over(way), labels.wrong(place), labels.recovers(place))
        for place, way in enumerate(paths.ways)
    ]


def figures(paths: Paths) -> dict[str, Any]:
    """The task in numbers; None with a reason where one is not defined."""
    graph = paths.graph
    return {
        "rollouts": len(paths.ways),
        "known": paths.known,
        "passed": paths.passed,
        "states": len(graph.through),
        "steps": sum(len(one.turns) for one in paths.ways),
        "distinct": paths.distinct,
        "shortest": paths.shortest,
        "variety": graph.variety._asdict(),
        "heterogeneity": graph.heterogeneity._asdict(),
        "unlikeness": graph.unlikeness._asdict(),
        "error_branches": graph.error_branches()._asdict(),
        "left_out": paths.left_out._asdict(),
    }


def as_json(paths: Paths, labels: Labels) -> dict[str, Any]:
    """All of it, as the command prints it."""
    return {
        "task": paths.task.external_id,
        **figures(paths),
        "tables": {name: _dicts(list(table(paths, labels))) for name, table in TABLES.items()},
    }


def _dicts(table: Sequence[Row]) -> list[dict[str, Any]]:
    header, *rows = table
    return [dict(zip(header, row, strict=True)) for row in rows]


def states(paths: Paths, labels: Labels) -> Iterator[Row]:
    """A row a state, in the order of the picture."""
    yield ("stretch", "state", "rollouts", "known", "passed", "success", "labels", "rollout", "step", "does", "sees")
    every = [(one, state, paths.visits[state][0]) for one in paths.stretches for state in one.states]
    first = _gists([visit.step for _, _, visit in every])
    for number, (one, state, visit) in enumerate(every, start=1):
        through, gist = one.through, first.get(visit.step)
        yield (
            *(one.number, number, through.rollouts, through.known, through.passed, through.share),
            "; ".join(f"{count} × {mark.words}" for mark, count in labels.at(state)),
            *(paths.ways[visit.rollout].trajectory.rollout, visit.place.number),
            *(_does(gist), gist.seen if gist else ""),
        )


def ways(paths: Paths, labels: Labels) -> Iterator[Row]:
    """A row a rollout."""
    yield ("rollout", "trajectory", "model", "passed", "steps", "over_shortest", "new_states", "recovery_moves",
           "wrong_steps", "recovers")  # fmt: skip
    for one in rollouts(paths, labels):
        way = one.way
        yield (way.trajectory.rollout, way.trajectory.external_id, way.trajectory.policy_model, way.passed,
               len(way.turns), one.over, way.fresh, one.moves, one.wrong, one.recovers)  # fmt: skip


def contradictions(paths: Paths, labels: Labels) -> Iterator[Row]:
    """A row for what one rater says of one of the steps."""
    yield ("number", "turns_before", "by_the_same_rater", "rollout", "step", "rater", "answer")
    for number, one in enumerate(labels.conflicts(), start=1):
        for visit, some in one.said:
            rollout, step = paths.ways[visit.rollout].trajectory.rollout, visit.place.number
            yield from ((number, one.before, bool(one.own), rollout, step, said.rater, said.mark.words)
                        for said in some)  # fmt: skip


TABLES = {"states": states, "rollouts": ways, "contradictions": contradictions}


@dataclass(frozen=True)
class Told:
    """A contradiction as the page lists it: the steps that say something new, then others, as many as a row names."""

    conflict: Conflict
    said: Sequence[tuple[Way, Visit, Sequence[Said]]]
    more: int


def told(paths: Paths, conflict: Conflict) -> Told:
    heard: set[tuple[int, str]] = set()
    new: list[tuple[Way, Visit, Sequence[Said]]] = []
    old: list[tuple[Way, Visit, Sequence[Said]]] = []
    for visit, some in conflict.said:
        says = {(one.who, one.value) for one in some}
        (old if says <= heard else new).append((paths.ways[visit.rollout], visit, some))
        heard |= says
    return Told(conflict, [*new, *old][:LINKS], max(0, len(conflict.said) - LINKS))


def _does(gist: Gist | None) -> str:
    if gist is None:
        return ""
    return "; ".join(f"{call.name}({call.arguments})" for call in gist.calls) or gist.said


def _gists(steps: Sequence[int]) -> Mapping[int, Gist]:
    return {one.pk: one for one in gists.read(Step.objects.filter(pk__in=steps).order_by())}
