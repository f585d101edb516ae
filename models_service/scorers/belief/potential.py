"""How right and how sure a model is of an answer after each step, as one number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from annotations.records import TrajectoryRecord
from models_service.scorers.base import CannotScore
from models_service.scorers.belief.base import BeliefScorer, Believed, Said, is_right, is_tree, marked, window
from models_service.scorers.belief.formulas import NORMALISATIONS, entropy, log_probs, mean, potential
from models_service.scorers.belief.probing import BOXED, counts
from models_service.scorers.belief.ways import Way
from models_service.scorers.language.asked import Completion, LanguageModel, NotServed, Prompt, Sampling, Token
from models_service.scorers.language.gathering import Drawn, Forced, Work, log_probs_of, texts_of

TOP = 20  # likeliest tokens that are asked for at each place
UNSEEN = -10.0  # the log-probability of a token of the right answer that the model does not consider
SOLVED = 0.9
SOLVING, CHECKING, LOST = "solved here", "checks what is solved", "had it right and lost it"
READ_OFF = "right answer read off drawn tokens"


class State(NamedTuple):
    """After so many steps."""

    accuracy: float
    confidence: float
    answer: str
    read_off: bool = False

    @property
    def potential(self) -> float:
        return potential(self.accuracy, self.confidence)


class StepPotential(BeliefScorer):
    """Φ_t − Φ_(t−1), where Φ = 1.5·Acc·Conf + 0.5·Acc − Conf after a step is asked for by "**Final Answer** \\boxed{"
    (source: the code of step potential advantage estimation, SPAE). Acc is exp of the mean log-probability of the right
    answer's tokens, none below −10; Conf exp of minus the mean entropy, in nats, of the 20 likeliest tokens at the
    places of an answer that is drawn, mean of 5 draws of at most 10 tokens at temperature .6. The released code divides
    Acc and Conf themselves by the number of tokens, so that an answer of several never passes .9: means are taken
    inside the exponent instead. Where the model tells no log-probabilities of given texts, Acc is read off the drawn
    tokens, as that code does. In a right rollout the first step above .9 is `solved here`, what follows checks; in a
    wrong one it had it right and lost it."""

    title = "step potential"
    needs = "the answer in the task's reference, and a language model that tells the likeliest tokens"
    range = (-2.0, 2.0)
    reads_reference = True

    def __init__(
        self,
        language: Mapping[str, Any] | LanguageModel,
        *,
        continuations: int = 5,
        length: int = 10,
        temperature: float = 0.6,
        **options: Any,
    ) -> None:
        super().__init__(language, **(BOXED._asdict() | options))
        if min(continuations, length) < 1 or temperature <= 0:
            raise ValueError("continuations and length are 1 or more, temperature above 0")
        self.continuations, self.length, self.temperature = continuations, length, temperature

    def work(self, record: TrajectoryRecord) -> Work[Said]:
        answers, ways = self.accepted(record), self.ways(record)
        prompts = [[way.upto(count, self.asking.closing) for count in counts(way)] for way in ways]
        each = iter((yield from self._states([one for row in prompts for one in row], answers)))
        found, some = dict[int, Believed](), self.some(record)
        for way, row in zip(ways, prompts, strict=True):
            states = [next(each) for _ in row]
            for place, before, after in zip(way.places, states, states[1:], strict=False):
                found[place] = self._step(way, before, after, some)
        return found if is_tree(record) else _told_apart(found, right=is_right(record, answers))

    def _states(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Work[list[State]]:
        sampling = Sampling(self.continuations, self.temperature, most=self.length, top=TOP, seed=self.asking.seed)
        drawn = yield from texts_of([Drawn(one, sampling) for one in prompts])
        asked = [self.asking.lead + answer for answer in answers]
        sure = [confidence(texts, self.asking.stops) for texts in drawn]
        read = False
        try:
            rows = yield from log_probs_of([Forced(one, text) for one in prompts for text in asked])
            right = [accuracy(row) for row in rows]
        except NotServed:
            read, right = True, [read_off(texts, text) for texts in drawn for text in asked]
        each = [right[at : at + len(answers)] for at in range(0, len(right), len(answers))]
        return [_state(one, other, answers, read=read) for one, other in zip(each, sure, strict=True)]

    def _step(self, way: Way, before: State, after: State, flags: Sequence[str]) -> Believed:
        return Believed(
            after.potential - before.potential,
            [("potential before", before.potential), ("accuracy", after.accuracy), ("confidence", after.confidence)],
            [*marked(way), *([READ_OFF] if after.read_off else []), *flags],
            {"potential": after.potential, **after._asdict(), **window(way)},
        )


def accuracy(tokens: Sequence[Token]) -> float:
    """exp of the mean log-probability of the right answer's tokens."""
    return NORMALISATIONS["mean-log"](log_probs(tokens, UNSEEN))


def confidence(texts: Sequence[Completion], stops: Sequence[str] = BOXED.stops) -> float:
    """exp of minus the mean entropy over an answer's places, mean over the draws."""
    every = [[entropy(token.top) for token in _answering(text, stops)] for text in texts]
    told = [one for one in every if one]
    if not told:
        raise CannotScore("the language model drew no token where it was asked for an answer")
    return mean([NORMALISATIONS["mean-log"]([-one for one in row]) for row in told])


def read_off(texts: Sequence[Completion], answer: str) -> float:
    """The same as `accuracy` from drawn tokens: place by place the log-probability of the token with which the answer
    goes on, the drawn one if it does, else the longest of the likeliest; −10 where there is none, or the draw has gone
    another way."""
    return mean([NORMALISATIONS["mean-log"](_followed(text.tokens, answer)) for text in texts])


def _followed(tokens: Sequence[Token], rest: str) -> list[float]:
    found = []
    for token in tokens:
        told = {**token.top, token.text: token.log_prob}
        going_on = [text for text in told if text and rest.startswith(text)]
        if not rest or not going_on:
            break
        text = token.text if token.text in going_on else max(going_on, key=len)
        found.append(min(0.0, max(UNSEEN, told[text])))
        rest = rest[len(text) :]
        if token.text != text:
            break
    return [*found, UNSEEN] if rest else found


def _answering(text: Completion, stops: Sequence[str]) -> Sequence[Token]:
    """The tokens of the answer, up to the one with which it ends; that one where it is the first."""
    closing = next(
        (at for at, token in enumerate(text.tokens) if any(one in token.text for one in stops)), len(text.tokens)
    )
    return text.tokens[: max(1, closing)]


def _state(right: Sequence[float], sure: float, answers: Sequence[str], *, read: bool) -> State:
    best = max(range(len(answers)), key=right.__getitem__)
    return State(right[best], sure, answers[best], read)


def _told_apart(found: dict[int, Believed], *, right: bool) -> dict[int, Believed]:
    """The steps with what passing .9 says of them."""
    solved = next((place for place in sorted(found) if found[place].more["potential"] > SOLVED), None)
    if solved is None:
        return found
    flags = {solved: SOLVING if right else LOST}
    flags |= {place: CHECKING for place in found if right and place > solved}
    return {
        place: one._replace(flags=[*one.flags, *([flags[place]] if place in flags else [])])
        for place, one in found.items()
    }
