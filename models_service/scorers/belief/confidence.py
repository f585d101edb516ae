"""How sure the language model is of the words of the answer that a trajectory ends with."""

from __future__ import annotations

from typing import NamedTuple

from annotations.records import TrajectoryRecord
from models_service.scorers.base import agent_steps
from models_service.scorers.belief.base import Asking, BeliefScorer, Believed, Said, window
from models_service.scorers.belief.formulas import NORMALISATIONS, log_probs
from models_service.scorers.belief.ways import Way
from models_service.scorers.language.asked import Prompt
from models_service.scorers.language.gathering import Forced, Work, log_probs_of

WHERE_SAID, ASKED_FOR = "where it was said", "asked for after the step"


class Place(NamedTuple):
    """Where the answer's words are asked about. `said`: where they stand in the last step."""

    way: Way
    number: int
    ask: Forced
    said: bool


class AnswerConfidence(BeliefScorer):
    """The mean probability of the answer's tokens, and of no others. At the last step they are read where they stand in
    it: that is the confidence reward (source: the abstract of CRew). After an earlier step the same answer is asked for
    as belief in a right one is, which is our reading of it by step. No reference is read: it is sure, not right."""

    title = "confidence in the answer"
    needs = "an answer at the end, and a language model that tells log-probabilities of given texts"

    def work(self, record: TrajectoryRecord) -> Work[Said]:
        answer = self.own_answer(record)
        last = agent_steps(record)[-1]
        places = [
            asked_at(way, number, answer, self.asking, last=way.text.places[number] == last)
            for way in self.ways(record)
            for number in range(way.text.first, len(way.text.steps))
        ]
        read = yield from log_probs_of([place.ask for place in places])
        found = dict[int, Believed]()
        for (way, number, _, said), tokens in zip(places, read, strict=True):
            value = NORMALISATIONS["mean"](log_probs(tokens))
            more = {"answer": answer, "read": WHERE_SAID if said else ASKED_FOR, **window(way)}
            found[way.text.places[number]] = Believed(value, [("tokens of the answer", len(tokens))], way.flags, more)
        return found


def asked_at(way: Way, number: int, answer: str, asking: Asking, *, last: bool) -> Place:
    """The answer behind the step's end; in the last step where it was said, if it stands there word for word."""
    own = way.text.own[number]
    at = own.rfind(answer) if last else -1
    if at < 0:
        return Place(way, number, Forced(way.upto(number + 1, asking.closing), asking.lead + answer), False)
    lead = own[:at][len(own[:at].rstrip(" ")) :]  # a space belongs to the token behind it
    prompt = way.before_own(number)
    opened = prompt.opening + own[: at - len(lead)]
    return Place(way, number, Forced(Prompt(prompt.messages, opened), lead + answer), True)
