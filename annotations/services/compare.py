"""Rollouts of one task side by side: their steps aligned on equal actions, with what may be seen of each.

The alignment is made of fingerprints alone; of the steps themselves only the beginnings are read, and only of the rows
that are shown.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import Min

from annotations.models import Annotation, Label, Membership, Step, Trajectory
from annotations.records import Json
from annotations.services import calibrated, gists, projects, scores, sight, visibility
from annotations.services.alignment import NONE, Alignment, align, same_beginning
from annotations.services.answers import Mark, Voices, of_field, verdict
from annotations.services.axis import Place
from annotations.services.gists import Gist
from annotations.services.visibility import Lens, Visible

FEWEST, MOST = 2, 6
ROWS = 40


class Said(NamedTuple):
    """One rater's answer to a step: the worst where they answer for its parts. `value` is all that they say."""

    rater: str
    value: Json
    implied: bool
    mark: Mark


@dataclass
class Column:
    """One rollout: what stands at its head, and the fingerprints of its steps. `parts` is its first row that is not as
    the first column's, None where it has none."""

    trajectory: Trajectory
    visible: Visible
    steps: list[tuple[int, int, str]]  # (id, index, source)
    actions: list[str]
    turns: list[str]
    finals: list[Said] = field(default_factory=list)
    parts: int | None = None

    @cached_property
    def agent(self) -> list[int]:
        return [index for _, index, source in self.steps if source == Step.Source.AGENT]

    @property
    def verdicts(self) -> list[tuple[Mark, list[str]]]:
        """Each verdict on the whole with who gave it."""
        found: dict[Mark, list[str]] = defaultdict(list)
        for one in self.finals:
            found[one.mark].append(one.rater)
        return list(found.items())

    def place(self, index: int) -> Place:
        at = bisect_left(self.agent, index)
        agent = at < len(self.agent) and self.agent[at] == index
        return Place(index, at + 1 if agent else None)


@dataclass
class Cell:
    """A step in its column. `same`: the first column does the same in this row; `differs`: the raters who say
    otherwise of it than of the same step there."""

    place: Place
    gist: Gist
    same: bool
    words: list[Said]
    low: float | None = None
    differs: frozenset[str] = frozenset()

    @property
    def tally(self) -> list[tuple[Mark, int]]:
        """How often each answer was given, the most frequent first."""
        return Counter(word.mark for word in self.words).most_common()


@dataclass
class Row:
    """`number` counts from 1. `parting` are the columns that leave the first here for the first time."""

    number: int
    cells: list[Cell | None]
    parting: frozenset[int]
    diverges: bool

    @property
    def differs(self) -> bool:
        """Whether somebody rates equal steps of this row differently."""
        return any(cell.differs for cell in self.cells if cell)


class Comparison:
    """The rollouts as one member may see them, the first held against each other."""

    def __init__(self, membership: Membership, trajectories: Sequence[Trajectory]) -> None:
        self.membership = membership
        self.scheme = projects.scheme_of(membership.project.scheme)
        self.voices = Voices(self.scheme)
        lens = Lens(membership)
        self.columns = [self._column(one, lens.of(one)) for one in trajectories]
        self.alignment: Alignment = align([one.actions for one in self.columns])
        for column, row in zip(self.columns, self.alignment.partings, strict=True):
            column.parts = row
        self.same = same_beginning([one.turns for one in self.columns])
        self._finals()

    def _column(self, trajectory: Trajectory, visible: Visible) -> Column:
        names = ("pk", "index", "source", "action_hash", "turn_hash")
        rows = list(sight.steps_of(self.membership, trajectory).values_list(*names))
        actions = [action and f"{source[0]}{action}" for _, _, source, action, _ in rows]
        return Column(trajectory, visible, [row[:3] for row in rows], actions, [row[4] for row in rows])

    def _finals(self) -> None:
        if (final := verdict(self.scheme)) is None:
            return
        found = self._labels().filter(of_field(final), step__isnull=True)
        by_trajectory = {one.trajectory.pk: one for one in self.columns}
        names = ("annotation__trajectory_id", "annotation__rater__name", "value")
        for trajectory, rater, value in found.order_by("annotation__rater__name").values_list(*names):
            by_trajectory[trajectory].finals.append(Said(rater, value, False, self.voices.mark(final.name, value)))

    def _labels(self) -> Any:
        passes = visibility.annotations_visible_to(self.membership).live()
        shown = passes.filter(trajectory__in=[one.trajectory.pk for one in self.columns])
        shown = shown.exclude(purpose=Annotation.Purpose.REPEAT)
        return Label.objects.current().filter(annotation__in=shown)

    def divergence_after(self, row: int) -> int | None:
        """The next row, from there on, where some column leaves the first."""
        at = bisect_left(self.alignment.divergences, row)
        return self.alignment.divergences[at] if at < len(self.alignment.divergences) else None

    def divergence_before(self, row: int) -> int | None:
        at = bisect_left(self.alignment.divergences, row)
        return self.alignment.divergences[at - 1] if at else None

    def rows(self, first: int, last: int) -> list[Row]:
        """The rows with first ≤ row < last, counted from 0."""
        last = min(last, self.alignment.rows)
        shown = self._shown(first, last)
        gist = {one.pk: one for one in gists.read(Step.objects.filter(pk__in=shown))}
        words, low = self._words(shown), self._low(shown)
        return [self._row(row, gist, words, low) for row in range(first, last)]

    def _shown(self, first: int, last: int) -> list[int]:
        """The ids of the steps in those rows."""
        pairs = zip(self.columns, self.alignment.columns, strict=True)
        return [column.steps[at][0] for column, places in pairs for at in places[first:last] if at != NONE]

    def _row(
        self, row: int, gist: Mapping[int, Gist], words: Mapping[int, list[Said]], low: Mapping[int, float]
    ) -> Row:
        places = [column[row] for column in self.alignment.columns]
        head = self.columns[0].actions[places[0]] if places[0] != NONE else ""
        cells: list[Cell | None] = []
        for column, at in zip(self.columns, places, strict=True):
            if at == NONE:
                cells.append(None)
                continue
            pk, index, _ = column.steps[at]
            same = bool(head) and column.actions[at] == head
            cells.append(Cell(column.place(index), gist[pk], same, words.get(pk, []), low.get(pk)))
        _compare(cells)
        parting = frozenset(at for at, column in enumerate(self.columns) if column.parts == row)
        diverges = bisect_right(self.alignment.divergences, row) > bisect_left(self.alignment.divergences, row)
        return Row(row + 1, cells, parting, diverges)

    def _words(self, steps: Sequence[int]) -> Mapping[int, list[Said]]:
        """What raters say of these steps, by id."""
        rows = self._labels().filter(of_field(self.scheme.main_field), step__in=steps)
        names = ("step_id", "annotation__rater__name", "field", "value", "origin")
        found: dict[tuple[int, str], list[tuple[str, Json, str]]] = defaultdict(list)
        for step, rater, *one in rows.order_by("annotation__rater__name", "field").values_list(*names):
            found[step, rater].append((one[0], one[1], one[2]))
        words: dict[int, list[Said]] = defaultdict(list)
        for (step, rater), said in found.items():
            words[step].append(self._said(rater, said))
        return words

    def _said(self, rater: str, said: Sequence[tuple[str, Json, str]]) -> Said:
        worst = max((self.voices.mark(name, value) for name, value, _ in said), key=lambda mark: mark.rank)
        value = said[0][1] if len(said) == 1 else [[name, value] for name, value, _ in said]
        return Said(rater, value, all(origin == Label.Origin.PROPAGATED for *_, origin in said), worst)

    def _low(self, steps: Sequence[int]) -> Mapping[int, float]:
        """The lowest P(not wrong) that the newest runs say of these steps, by id."""
        showing = [one.trajectory.pk for one in self.columns if one.visible.scores]
        if not showing:
            return {}
        runs = scores.latest(self.membership.project.pk)
        sure = calibrated.probability(calibrated.in_force(self.membership.project.pk, runs.values()))
        shown = visibility.scores_visible_to(self.membership).filter(trajectory__in=showing, run__in=runs.values())
        lows = shown.filter(step__in=steps).order_by().values("step_id").annotate(low=Min(sure))
        return {row["step_id"]: row["low"] for row in lows if row["low"] is not None}


def _compare(cells: Sequence[Cell | None]) -> None:
    """Mark who rates a step otherwise than the same step of the first column."""
    if not (first := cells[0]):
        return
    there = {one.rater: one.value for one in first.words}
    for cell in cells[1:]:
        if cell and cell.same:
            cell.differs = frozenset(one.rater for one in cell.words if there.get(one.rater, one.value) != one.value)
            first.differs |= cell.differs
