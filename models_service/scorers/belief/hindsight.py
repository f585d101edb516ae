"""How likely the agent's own words are, and how much likelier once the answer, or the user's reply, is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from annotations.records import TrajectoryRecord
from models_service.scorers.base import CannotScore, agent_steps
from models_service.scorers.belief.base import BeliefScorer, Believed, Said, is_tree, window
from models_service.scorers.belief.formulas import log_probs, log_ratio, mean
from models_service.scorers.belief.probing import likelihoods
from models_service.scorers.belief.ways import Way
from models_service.scorers.language.asked import Token, inert
from models_service.scorers.language.gathering import Forced, Work

SAYS_NOTHING, NO_REPLY = "the step says nothing", "no turn of the user follows"
ANSWER_KNOWN = "\n\n[The verified answer is: {}]"
REPLY_KNOWN = "\n\n[What the user says later: {}]"


@dataclass(frozen=True)
class Turn:
    """The agent's words of a step, as they are asked about."""

    way: Way
    number: int

    @property
    def place(self) -> int:
        return self.way.text.places[self.number]

    def asked(self, hint: str = "") -> Forced:
        return Forced(self.way.before_own(self.number, hint), self.way.text.own[self.number])


class StepLikelihood(BeliefScorer):
    """The mean log-probability of the agent's own words of a step given all before it, in nats a token: the logarithm
    of one over its perplexity. A baseline: what is likely is what the model would have written, right or wrong. What
    tools answered is read and not counted; a step without words has no number."""

    title = "likelihood of the step"
    needs = "a language model that tells log-probabilities of given texts"
    range = (None, 0.0)

    def work(self, record: TrajectoryRecord) -> Work[Said]:
        every = turns(self.ways(record))
        read = yield from likelihoods([turn.asked() for turn in every])
        return {turn.place: _likely(turn, tokens) for turn, tokens in zip(every, read, strict=True)}


class AnswerHindsight(BeliefScorer):
    """e_t = Σ over the agent's tokens of step t of log p(token given all before it and the verified answer) − log
    p(token given all before it), in nats; above 0 the step speaks for that answer (source: the abstract of PBSD; where
    the answer stands, behind the question, is our reading). For a model that is of one mind the sum over a trajectory
    is log p(answer given trajectory) − log p(answer). Of several accepted answers the one with the highest sum."""

    title = "evidence for the verified answer"
    needs = "the answer in the task's reference, and a language model that tells log-probabilities of given texts"
    range = (None, None)
    reads_reference = True

    def work(self, record: TrajectoryRecord) -> Work[Said]:
        answers, every = self.accepted(record), turns(self.ways(record))
        hints = ["", *(ANSWER_KNOWN.format(answer) for answer in answers)]
        read = iter((yield from likelihoods([turn.asked(hint) for hint in hints for turn in every])))
        without, *known = [[next(read) for _ in every] for _ in hints]
        ratios = [[_ratio(with_, bare) for with_, bare in zip(row, without, strict=True)] for row in known]
        some = self.some(record)
        best = max(range(len(answers)), key=lambda place: math.fsum(ratios[place]))
        return {
            turn.place: _weighed(turn, ratio, bare, some, answers[best])
            for turn, ratio, bare in zip(every, ratios[best], without, strict=True)
        }


class ReplyHindsight(BeliefScorer):
    """The same with the user's next turn in place of the verified answer: log p(step given all before it and that
    reply) − log p(step given all before it), in nats (source: the abstract of Aligning Language Models from User
    Interactions). Below 0 the step is what one would not have said, had one known the reply. A step that no turn of the
    user follows has no number."""

    title = "evidence of the user's reply"
    needs = "a turn of the user behind one of the agent, and a model that tells log-probabilities of given texts"
    range = (None, None)

    def work(self, record: TrajectoryRecord) -> Work[Said]:
        if is_tree(record):
            raise self.lacks("the steps of a tree are no one conversation")
        replies = following(record)
        every = turns(self.ways(record))
        answered = [turn for turn in every if replies[turn.place]]
        hints = [REPLY_KNOWN.format(replies[turn.place]) for turn in answered]
        asks = [*(turn.asked(hint) for turn, hint in zip(answered, hints, strict=True)), *(t.asked() for t in answered)]
        read = yield from likelihoods(asks)
        pairs = zip(answered, read, read[len(answered) :], strict=False)
        found = {turn.place: _weighed(turn, _ratio(with_, bare), bare) for turn, with_, bare in pairs}
        return {turn.place: found.get(turn.place) or self.lacks(NO_REPLY) for turn in every}


def turns(ways: Sequence[Way]) -> list[Turn]:
    return [Turn(way, number) for way in ways for number in range(way.text.first, len(way.text.steps))]


def following(record: TrajectoryRecord) -> dict[int, str]:
    """For each of the agent's steps what the user says next, "" where nothing."""
    users = [(place, inert(step.message)) for place, step in enumerate(record.steps) if step.source == "user"]
    return {place: next((said for at, said in users if at > place), "") for place in agent_steps(record)}


def _ratio(with_: Sequence[Token], bare: Sequence[Token]) -> float:
    return log_ratio(with_, bare) if bare else 0.0


def _likely(turn: Turn, tokens: Sequence[Token]) -> Believed | CannotScore:
    if not tokens:
        return CannotScore(SAYS_NOTHING)
    value = mean(log_probs(tokens))
    return Believed(
        value, [("perplexity", math.exp(-value))], turn.way.flags, {"tokens": len(tokens), **window(turn.way)}
    )


def _weighed(
    turn: Turn, ratio: float, tokens: Sequence[Token], flags: Sequence[str] = (), answer: str | None = None
) -> Believed | CannotScore:
    if not tokens:
        return CannotScore(SAYS_NOTHING)
    more = {"tokens": len(tokens), "by token": ratio / len(tokens), **window(turn.way)}
    return Believed(
        ratio,
        [("log-ratio by token", more["by token"])],
        [*turn.way.flags, *flags],
        more if answer is None else {**more, "answer": answer},
    )
