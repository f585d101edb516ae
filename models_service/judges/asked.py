"""What judges ask and are told.

A method (models_service.judges.methods) is a generator: it yields the questions that may be asked at once, is sent what
came of each, in order, and returns the verdict. It does nothing else, so that whoever drives it decides when and where
questions go, keeps every answer, and after a crash runs it again over the answers that are there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from annotations.judges.settings import Settings
from annotations.records import Json, TrajectoryRecord
from annotations.schemes.judging import Arounds
from annotations.schemes.rules import Place
from annotations.schemes.schema import Scheme

Message = Mapping[str, str]  # role and content
Told = TypeVar("Told")


@dataclass(frozen=True)
class Question:
    """One question. `schema` is the JSON Schema of the answer; None: any text. `number` tells samples of the same
    question apart. `logprobs`: how many of the likeliest tokens to tell of each token; 0: none. `purpose` says what it
    is for (verdict, critique, repair, …) and does not change the answer."""

    messages: tuple[Message, ...]
    schema: Json = None
    temperature: float = 0.0
    top_p: float | None = None
    max_tokens: int = 8_192
    seed: int | None = None
    number: int = 0
    logprobs: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)
    purpose: str = "verdict"

    @property
    def content(self) -> dict[str, Any]:
        """All that makes the answer what it is, as JSON."""
        found = asdict(self) | {"messages": [dict(one) for one in self.messages], "extra": dict(self.extra)}
        del found["purpose"]
        return found

    def key(self, server: str, model: str) -> str:
        """SHA-256, in hex, of the question and whom it goes to."""
        told = {"server": server, "model": model, **self.content}
        return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True)
class Usage:
    """Tokens, as the server counts them; None where it does not say. `cached` are among `prompt`, `reasoning` among
    `completion`."""

    prompt: int | None = None
    completion: int | None = None
    cached: int | None = None
    reasoning: int | None = None


@dataclass(frozen=True)
class TokenChance:
    """A token of an answer: its text, its log-probability, and those of the likeliest tokens there."""

    text: str
    log: float
    top: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What the server said, word for word. `rung` is how the form was asked for when it said it (json_schema,
    json_object, words), `finish` why it ended (stop, length, content_filter, …), `refusal` the model's words where it
    says it will not. `tokens` only where log-probabilities were asked for."""

    text: str
    rung: str = "words"
    finish: str = "stop"
    refusal: str = ""
    usage: Usage = Usage()
    tokens: tuple[TokenChance, ...] = ()
    model: str = ""
    latency_ms: int = 0
    attempts: int = 1


@dataclass(frozen=True)
class Unanswered:
    """No answer, and why, in words. `lasting` says that asking again would bring the same: the server refuses this
    question, or its answer was too long. It may have cost something: `usage` says what is known."""

    reason: str
    lasting: bool = False
    usage: Usage = Usage()
    latency_ms: int = 0
    attempts: int = 1


Said = Answer | Unanswered
Asking = Generator[list[Question], list[Said], Told]


@dataclass(frozen=True)
class Case:
    """What a judge is asked about: one trajectory under a scheme. `arounds` are the places that are asked, in reading
    order. `record` holds reference and outcome only where the judge may see them. `rollouts` are the task's rollouts by
    number, for fields that compare them. `name` is what errors call it."""

    record: TrajectoryRecord
    scheme: Scheme
    arounds: Arounds
    guideline: str = ""
    rollouts: Mapping[int, TrajectoryRecord] = field(default_factory=dict)
    name: str = ""

    @property
    def steps(self) -> list[int]:
        """The places of the steps that are asked about, in order."""
        return sorted({step for step, _ in self.arounds if step is not None})


@dataclass
class Verdict:
    """What the judge says of a case. A verdict that failed has no labels: `failed` says why, in words.

    `chances`: by place, the share or probability of each value, by its JSON. `detail` is what else is worth keeping, as
    JSON: votes, agreement between calls, what was cut from the texts.
    """

    labels: dict[Place, Json] = field(default_factory=dict)
    explanations: dict[Place, str] = field(default_factory=dict)
    chances: dict[Place, dict[str, float]] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)
    failed: str = ""


@dataclass(frozen=True)
class Judging:
    """A judge, as methods need it: its prompt (a template) and its settings."""

    prompt: str
    settings: Settings


def together(several: Sequence[Asking[Told]]) -> Asking[list[Told]]:
    """Several generators as one: each round asks what all of them ask, until the last has ended."""
    ended: dict[int, Told] = {}
    waiting: dict[int, list[Question]] = {}

    def move(place: int, said: list[Said] | None) -> None:
        try:
            waiting[place] = next(several[place]) if said is None else several[place].send(said)
        except StopIteration as over:
            waiting.pop(place, None)
            ended[place] = over.value

    for place in range(len(several)):
        move(place, None)
    while waiting:
        order = list(waiting.items())
        said = yield [question for _, questions in order for question in questions]
        for place, questions in order:
            mine, said = said[: len(questions)], said[len(questions) :]
            move(place, mine)
    return [ended[place] for place in range(len(several))]
