"""How the form of an answer is asked for, and what a server was found not to take."""

from __future__ import annotations

from typing import Any

from annotations.judges.servers import Options
from models_service.judges.asked import Question

LADDER = ("json_schema", "json_object", "words")
# A word in a refusal → what is sent from then on: parameters that some servers, or some of their models, do not know.
RENAMED = {"max_completion_tokens": "max_tokens"}
LEFT_OUT = ("seed", "top_logprobs")
TAKEN_BACK = ("temperature", "top_p")  # what a judge is set to: only who made it may leave it out


class Forms:
    """Begins with what the options say, and remembers what the server has taken and refused."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.first = options.form
        self.renamed: dict[str, str] = {}
        self.left_out: set[str] = set()
        self.has_answered = False
        self._proven: set[str] = set()

    def of(self, question: Question) -> tuple[str, ...]:
        """The forms to try, in order."""
        if question.schema is None:
            return ("words",)
        return LADDER[LADDER.index(self.first) :]

    @property
    def learnt(self) -> int:
        """How much was learnt: a refusal of what was sent before that is no news."""
        return len(self.renamed) + len(self.left_out)

    def took(self, question: Question, form: str) -> None:
        """The server has taken that form: no earlier one is tried again, unless it took that of other questions."""
        self.has_answered = True
        if question.schema is None:
            return
        self._proven.add(form)
        if self.first not in self._proven:
            self.first = form  # type: ignore[assignment]

    def learns(self, refusal: str) -> bool:
        """Whether the refusal names a parameter that can be sent otherwise, and was not yet."""
        for new, old in RENAMED.items():
            if new in refusal and old not in self.renamed and not self.has_answered:
                self.renamed[old] = new
                return True
        for name in LEFT_OUT:
            if name not in self.left_out and _does_not_know(refusal, name):
                self.left_out.add(name)
                return True
        return False

    def advice(self, refusal: str) -> str:
        """What would help all questions, where the refusal is of how the judge is set. A server that has answered takes
        the setting: its refusal only repeats words of the question."""
        for name in TAKEN_BACK:
            if not self.has_answered and _does_not_know(refusal, name):
                return f'a judge whose extra says {{"{name}": null}} is asked without it'
        return ""

    def body(self, question: Question, model: str, form: str) -> dict[str, Any]:
        """What is sent. What `extra` sets to null is left out."""
        body: dict[str, Any] = {
            "messages": [dict(one) for one in question.messages],
            "temperature": question.temperature,
            "max_tokens": question.max_tokens,
        }
        body |= {} if question.top_p is None else {"top_p": question.top_p}
        body |= {} if question.seed is None else {"seed": question.seed + question.number}
        body |= {"logprobs": True, "top_logprobs": question.logprobs} if question.logprobs else {}
        if form == "json_object":
            body["response_format"] = {"type": "json_object"}
        elif form == "json_schema":
            told = {"name": "answer", "strict": self.options.strict, "schema": question.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": told}
        refused = {*self.left_out, *(name for name, value in question.extra.items() if value is None)}
        kept = {self.renamed.get(name, name): value for name, value in body.items() if name not in refused}
        extra = {name: value for name, value in question.extra.items() if value is not None}
        return {"model": model, **kept, **extra}


def _does_not_know(refusal: str, name: str) -> bool:
    words = ("nsupported", "not support", "nknown", "nrecognized", "not permitted", "xtra inputs")
    return name in refusal and any(word in refusal for word in words)
