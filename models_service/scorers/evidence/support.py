"""Whether what an agent says stands in what it had seen, by words alone: no model reads it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from annotations.records import StepRecord, TrajectoryRecord
from models_service.scorers.checks.share import UNCHECKED, held
from models_service.scorers.reading import clip, words
from models_service.scorers.ruled import Found, RuledScorer
from models_service.scorers.text import observed, said

SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
LEAST = 3  # words that say something, in a sentence that is held against what was seen
ENOUGH = 0.6  # share of a sentence's words that must have been seen


class Support(RuledScorer):
    """The share of a step's sentences that are supported: `enough` of their words stand in what was asked or observed
    before. It is to lexical faithfulness what a share of supported facts is where a model splits and checks them."""

    title = "support by what was seen"
    needs = "observations"

    def __init__(self, enough: float = ENOUGH) -> None:
        if not 0 < enough <= 1:
            raise ValueError(f"enough is above 0 and up to 1; found {enough}")
        self.enough = enough

    def steps(self, record: TrajectoryRecord, steps: Sequence[StepRecord]) -> Sequence[Found]:
        if not any(step.observations for step in steps):
            raise self.lacks("nothing was observed")
        seen = words(record.task.instruction)
        found: list[Found] = []
        for step in record.steps:
            if step.source == "agent":
                found.append(held([(one, self._lack(one, seen)) for one in sentences(said(step))], UNCHECKED))
                seen |= words(clip(observed(step)))
            else:
                seen |= words(clip(said(step)))
        return found

    def _lack(self, sentence: str, seen: set[str]) -> str:
        own = words(sentence)
        missing = own - seen
        return (
            "" if len(missing) <= (1 - self.enough) * len(own) + 1e-9 else f"not seen: {', '.join(sorted(missing)[:5])}"
        )


def sentences(text: str) -> list[str]:
    """Those that say enough to be held against anything."""
    return [one.strip() for one in SENTENCE.split(clip(text)) if len(words(one)) >= LEAST]
