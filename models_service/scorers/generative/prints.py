"""Information gain and a running summary, by prompt alone: long trajectories are judged from what is remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from models_service.scorers.base import CannotScore
from models_service.scorers.fitting import ends
from models_service.scorers.generative.base import Judged, Reading, Verifier, answers_of
from models_service.scorers.generative.verdicts import THOUGHT, YES_NO, Reply
from models_service.scorers.generative.views import View
from models_service.scorers.language.gathering import Drawn, Work

NOTHING = "(nothing yet)"
SUMMARY = 3000  # characters of a summary that are handed on


class PRInTS(Verifier):
    """P(Yes) that the step brought information the answer needs and the summary does not hold; then the model writes
    the summary anew, with the step, and of all that came before the next step only that is read. What is asked follows
    "PRInTS: Reward Modeling for Long-Horizon Information Seeking", whose model is trained to foretell information gain
    and to summarise. No checkpoint is known to us; that any language model can be asked, in these words, is our
    reading. Two questions a step, one after another."""

    name = "prints"
    title = "Information gain beside a summary, asked of any model"
    source = ""
    parts = ("system", "user", "summariser", "summarise")

    def judged(self, views: Sequence[View]) -> Work[list[Judged]]:
        found: list[Judged] = []
        held: dict[int | None, str] = {None: NOTHING}
        needed = {view.before for view in views}
        for view in views:
            if view.before not in held:
                found.append(CannotScore("the steps before it could not be summarised"))
                continue
            blanks = {**self.blanks(view), "task": view.first_task, "summary": held[view.before]}
            [answers] = yield from answers_of([Drawn(self.chat(blanks), self.asked)])
            found.append(self.pooled(answers, self.reader(view)))
            if view.place in needed:
                said = yield from self._summary(blanks)
                held |= {view.place: said or held[view.before]} if said is not None else {}
        return found

    def _summary(self, blanks: dict[str, str]) -> Work[str | None]:
        """The summary written anew; "" where the answer says nothing, None where there is none."""
        prompt = self.chat(blanks, "summarise", system="summariser")
        told = replace(self.asked, count=1, temperature=0.0, top_p=1.0, top_k=None, top=0)
        [answers] = yield from answers_of([Drawn(prompt, told)])
        if isinstance(answers, CannotScore):
            return None
        return ends(answers[0].text.rpartition(THOUGHT)[2].strip(), SUMMARY)

    def reader(self, view: View) -> Callable[[Reply], Reading | None]:
        return _gain


def _gain(reply: Reply) -> Reading | None:
    at = reply.line("gain", YES_NO)
    shares = None if at is None else reply.shares(at, YES_NO)
    return None if shares is None else Reading(shares["yes"])
