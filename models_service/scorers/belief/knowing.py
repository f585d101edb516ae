"""Whether the language model holds the trajectory's answer for true, and whether it knows an answer by then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from annotations.records import TrajectoryRecord
from models_service.scorers.base import Scored
from models_service.scorers.belief.base import BeliefScorer, Believed, Said, final_answer, is_tree, window
from models_service.scorers.belief.verdicts import TRUE_FALSE, YES_NO, chances
from models_service.scorers.belief.ways import BLANK, Way
from models_service.scorers.language.asked import LanguageModel
from models_service.scorers.language.gathering import Work

SHOWN = 5  # other rollouts' answers that are shown


class AnswerTrue(BeliefScorer):
    """P(True) after each step: the probability of "True" against "False" where the model has read the question, the
    steps so far and the answer that the trajectory ends with, and is asked whether this is true (source: Language
    Models (Mostly) Know What They Know). With `others` it is shown up to five answers of the task's other rollouts
    first, as that paper shows samples. The wording is ours, and so is asking after each step. No reference is read."""

    title = "P(True)"
    needs = "an answer at the end"

    def __init__(self, language: Mapping[str, Any] | LanguageModel, *, others: bool = False, **options: Any) -> None:
        super().__init__(language, **options)
        self.others = self.siblings = others

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        given: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for place, record in enumerate(records):
            if self.others and not is_tree(record) and (said := final_answer(record)):
                given[record.task.external_id].append((place, said))
        works = [
            self._asked(record, [said for at, said in given[record.task.external_id] if at != place])
            for place, record in enumerate(records)
        ]
        return self.finished(records, works)

    def _asked(self, record: TrajectoryRecord, others: Sequence[str]) -> Work[Said]:
        shown = "".join(f"\n- {one}" for one in sorted(others)[:SHOWN])
        ideas = f"\n\nOther answers that were given:{shown}" if shown else ""
        question = f"{ideas}\n\nProposed answer: {self.own_answer(record)}\n\nIs the proposed answer true?"
        return (yield from _after_each(self, self.ways(record), question, TRUE_FALSE))


class Knows(BeliefScorer):
    """P(IK) after each step: the probability of "Yes" against "No" where the model has read the question and the steps
    so far and is asked whether it knows the right answer (source: Language Models (Mostly) Know What They Know, which
    trains a head for this, and sees it rise with what a context tells; asking in words is our reading)."""

    title = "P(I know)"

    def work(self, record: TrajectoryRecord) -> Work[Said]:
        return (yield from _after_each(self, self.ways(record), "\n\nDo you know the right answer by now?", YES_NO))


def so_far(way: Way, count: int) -> str:
    """The question and the first steps as one text to ask about."""
    steps = BLANK.join(way.text.steps[:count])
    return f"Question:\n{way.text.prompt}\n\nWork so far:\n{steps}" if steps else f"Question:\n{way.text.prompt}"


def _after_each(scorer: BeliefScorer, ways: Sequence[Way], question: str, words: tuple[str, str]) -> Work[Said]:
    places = [(way, count) for way in ways for count in range(way.text.first, len(way.text.steps))]
    said = yield from chances(scorer.asking, [so_far(way, count + 1) + question for way, count in places], words)
    return {
        way.text.places[count]: Believed(p, (), way.flags, window(way))
        for (way, count), p in zip(places, said, strict=True)
    }
