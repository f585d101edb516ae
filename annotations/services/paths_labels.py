"""What raters say of the states of a task's rollouts, and where they contradict each other or themselves on the same
step of rollouts that begin alike. Passes that are handed in count, and no others."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from django.db.models import TextField
from django.db.models.functions import Cast

from annotations.formats.lines import load
from annotations.models import Annotation, Label
from annotations.services.answers import Mark, Voices, of_field
from annotations.services.board import scheme
from annotations.services.paths import Paths, Stretch, Visit
from annotations.topology.prefixes import shared


class Said(NamedTuple):
    """One rater's answer to a step: the worst where they answer for its parts. `value` is all that they say."""

    rater: str
    who: int
    value: str
    mark: Mark


@dataclass(frozen=True)
class Conflict:
    """The same step after the same beginning, in several rollouts, labelled differently. `own`: raters who contradict
    themselves; where there is none, raters who have not labelled the same rollouts say otherwise."""

    before: int
    said: Sequence[tuple[Visit, Sequence[Said]]]
    own: Sequence[str]


class Labels:
    """By step, what was said of it."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.by_step = _read(paths)

    def tally(self, stretch: Stretch) -> list[tuple[Mark, int]]:
        """How often each answer was given at its states, the most frequent first."""
        return self._tally(visit for state in stretch.states for visit in self.paths.visits[state])

    def at(self, state: str) -> list[tuple[Mark, int]]:
        return self._tally(self.paths.visits[state])

    def _tally(self, visits: Iterable[Visit]) -> list[tuple[Mark, int]]:
        marks = Counter(said.mark for visit in visits for said in self.by_step.get(visit.step, ()))
        return sorted(marks.items(), key=lambda one: (-one[1], one[0].words))

    def wrong(self, place: int) -> int:
        """How many steps of that way most of those who labelled them call wrong."""
        steps = [visit.step for _, visit in self.paths.turns[place]]
        said = [self.by_step[step] for step in steps if step in self.by_step]
        return sum(2 * sum(one.mark.tone == "wrong" for one in some) > len(some) for some in said)

    def recovers(self, place: int) -> bool:
        """It passes although most call a step of it wrong."""
        return bool(self.paths.ways[place].passed and self.wrong(place))

    def conflicts(self) -> list[Conflict]:
        """Those of raters with themselves first, then by the length of the beginning."""
        found = []
        turns = self.paths.turns
        for group in shared([[turn for turn, _ in one] for one in turns]):
            visits = [turns[rollout][depth][1] for rollout, depth in group]
            said = [(visit, self.by_step[visit.step]) for visit in visits if visit.step in self.by_step]
            if len(said) < 2 or len({one.value for _, some in said for one in some}) < 2:
                continue
            own = _own([some for _, some in said])
            if own or _others([some for _, some in said]):
                found.append(Conflict(group[0][1], said, own))
        return sorted(found, key=lambda one: (not one.own, one.before))


def _read(paths: Paths) -> Mapping[int, list[Said]]:
    project = paths.task.project
    asked = scheme(project.scheme_id)
    voices = Voices(asked)
    passes = (
        Annotation.objects.live()
        .for_labels()
        .filter(trajectory__in=[one.trajectory.pk for one in paths.ways], state=Annotation.State.SUBMITTED)
    )
    rows = Label.objects.current().filter(of_field(asked.main_field), annotation__in=passes, step__isnull=False)
    names = ("step_id", "annotation__rater__name", "annotation__rater_id", "field", "text")
    found: dict[tuple[int, str, int], list[tuple[str, str]]] = defaultdict(list)
    rows = rows.annotate(text=Cast("value", TextField())).order_by("annotation__rater__name", "field")
    for step, rater, who, *said in rows.values_list(*names):
        found[step, rater, who].append((said[0], said[1]))
    mark = cache(lambda field, text: voices.mark(field, load(text)))
    by_step: dict[int, list[Said]] = defaultdict(list)
    for (step, rater, who), some in found.items():
        worst = max((mark(*one) for one in some), key=lambda one: one.rank)
        by_step[step].append(Said(rater, who, " ".join(map("=".join, some)), worst))
    return by_step


def _own(said: Sequence[Sequence[Said]]) -> list[str]:
    """Raters who answer the same differently."""
    values: dict[tuple[str, int], set[str]] = defaultdict(set)
    for one in (each for some in said for each in some):
        values[one.rater, one.who].add(one.value)
    return sorted(rater for (rater, _), some in values.items() if len(some) > 1)


def _others(said: Sequence[Sequence[Said]]) -> bool:
    """Whether two raters differ of whom neither labelled the step of the other."""
    raters = [{one.who for one in some} for some in said]
    if all(one == raters[0] for one in raters):
        return False
    return any(
        one.value != other.value and one.who not in raters[second] and other.who not in raters[first]
        for first, some in enumerate(said)
        for second in range(first)
        for one in some
        for other in said[second]
    )
