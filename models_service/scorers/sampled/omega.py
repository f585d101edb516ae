"""The first wrong step of a trajectory, found by bisection with few continuations (OmegaPRM)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from annotations.records import StepScore
from models_service.scorers import reading, text
from models_service.scorers.language.asked import LanguageModel
from models_service.scorers.language.gathering import Work
from models_service.scorers.rendering import Text
from models_service.scorers.sampled.continuing import ROOT, Continuing, Estimate, Problem, score
from models_service.scorers.sampled.search import bisected

FIRST = "first error"
INFERRED = "inferred, not sampled"
ENDS_RIGHT = "the final answer is right"
REVISES = "a later step revises: the search assumes that no error is made good"
RISES = "above 0 after a step at 0: an error was made good, or the completer is unsure"


class FirstError(Continuing):
    """A step that was evaluated has its MC; the others are inferred, 1 before the first error and 0 from it on
    ("Improve Mathematical Reasoning in Language Models by Automated Process Supervision": our reading of its abstract).
    ⌈log2 steps⌉ states and the bare question are drawn from. It assumes that MC falls to 0 once and stays there, which
    is not so of trajectories that recover: these are flagged as far as their words tell; `full` evaluates every step
    instead. Where the final answer is right nothing is searched, and every step is inferred to be right."""

    title = "first error by bisection"

    def __init__(self, language: Mapping[str, Any] | LanguageModel, full: bool = False, **options: Any) -> None:
        super().__init__(language, **options)
        self.full = full

    def judge(self, problem: Problem) -> Work[dict[int, StepScore | str]]:
        known: dict[int, Estimate] = {}
        said: dict[int, StepScore | str] = {}
        for way in problem.ways:
            told = yield from self._way(problem, way, known)
            said |= {place: told[place] for place in way.places[way.first :]}
        return said

    def _way(self, problem: Problem, way: Text, known: dict[int, Estimate]) -> Work[dict[int, StepScore | str]]:
        ends_right = problem.own(way)
        if self.full:
            yield from self._know(problem, way.places, known)
            return self._evaluated(problem, way, known)
        if ends_right is None:
            raise self.lacks("the last step states no answer, so it is not known to be wrong")
        if ends_right:
            return {place: score(problem, place, 1.0, {}, [INFERRED, ENDS_RIGHT]) for place in way.places}
        yield from self._know(problem, [ROOT, way.places[-1]], known)
        if lacking := known[ROOT].lacks:
            raise self.lacks(f"from the bare question: {lacking}")
        if not known[ROOT].right:
            raise self.lacks("the completer never reaches the right answer from the bare question")
        first = yield from self._searched(problem, way, known)
        return self._inferred(problem, way, known, first)

    def _searched(self, problem: Problem, way: Text, known: dict[int, Estimate]) -> Work[int]:
        """The number of the first wrong step, from 1."""
        search = bisected(len(way.places))
        try:
            number = next(search)
            while True:
                place = way.places[number - 1]
                yield from self._know(problem, [place], known)
                if lacking := known[place].lacks:
                    raise self.lacks(f"after step {number}: {lacking}")
                number = search.send(known[place].right > 0)
        except StopIteration as end:
            found: int = end.value
            return found

    def _know(self, problem: Problem, places: Sequence[int], known: dict[int, Estimate]) -> Work[None]:
        known |= yield from self.estimates(problem, [place for place in places if place not in known])

    def _inferred(
        self, problem: Problem, way: Text, known: Mapping[int, Estimate], first: int
    ) -> dict[int, StepScore | str]:
        steps = [problem.record.steps[place] for place in way.places]
        revised = [
            number for number, step in enumerate(steps, 1) if number > first and reading.REVISES.search(text.said(step))
        ]
        said: dict[int, StepScore | str] = {}
        for number, place in enumerate(way.places, start=1):
            flags = [FIRST] if number == first else []
            flags += [REVISES] if revised and number >= first else []
            found = known.get(place)
            if found is None:
                said[place] = score(problem, place, float(number < first), {}, [*flags, INFERRED])
            else:
                said[place] = _evaluated(problem, place, found, flags)
        return said

    def _evaluated(self, problem: Problem, way: Text, known: Mapping[int, Estimate]) -> dict[int, StepScore | str]:
        said: dict[int, StepScore | str] = {}
        fallen = False
        for place in way.places:
            found = known[place]
            if found.lacks:
                said[place] = found.lacks
                continue
            flags = [RISES] if fallen and found.right else [FIRST] if not fallen and not found.right else []
            said[place] = _evaluated(problem, place, found, flags)
            fallen = fallen or not found.right
        return said


def _evaluated(problem: Problem, place: int, found: Estimate, flags: Sequence[str]) -> StepScore:
    why = {"right continuations": found.value}
    return score(problem, place, found.value, why, [*flags, *found.flags(0.0)], **found.told())
