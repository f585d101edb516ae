"""GenPRM: a conversation in which each step is a turn, and the answer to it an analysis and a boxed Yes or No."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from models_service.scorers.base import CannotScore
from models_service.scorers.generative.base import Judged, Reading, Verdict, Verifier, answers_of, kept
from models_service.scorers.generative.verdicts import YES_NO, Reply
from models_service.scorers.generative.views import View
from models_service.scorers.language.asked import Prompt, Sampling
from models_service.scorers.language.gathering import Drawn, Work

STOPS = ("</analyze>", "<verify>", "<output>")  # no code is asked for, and none is waited for


class GenPRM(Verifier):
    """P(Yes) / (P(Yes) + P(No)) at the first token within the box, the mean over the analyses that were drawn (source:
    "GenPRM: Scaling Test-Time Compute of Process Reward Models via Generative Reasoning" and its code).

    The released code lets the model write Python after the analysis and runs it in its own process. Nothing is run
    here: an analysis ends where code would begin, and the verdict is asked for at once. Where that code gives .5 to an
    answer it cannot read, there is no answer here. Our reading: of earlier turns only the boxed verdict is kept, not
    the analysis, so that the conversation grows by the steps alone.
    """

    name = "genprm"
    title = "GenPRM (a dialogue, Yes or No in a box)"
    source = "GenPRM/GenPRM-7B"
    wrong_at = 0.5
    parts = ("system", "first", "next", "answer", "opening", "conclusion")
    sampling: ClassVar[Sampling] = Sampling(count=4, temperature=0.6, top_p=0.95, top_k=20, most=1024, top=20)

    def judged(self, views: Sequence[View]) -> Work[list[Judged]]:
        found: list[Judged] = []
        held: dict[int, str] = {}
        for view in views:
            judged = yield from self._judged(view, held)
            found.append(judged)
            if isinstance(judged, Verdict):
                held[view.place] = "Yes" if judged.value >= 0.5 else "No"
        return found

    def _judged(self, view: View, held: Mapping[int, str]) -> Work[Judged]:
        prompt = self.dialogue(view, held)
        [drafts] = yield from answers_of([Drawn(prompt, replace(self.asked, stop=STOPS, top=0))])
        if isinstance(drafts, CannotScore):
            return drafts
        last = Sampling(most=4, top=self.asked.top, seed=self.asked.seed)
        said = yield from answers_of([Drawn(self.concluded(prompt, draft.text), last) for draft in drafts])
        refused = next((one for one in said if isinstance(one, CannotScore)), None)
        answers = [one[0] for one in said if not isinstance(one, CannotScore)]
        judged = self.pooled(refused or answers, self.reader(view))
        return replace(judged, said=kept(drafts)) if isinstance(judged, Verdict) else judged

    def dialogue(self, view: View, held: Mapping[int, str]) -> Prompt:
        """The turns so far, `held` being the verdicts on earlier steps. A step that got none shares the next one's
        turn."""
        turns = [{"role": "system", "content": self.wording.fill("system")}]
        asked: list[str] = []
        for place, text in [*view.earlier, (view.place, view.text)]:
            part = "next" if len(turns) > 1 or asked else "first"
            asked.append(self.wording.fill(part, task=view.task, step=text))
            if place in held:
                turns.append({"role": "user", "content": "\n\n".join(asked)})
                turns.append({"role": "assistant", "content": self.wording.fill("answer", verdict=held[place])})
                asked = []
        turns.append({"role": "user", "content": "\n\n".join(asked)})
        return Prompt(tuple(turns), self.wording.fill("opening", number=str(view.number)))

    def concluded(self, prompt: Prompt, analysis: str) -> Prompt:
        """The same turn up to the box that the verdict is to stand in."""
        for stop in STOPS:
            analysis = analysis.split(stop, 1)[0]
        return replace(prompt, opening=prompt.opening + analysis.rstrip() + self.wording.fill("conclusion"))

    def reader(self, view: View) -> Callable[[Reply], Reading | None]:
        return first_word


def first_word(reply: Reply) -> Reading | None:
    """P(yes) where the answer begins."""
    at = len(reply.text) - len(reply.text.lstrip())
    shares = reply.shares(at, YES_NO)
    return None if shares is None else Reading(shares["yes"])
