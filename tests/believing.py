"""Language models that say what a test tells them, for scorers that ask how likely something is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from annotations.records import Json, StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers.base import CannotScore
from models_service.scorers.language.asked import Completion, NotServed, Prompt, Sampling, Token

Given = Callable[[str, str], Sequence[float]]  # what stands before, the text → its log-probabilities
Written = Callable[[str, Sampling], Sequence[Completion]]


class Told:
    """A LanguageModel by two functions; what it has none for it does not serve. `asked` are the calls it was given."""

    def __init__(self, given: Given | None = None, written: Written | None = None) -> None:
        self.given, self.written = given, written
        self.asked: list[list[Any]] = []

    provenance = {"model": "told"}

    @property
    def usage(self) -> dict[str, float]:
        return {"calls": float(sum(map(len, self.asked)))}

    def forced(self, pairs: Sequence[tuple[Prompt, str]]) -> list[tuple[Token, ...] | CannotScore]:
        if self.given is None:
            raise NotServed("this server tells no log-probabilities of given texts")
        self.asked.append(list(pairs))
        return [tuple(Token(text, one) for one in self.given(before(prompt), text)) for prompt, text in pairs]

    def complete(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[tuple[Completion, ...] | CannotScore]:
        if self.written is None:
            raise NotServed("this server writes nothing")
        self.asked.append(list(prompts))
        return [tuple(self.written(before(prompt), sampling)) for prompt in prompts]


def before(prompt: Prompt) -> str:
    """All that the model reads, as one text."""
    return "".join(f"{one['role']}: {one['content']}\n" for one in prompt.messages) + prompt.opening


def trace(*said: str, reference: Json = "4", task: str = "sum", number: int = 0) -> TrajectoryRecord:
    asked = StepRecord("user", 0, message="What is 2 + 2?")
    steps = [StepRecord("agent", at, message=one) for at, one in enumerate(said, start=1)]
    question = TaskRecord(task, instruction="What is 2 + 2?", reference=reference)
    return TrajectoryRecord(question, (asked, *steps), external_id=f"{task}:{number}", rollout=number)


def rising(**steps: float) -> Given:
    """The log-probability of each token of an answer: that of the last of these words that was said, −9 before any."""

    def given(read: str, text: str) -> Sequence[float]:
        said = [(read.rfind(word), value) for word, value in steps.items() if word in read]
        return [max(said, default=(0, -9.0))[1]] * max(1, len(text.split()))

    return given
