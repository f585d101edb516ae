"""Web-Shepherd: a checklist for the task, and for each step how much of it is done."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import ClassVar

from models_service.scorers.base import CannotScore
from models_service.scorers.generative.base import Judged, Reading, Verifier, answers_of
from models_service.scorers.generative.verdicts import THOUGHT, Groups, Reply
from models_service.scorers.generative.views import View
from models_service.scorers.language.asked import Sampling
from models_service.scorers.language.gathering import Drawn, Work, texts_of

DONE: Groups = {
    "yes": ("yes", "done", "completed", "complete", "satisfied", "achieved"),
    "in progress": ("in progress", "in-progress", "in_progress", "inprogress", "progress", "partially", "partial"),
    "no": ("no", "not", "none", "failed"),
}
WORTH = {"yes": 1.0, "in progress": 0.5, "no": 0.0}
ITEM = re.compile(r"^[ \t]{0,8}(?:\d{1,2}[.):]|[-*•])[ \t]{1,8}(\S.*)$", re.M)
MOST, LONGEST = 12, 300  # items, and characters of one


class WebShepherd(Verifier):
    """The mean over the checklist's items of P(yes) + 0.5 · P(in progress), from the log-probabilities at each item's
    verdict, spellings pooled (source: "Web-Shepherd: Advancing PRMs for Reinforcing Web Agents" and its code). The
    checklist is made once for each task, from the task alone, and kept as long as the worker lives. An answer in which
    an item has no verdict is left out."""

    name = "web-shepherd"
    title = "Web-Shepherd (a checklist for each task)"
    source = "Web-Shepherd 3B and 8B"
    parts = ("system", "user", "lister", "list")
    probability = False
    sampling: ClassVar[Sampling] = Sampling(most=1024, top=20)

    def __init__(self, asked: Sampling, wording: str = "", temperature: float = 1.0) -> None:
        super().__init__(asked, wording, temperature)
        self.lists: dict[str, tuple[str, ...]] = {}

    def judged(self, views: Sequence[View]) -> Work[list[Judged]]:
        items = yield from self.checklist(views[0])
        listed = "\n".join(f"{number}. {item}" for number, item in enumerate(items, start=1))
        prompts = [self.chat({**self.blanks(view), "checklist": listed}) for view in views]
        found = yield from answers_of([Drawn(prompt, self.asked) for prompt in prompts])
        read = _reader(len(items))
        return [self.pooled(answers, read) for answers in found]

    def checklist(self, view: View) -> Work[tuple[str, ...]]:
        """The items for this task. CannotScore where the answer lists none."""
        key = f"{view.first_task}\n{view.tools}"
        if key not in self.lists:
            prompt = self.chat({"task": view.first_task, "tools": view.tools or "(not told)"}, "list", system="lister")
            [[said]] = yield from texts_of([Drawn(prompt, Sampling(most=self.asked.most, seed=self.asked.seed))])
            self.lists[key] = items_of(said.text)
        if not self.lists[key]:
            raise CannotScore("no checklist could be read from the model's answer")
        return self.lists[key]


def items_of(text: str) -> tuple[str, ...]:
    """The items of a list that a model wrote: lines that begin with a number or a bullet."""
    found = (one[1].strip()[:LONGEST] for one in ITEM.finditer(text.rpartition(THOUGHT)[2]))
    return tuple(dict.fromkeys(found))[:MOST]


def _reader(count: int) -> Callable[[Reply], Reading | None]:
    """Reads an answer to a checklist of so many items."""

    def read(reply: Reply) -> Reading | None:
        values: dict[str, float] = {}
        for number in range(1, count + 1):
            at = reply.line(str(number), DONE)
            shares = None if at is None else reply.shares(at, DONE)
            if shares is None:
                return None
            values[f"item {number}"] = sum(share * WORTH[name] for name, share in shares.items())
        return Reading(sum(values.values()) / count, values)

    return read
