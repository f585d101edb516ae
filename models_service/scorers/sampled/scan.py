"""Monte-Carlo labels with less noise: scaled by what the completer can do, soft where errors are placed too late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from annotations.records import StepScore
from models_service.scorers.language.asked import LanguageModel
from models_service.scorers.language.gathering import Work
from models_service.scorers.rendering import Text
from models_service.scorers.sampled.continuing import ROOT, UNSURE, Continuing, Estimate, Problem, score
from models_service.scorers.sampled.omega import ENDS_RIGHT, FIRST, INFERRED

SOFT = "soft: errors are often placed too late"


def denoised(values: Sequence[float], confidence: float, window: int) -> list[float]:
    """Labels of the steps of a wrong solution from their MC. The first at 0 is the predicted error: it and what follows
    it are 0. The `window` steps before it are min(1, MC / confidence), where confidence, above 0, is the completer's
    share of right answers from the bare question. Those before that, and all where none is at 0, are 1."""
    first = next((number for number, value in enumerate(values) if value == 0), None)
    if first is None:
        return [1.0] * len(values)
    return [
        0.0 if number >= first else min(1.0, value / confidence) if number >= first - window else 1.0
        for number, value in enumerate(values)
    ]


class SelfDenoised(Continuing):
    """`confidence` is the completer's share of right answers from the bare question below which a trajectory is left
    out, `window` the number of steps before the predicted error with a soft label. Trajectories with a right answer are
    taken as right without drawing from their steps ("SCAN: Self-Denoising Monte Carlo Annotation for Robust Process
    Reward Learning"; that steps behind the error are 0, and both defaults, are our reading)."""

    title = "self-denoised Monte-Carlo label"

    def __init__(
        self, language: Mapping[str, Any] | LanguageModel, confidence: float = 0.25, window: int = 1, **options: Any
    ) -> None:
        if not 0 < confidence <= 1 or window < 0:
            raise ValueError(f"confidence is above 0 and at most 1, window 0 or more; found {confidence}, {window}")
        super().__init__(language, **options)
        self.confidence, self.window = confidence, window

    def judge(self, problem: Problem) -> Work[dict[int, StepScore | str]]:
        wrong = [way for way in problem.ways if problem.own(way) is not True]
        root = (yield from self.estimates(problem, [ROOT]))[ROOT]
        if root.lacks:
            raise self.lacks(f"from the bare question: {root.lacks}")
        if root.value < self.confidence:
            raise self.lacks(
                f"from the bare question the completer is right in {root.right} of {root.drawn}, fewer than "
                f"{self.confidence:g} of them"
            )
        known = yield from self.estimates(problem, list(dict.fromkeys(place for way in wrong for place in way.places)))
        said: dict[int, StepScore | str] = {}
        for way in problem.ways:
            told = self._wrong(problem, way, known, root) if way in wrong else _right(problem, way, root)
            said |= {place: told[place] for place in way.places[way.first :]}
        return said

    def _wrong(
        self, problem: Problem, way: Text, known: Mapping[int, Estimate], root: Estimate
    ) -> dict[int, StepScore | str]:
        found = [known[place] for place in way.places]
        if lacking := next((f"step {number}: {one.lacks}" for number, one in enumerate(found, 1) if one.lacks), ""):
            raise self.lacks(f"after {lacking}")
        values = [one.value for one in found]
        labels = denoised(values, root.value, self.window)
        first = values.index(0) if 0 in values else len(values)
        said: dict[int, StepScore | str] = {}
        for number, (place, one, label) in enumerate(zip(way.places, found, labels, strict=True)):
            flags = [FIRST] if number == first else [SOFT] if first - self.window <= number < first else []
            flags += [UNSURE] if one.is_unsure(0.0) else []
            why = {"right continuations": one.value, "right from the question": root.value}
            said[place] = score(problem, place, label, why, flags, **one.told())
        return said


def _right(problem: Problem, way: Text, root: Estimate) -> dict[int, StepScore | str]:
    why = {"right from the question": root.value}
    return {place: score(problem, place, 1.0, why, [INFERRED, ENDS_RIGHT]) for place in way.places}
