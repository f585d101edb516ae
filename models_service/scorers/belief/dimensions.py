"""A step's reasoning by three dimensions: how confident, how relevant, how coherent. No reference is read."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from annotations.records import StepScore, TrajectoryRecord
from models_service.scorers import text
from models_service.scorers.base import CannotScore, Partly, Scored, agent_steps
from models_service.scorers.belief.base import BeliefScorer, Believed, Said, window
from models_service.scorers.belief.formulas import log_probs, mean
from models_service.scorers.belief.hindsight import SAYS_NOTHING, Turn, turns
from models_service.scorers.belief.probing import likelihoods
from models_service.scorers.belief.verdicts import YES_NO, chances
from models_service.scorers.fitting import ends
from models_service.scorers.language.asked import LanguageModel, inert
from models_service.scorers.language.gathering import Forced, Work
from models_service.statistics.advantages import standardised

NAMES = ("confidence", "relevance", "coherence")
SHOWN = 6000  # characters of a text that a question is asked about: its two ends
ALONE = "there is no other step to compare it with"
NO_DOCUMENTS = "nothing retrieved to be relevant to"
QUESTION = "Question:\n{question}\n\nReasoning:\n{said}\n\nDoes the reasoning bear on the question?"
DOCUMENTS = "Documents:\n{documents}\n\nReasoning:\n{said}\n\nIs the reasoning supported by the documents?"
ANSWER = "Reasoning:\n{said}\n\nAnswer:\n{answer}\n\nDoes the answer follow from the reasoning?"
COHERENT = "Question:\n{question}\n\nReply:\n{said}\n\nIs this reply clear, coherent and well written?"


class Dimensions(BeliefScorer):
    """w_1·confidence + w_2·relevance + w_3·coherence, each first standardised over the steps of the task's rollouts
    (source: Answer to Think, whose dimensional reward model scores a whole response; by step, and with the weights 1,
    it is our reading). Confidence: the mean log-probability of the step's words and the sum of those of the rollout's
    answer asked for behind it. Relevance: the mean of three entailments, reasoning to question, documents to reasoning,
    reasoning to answer. Coherence: whether the text is well written. Where the source has a ranker and an outcome
    reward model, the language model is asked yes or no, and P(yes) taken. A dimension of weight 0 is not asked."""

    title = "confidence, relevance and coherence"
    needs = "an answer at the end, other rollouts of the task, and a model that tells log-probabilities of given texts"
    range = (None, None)
    siblings = True

    def __init__(
        self, language: Mapping[str, Any] | LanguageModel, *, weights: Sequence[float] = (1, 1, 1), **options: Any
    ) -> None:
        super().__init__(language, **options)
        if len(weights) != len(NAMES) or min(weights) < 0 or not any(weights):
            raise ValueError(f"weights are three, for {', '.join(NAMES)}, 0 or more, not all 0; found {list(weights)}")
        self.weights = list(weights)

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        said = super().score(records, prepared)
        groups: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for place, one in enumerate(said):
            if not isinstance(one, CannotScore):
                groups[records[place].task.external_id] += [(place, at) for at in range(len(one))]
        rows = {place: list(one) for place, one in enumerate(said) if not isinstance(one, CannotScore)}
        for steps in groups.values():
            if len(steps) < 2:
                rows = {place: row for place, row in rows.items() if (place, 0) not in steps}
                said = [self.lacks(ALONE) if (place, 0) in steps else one for place, one in enumerate(said)]
                continue
            for (place, at), step in zip(steps, self._weighed([rows[p][at] for p, at in steps]), strict=True):
                rows[place][at] = step
        return [_like(one, rows[place]) if place in rows else one for place, one in enumerate(said)]

    def work(self, record: TrajectoryRecord) -> Work[Said]:
        answer, every = self.own_answer(record), turns(self.ways(record))
        silent: Said = {t.place: CannotScore(SAYS_NOTHING) for t in every if not t.way.text.own[t.number].strip()}
        every = [turn for turn in every if turn.place not in silent]
        found: dict[str, list[float]] = {}
        if self.weights[0]:
            found["confidence"] = yield from self._confidence(every, answer)
        if self.weights[1]:
            found["relevance"] = yield from self._relevance(record, every, answer)
        if self.weights[2]:
            asked = [COHERENT.format(question=_question(turn), said=_said(turn)) for turn in every]
            found["coherence"] = yield from chances(self.asking, asked, YES_NO)
        seen = _documents(record)
        return {
            **silent,
            **{
                turn.place: Believed(
                    0.0,
                    (),
                    [*turn.way.flags, *([] if seen[turn.place] or not self.weights[1] else [NO_DOCUMENTS])],
                    {**{name: values[number] for name, values in found.items()}, **window(turn.way)},
                )
                for number, turn in enumerate(every)
            },
        }

    def _confidence(self, every: Sequence[Turn], answer: str) -> Work[list[float]]:
        asks = [turn.asked() for turn in every]
        asks += [
            Forced(turn.way.upto(turn.number + 1, self.asking.closing), self.asking.lead + answer) for turn in every
        ]
        read = yield from likelihoods(asks)
        return [
            confidence(log_probs(words), log_probs(said)) for words, said in zip(read, read[len(every) :], strict=False)
        ]

    def _relevance(self, record: TrajectoryRecord, every: Sequence[Turn], answer: str) -> Work[list[float]]:
        documents = _documents(record)
        asked = [list(_relevant(turn, documents[turn.place], answer)) for turn in every]
        each = iter((yield from chances(self.asking, [one for row in asked for one in row], YES_NO)))
        return [mean([next(each) for _ in row]) for row in asked]

    def _weighed(self, steps: Sequence[StepScore]) -> list[StepScore]:
        asked = [(name, weight) for name, weight in zip(NAMES, self.weights, strict=True) if weight]
        columns = [standardised([step.detail[name] for step in steps]) for name, _ in asked]
        found = []
        for step, row in zip(steps, zip(*columns, strict=True), strict=True):
            parts = [(name, weight * z) for (name, weight), z in zip(asked, row, strict=True)]
            why = [{"feature": name, "contribution": part} for name, part in parts]
            found.append(replace(step, value=math.fsum(part for _, part in parts), detail={**step.detail, "why": why}))
        return found


def _like(before: Scored, steps: Sequence[StepScore]) -> Scored:
    return Partly(steps, before.unscored) if isinstance(before, Partly) else tuple(steps)


def confidence(reasoning: Sequence[float], answer: Sequence[float]) -> float:
    """(mean log p over the reasoning's tokens) + (sum of log p over the answer's)."""
    return mean(reasoning) + math.fsum(answer)


def _relevant(turn: Turn, documents: str, answer: str) -> list[str]:
    said = _said(turn)
    asked = [QUESTION.format(question=_question(turn), said=said), ANSWER.format(said=said, answer=answer)]
    return [*asked, DOCUMENTS.format(documents=ends(documents, SHOWN), said=said)] if documents else asked


def _said(turn: Turn) -> str:
    return ends(turn.way.text.own[turn.number], SHOWN)


def _question(turn: Turn) -> str:
    return ends(turn.way.text.prompt, SHOWN)


def _documents(record: TrajectoryRecord) -> dict[int, str]:
    """For each of the agent's steps what had been observed when it was taken, and what it observed itself."""
    seen, found = list[str](), dict[int, str]()
    for place in agent_steps(record):
        if told := text.observed(record.steps[place]).strip():
            seen.append(told)
        found[place] = inert("\n".join(seen))
    return found
