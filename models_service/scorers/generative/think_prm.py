"""ThinkPRM: one chain of thought that criticises a solution step by step."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from models_service.scorers.base import CannotScore
from models_service.scorers.checkpoints import UnfitModel
from models_service.scorers.generative.base import Judged, Reading, Verdict, Verifier, answers_of, kept
from models_service.scorers.generative.verdicts import Groups, Reply
from models_service.scorers.generative.views import View
from models_service.scorers.language.asked import Completion, Prompt, Sampling, Token
from models_service.scorers.language.gathering import Drawn, Forced, Told, Work

CORRECT: Groups = {"correct": ("correct",), "incorrect": ("incorrect",)}
HEADING = re.compile(r"^[ \t*#>-]{0,12}step (\d{1,6})\b", re.I | re.M)
FORMS = ("step", "prefix")
CHOICES = ("yes", "no")


class ThinkPRM(Verifier):
    """exp(l+/τ) / (exp(l+/τ) + exp(l−/τ)) from the log-probabilities of "correct" and "incorrect" at the box behind the
    judged step, which is the last one shown; the mean over chains, those without a verdict on it left out (source:
    "Process Reward Models That Think" and its code). The released code counts a chain without a verdict as −1 in that
    mean; here it is no number.

    `form` "prefix": behind each chain the model is asked whether the solution is right so far, and "yes" and "no" are
    compared by their log-probabilities a token. That is a score of the whole beginning, not of its last step.
    """

    name = "thinkprm"
    title = "ThinkPRM (a chain of criticism)"
    source = "launch/ThinkPRM-14B"
    wrong_at = 0.5
    parts = ("system", "user", "opening", "question")
    sampling: ClassVar[Sampling] = Sampling(count=4, temperature=0.6, top_p=0.95, most=2048, top=20)

    def __init__(self, asked: Sampling, wording: str = "", temperature: float = 1.0, form: str = "step") -> None:
        super().__init__(asked, wording, temperature)
        if form not in FORMS:
            raise UnfitModel(f"form: found {form!r}; accepted are {', '.join(FORMS)}")
        self.form = form

    @property
    def options(self) -> dict[str, Any]:
        return {"form": self.form}

    def prompt(self, view: View) -> Prompt:
        steps = [*view.numbered, (view.number, view.text)]
        solution = "\n\n".join(f"Step {number}: {text}" for number, text in steps)
        return self.chat({**self.blanks(view), "solution": solution}, opening="opening")

    def judged(self, views: Sequence[View]) -> Work[list[Judged]]:
        if self.form == "step":
            return (yield from super().judged(views))
        prompts = [self.prompt(view) for view in views]
        told = yield from answers_of([Drawn(prompt, replace(self.asked, top=0)) for prompt in prompts])
        chains = [() if isinstance(one, CannotScore) else one for one in told]
        asks = [
            Forced(self.questioned(prompt, chain.text), choice)
            for prompt, drawn in zip(prompts, chains, strict=True)
            for chain in drawn
            for choice in CHOICES
        ]
        tokens = iter((yield asks))
        pairs = [[(next(tokens), next(tokens)) for _ in drawn] for drawn in chains]
        return [
            one if isinstance(one, CannotScore) else self._whole(one, found)
            for one, found in zip(told, pairs, strict=True)
        ]

    def questioned(self, prompt: Prompt, chain: str) -> Prompt:
        return replace(prompt, opening=f"{prompt.opening}{chain.rstrip()}\n\n{self.wording.fill('question')}")

    def _whole(self, chains: Sequence[Completion], pairs: Sequence[tuple[Told, Told]]) -> Judged:
        refused = next((one for pair in pairs for one in pair if isinstance(one, CannotScore)), None)
        if refused:
            return refused
        try:
            values = [against(tokens_of(yes), tokens_of(no), self.temperature) for yes, no in pairs]
        except CannotScore as why:
            return why
        value = sum(values) / len(values)
        return Verdict(value, {}, self._flags(value, 0, len(values)), kept(chains))

    def reader(self, view: View) -> Callable[[Reply], Reading | None]:
        return lambda reply: _last_step(reply, view.number)


def tokens_of(told: Told) -> list[Token]:
    """The tokens of a text that was forced."""
    return [one for one in told if isinstance(one, Token)] if isinstance(told, tuple) else []


def against(yes: Sequence[Token], no: Sequence[Token], temperature: float = 1.0) -> float:
    """The chance of one text against another by the mean log-probability of their tokens."""
    if not yes or not no:
        raise CannotScore("the model tells no tokens of its choices")
    apart = sum(one.log_prob for one in yes) / len(yes) - sum(one.log_prob for one in no) / len(no)
    return 1 / (1 + math.exp(min(700.0, -apart / temperature)))


def _last_step(reply: Reply, number: int) -> Reading | None:
    """The verdict on the step with this number: the last box behind its last heading and before another step's; where
    no step is named, the box of that number."""
    boxes = reply.boxed(CORRECT, thoughts=True)
    at = _headed(reply.text, boxes, number)
    shares = reply.shares(at, CORRECT) if at is not None else None
    return None if shares is None else Reading(shares["correct"])


def _headed(text: str, boxes: Sequence[int], number: int) -> int | None:
    headings = [(one.start(), int(one[1])) for one in HEADING.finditer(text)]
    if not headings:
        return boxes[number - 1] if len(boxes) == number else None
    named = [(next((n for start, n in reversed(headings) if start < box), None), box) for box in boxes]
    return next((box for n, box in reversed(named) if n == number), None)
