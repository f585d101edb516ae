"""How little a language model expected what the agent's calls brought back."""

from __future__ import annotations

from annotations.records import TrajectoryRecord
from models_service.scorers.base import CannotScore
from models_service.scorers.belief.base import BeliefScorer, Believed, Said, window
from models_service.scorers.belief.formulas import LEAST, log_probs, mean
from models_service.scorers.belief.hindsight import Turn, turns
from models_service.scorers.belief.probing import likelihoods
from models_service.scorers.belief.ways import BLANK
from models_service.scorers.language.asked import Prompt, Token
from models_service.scorers.language.gathering import Forced, Work

NOTHING_SEEN = "the step observed nothing"
OPENED, CLOSED = "<tool_response>\n", "\n</tool_response>"


class Surprise(BeliefScorer):
    """The mean negative log-probability of the tokens that a step's calls brought back, given all before them and the
    calls, in nats a token (source: ECHO for terminal agents; by its abstract). High where a tool answered what nobody
    would have guessed, say an error; it says nothing of whether the step was right. A step that observed nothing has no
    number."""

    title = "surprise at what was observed"
    needs = "observations, and a language model that tells log-probabilities of given texts"
    range = (0.0, -LEAST)

    def work(self, record: TrajectoryRecord) -> Work[Said]:
        every = turns(self.ways(record))
        read = yield from likelihoods([_observed(turn) for turn in every])
        return {turn.place: _surprised(turn, tokens) for turn, tokens in zip(every, read, strict=True)}


def _observed(turn: Turn) -> Forced:
    """What came back, behind the step's own words and the mark with which it begins; empty where nothing did."""
    text = turn.way.text
    step, own, said = text.steps[turn.number], text.own[turn.number], turn.way.between.get(turn.place, "")
    seen = step[step.find(own, len(said)) + len(own) :].lstrip("\n")
    before = turn.way.before_own(turn.number)
    if not seen.startswith(OPENED):
        return Forced(before, "")
    opening = before.opening + (own + BLANK if own else "") + OPENED
    return Forced(Prompt(before.messages, opening), seen.removeprefix(OPENED).removesuffix(CLOSED))


def _surprised(turn: Turn, tokens: tuple[Token, ...]) -> Believed | CannotScore:
    if not tokens:
        return CannotScore(NOTHING_SEEN)
    return Believed(-mean(log_probs(tokens)), (), turn.way.flags, {"tokens": len(tokens), **window(turn.way)})
