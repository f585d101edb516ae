"""How the belief in the right answer moves within a step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from annotations.records import TrajectoryRecord
from models_service.scorers.belief.base import BeliefScorer, Believed, Said, marked, window
from models_service.scorers.belief.probing import beliefs
from models_service.scorers.belief.ways import Way
from models_service.scorers.language.asked import LanguageModel, Prompt
from models_service.scorers.language.gathering import Work

BOUNDARY = re.compile(r"\n\s*\n|(?<=[.!?])\s+")  # behind it the text goes on
SHOWN = 80  # characters of a segment that are shown


class SegmentProgress(BeliefScorer):
    """Each step in segments, at most `segments` of about the same length, that end where a paragraph or a sentence
    does. A segment's progress is b_t − b_(t−1), where b_t is how likely the right answer is given all text up to the
    segment's end (source: the abstract of GRPO-VPS). The step has the sum of its segments' progress: what the
    belief moved from its first word to its last; the segments stand beside it, with the characters they end at."""

    title = "progress by segments"
    needs = "the answer in the task's reference"
    range = (-1.0, 1.0)
    reads_reference = True

    def __init__(self, language: Mapping[str, Any] | LanguageModel, *, segments: int = 4, **options: Any) -> None:
        super().__init__(language, **options)
        if segments < 1:
            raise ValueError(f"segments is 1 or more; found {segments}")
        self.segments = segments

    def work(self, record: TrajectoryRecord) -> Work[Said]:
        answers, asking = self.accepted(record), self.asking
        read = [(way, at, ends(way.text.steps[at], self.segments)) for way in self.ways(record) for at in _judged(way)]
        prompts = [one for way, at, cuts in read for one in _prompts(way, at, cuts, asking.closing)]
        found, some = dict[int, Believed](), self.some(record)
        each = iter(
            (yield from beliefs(prompts, answers, asking.probe, asking.normalisation, asking.draws, asking.seed))
        )
        for way, at, cuts in read:
            said = [next(each) for _ in range(len(cuts) + 1)]
            gains = [after.p - before.p for before, after in zip(said, said[1:], strict=False)]
            step = way.text.steps[at]
            shown = [step[start:end].strip()[:SHOWN] for start, end in zip([0, *cuts], cuts, strict=False)]
            found[way.text.places[at]] = Believed(
                said[-1].p - said[0].p,
                list(zip(shown, gains, strict=True)),
                [*marked(way, *said), *some],
                {"ends": cuts, "beliefs": [one.p for one in said], "answer": said[-1].answer, **window(way)},
            )
        return found


def ends(step: str, most: int) -> list[int]:
    """Where the segments of a step end, in characters; the last is its length."""
    cuts = [match.end() for match in BOUNDARY.finditer(step)]
    chosen = []
    for number in range(1, most):
        aimed = len(step) * number / most
        if cuts:
            chosen.append(min(cuts, key=lambda cut: abs(cut - aimed)))
    return [*sorted({cut for cut in chosen if 0 < cut < len(step)}), len(step)]


def _judged(way: Way) -> range:
    return range(way.text.first, len(way.text.steps))


def _prompts(way: Way, at: int, cuts: list[int], closing: str) -> list[Prompt]:
    """What stands before the step, and up to the end of each of its segments."""
    parts = [way.text.steps[at][:cut] for cut in cuts]
    return [way.upto(at, closing), *(way.within(at, part, closing) for part in parts)]
