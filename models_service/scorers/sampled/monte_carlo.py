"""Steps by how often a completer reaches the right answer from there, and by how much that falls with each step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotations.records import StepScore
from models_service.scorers.language.asked import LanguageModel
from models_service.scorers.language.gathering import Work
from models_service.scorers.sampled.continuing import ROOT, Continuing, Estimate, Problem, score

LABELS = ("soft", "hard")
NEVER = "undefined: the completer never reaches the right answer from the step before, or from one before that"
NO_VALUE = "undefined: a state before it has no value"


class MonteCarlo(Continuing):
    """MC(s_t) = the share of n continuations of the steps up to t that reach the right answer. `label` "soft" says it,
    "hard" 1 where it is above `limit` and else 0 (0 by default, so that one continuation suffices: Math-Shepherd, "The
    Lessons of Developing Process Reward Models", n = 8 from memory). A step is flagged as unsure where the Wilson
    interval covers `limit` (soft: .5). The last step is not continued where it states an answer: that decides."""

    title = "Monte-Carlo value"

    def __init__(
        self,
        language: Mapping[str, Any] | LanguageModel,
        label: str = "soft",
        limit: float | None = None,
        **options: Any,
    ) -> None:
        if label not in LABELS or not 0 <= (limit or 0) < 1:
            raise ValueError(f"label is one of {', '.join(LABELS)}, limit from 0 to below 1; found {label!r}, {limit}")
        super().__init__(language, **options)
        self.label = label
        self.limit = limit if limit is not None else 0.5 if label == "soft" else 0.0

    def judge(self, problem: Problem) -> Work[dict[int, StepScore | str]]:
        places = [place for _, _, place, _ in problem.judged()]
        found = yield from self.estimates(problem, places)
        return {place: self._one(problem, place, found[place]) for place in places}

    def _one(self, problem: Problem, place: int, found: Estimate) -> StepScore | str:
        if found.lacks:
            return found.lacks
        value = found.value if self.label == "soft" else float(found.value > self.limit)
        why = {"right continuations": found.value}
        return score(problem, place, value, why, found.flags(self.limit), **found.told())


class RelativeProgress(Continuing):
    """P_t = MC(s_t) / MC(s_t-1), with MC(s_0) from the bare question; 1 where P_t ≥ `limit`, else 0 ("GenPRM: Scaling
    Test-Time Compute of Process Reward Models via Generative Reasoning": our reading of its abstract, .8 from memory).
    Behind a state of value 0 it is undefined, and all later steps are left out."""

    title = "relative progress"

    def __init__(self, language: Mapping[str, Any] | LanguageModel, limit: float = 0.8, **options: Any) -> None:
        if not 0 < limit <= 1:
            raise ValueError(f"limit is above 0, and at most 1; found {limit}")
        super().__init__(language, **options)
        self.limit = limit

    def judge(self, problem: Problem) -> Work[dict[int, StepScore | str]]:
        steps = list(problem.judged())
        found = yield from self.estimates(problem, [ROOT, *(place for _, _, place, _ in steps)])
        if found[ROOT].lacks:
            raise self.lacks(f"from the bare question: {found[ROOT].lacks}")
        if not found[ROOT].right:
            raise self.lacks("the completer never reaches the right answer from the bare question")
        said: dict[int, StepScore | str] = {}
        for _, _, place, before in steps:
            undefined = said.get(before)
            if isinstance(undefined, str):
                said[place] = undefined if undefined == NEVER else NO_VALUE
            else:
                said[place] = self._one(problem, place, found[place], found[before])
        return said

    def _one(self, problem: Problem, place: int, now: Estimate, before: Estimate) -> StepScore | str:
        if not before.right:
            return NEVER
        if now.lacks:
            return now.lacks
        label = progress_label(now.value, before.value, self.limit)
        assert label is not None
        why = {"right continuations before": before.value, "right continuations after": now.value}
        ratio = now.value / before.value
        return score(problem, place, label, why, now.flags(self.limit * before.value), progress=ratio, **now.told())


def progress_label(now: float, before: float, limit: float = 0.8) -> float | None:
    """1 where now / before ≥ limit, else 0; None where `before` is 0."""
    # Shares of equal counts divide to a hair beside the limit: 4/5 by 5/5 is to be .8.
    return float(now / before >= limit - 1e-12) if before else None
