"""What a step adds to the probability of the reasoning that is left on a right way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from annotations.records import TrajectoryRecord
from models_service.scorers import reading
from models_service.scorers.belief.base import BeliefScorer, Believed, Said, is_right, is_tree, window
from models_service.scorers.belief.chains import MOST, chain, covered, parted
from models_service.scorers.belief.formulas import combined, faithfulness, log_probs
from models_service.scorers.belief.ways import BLANK, Way
from models_service.scorers.language.asked import LanguageModel, Prompt, Sampling, Token
from models_service.scorers.language.gathering import Drawn, Forced, Work, log_probs_of, texts_of
from models_service.statistics.canonical import canonical

WRITTEN = "the reference chain was written by the language model"
WRITE = (
    "{question}\n\nThe right answer is {answer}. Write the reasoning that leads to it, one short step a line, and end "
    "with the line “The answer is {answer}”."
)


class PathFaithfulness(BeliefScorer):
    """PFR_t = (1/length)·(log p(g_(a+1) … g_m, y given the question and the steps up to t) − log p(the same given the
    question)), clipped to ±`limit` nats a token, where g_1 … g_m is a right way to the answer y and a(t) how many of
    its first steps are covered by then (source: the abstract of P2S; the division by the number of tokens, the limit
    and the alignment by words are our readings). A step is covered where `enough` of its words and numbers were
    written. The way is the reference's `solution`, `reasoning`, `rationale`, `steps` or `chain_of_thought`; where it
    has none and `write` is on, the model writes one knowing the answer, which is kept only if it ends with it. The last
    step of a rollout tells what the paper rewards it with: outcome + weight · mean PFR."""

    title = "path faithfulness"
    needs = "the answer and a solution in the task's reference, and a model that tells log-probabilities of given texts"
    reads_reference = True

    def __init__(
        self,
        language: Mapping[str, Any] | LanguageModel,
        *,
        limit: float = 1.0,
        enough: float = 0.6,
        weight: float = 1.0,
        write: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(language, **options)
        if limit <= 0 or not 0 < enough <= 1:
            raise ValueError(f"limit is above 0, enough above 0 and up to 1; found {limit}, {enough}")
        self.limit, self.enough, self.weight, self.write = limit, enough, weight, write
        self.range = (-limit, limit)

    def work(self, record: TrajectoryRecord) -> Work[Said]:
        answers, ways = self.accepted(record), self.ways(record)
        steps, flags = chain(record.task.reference)[:MOST], list[str]()
        if not steps:
            steps, flags = (yield from self._written(record, answers[0])), [WRITTEN]
        done = covered(record, steps, self.enough)
        places = [(way, number) for way in ways for number in range(way.text.first, len(way.text.steps))]
        rest = [steps[done[way.text.places[number]] :] for way, number in places]
        asks = [_ask(*place, left, one) for one in answers for place, left in zip(places, rest, strict=True)]
        read = iter((yield from log_probs_of([one for pair in asks for one in pair])))
        values = [[self._value(next(read), next(read)) for _ in places] for _ in answers]
        best = max(range(len(answers)), key=lambda at: math.fsum(values[at]))
        found, before = dict[int, Believed](), 0
        flags += self.some(record)
        for (way, number), value in zip(places, values[best], strict=True):
            place = way.text.places[number]
            newly = [(f"covers: {one[:80]}", 1.0) for one in steps[before : done[place]]]
            found[place] = Believed(
                value,
                [("chain steps covered", done[place]), *newly],
                [*way.flags, *flags],
                {"covered": done[place], "of": len(steps), "answer": answers[best], **window(way)},
            )
            before = done[place]
        return found if is_tree(record) else self._rewarded(record, answers, found)

    def _value(self, after: Sequence[Token], bare: Sequence[Token]) -> float:
        return faithfulness(log_probs(after), log_probs(bare), self.limit)

    def _rewarded(
        self, record: TrajectoryRecord, answers: Sequence[str], found: dict[int, Believed]
    ) -> dict[int, Believed]:
        last, outcome = max(found), float(is_right(record, answers))
        reward = combined(outcome, [one.value for one in found.values()], self.weight)
        found[last] = found[last]._replace(more={**found[last].more, "outcome": outcome, "reward": reward})
        return found

    def _written(self, record: TrajectoryRecord, answer: str) -> Work[list[str]]:
        if not self.write:
            raise self.lacks("the task's reference holds no solution, only an answer")
        asked = WRITE.format(question=self.ways(record)[0].text.prompt, answer=answer)
        prompt = Prompt(({"role": "user", "content": asked},)) if self.asking.chat else Prompt(opening=asked + BLANK)
        [[text, *_]] = yield from texts_of([Drawn(prompt, Sampling())])
        said = canonical(reading.answer(text.text))
        if said is None or said != canonical(answer):
            raise self.lacks("the solution that the language model wrote does not end with the right answer")
        return parted(text.text)[:-1][:MOST]


def _ask(way: Way, number: int, rest: Sequence[str], answer: str) -> tuple[Forced, Forced]:
    """What is left of the chain, and the answer, behind the step and behind the question alone."""
    left = "\n".join([*rest, f"The answer is {answer}"])
    return Forced(way.upto(number + 1, BLANK), left), Forced(way.upto(0, BLANK), left)
