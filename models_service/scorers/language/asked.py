"""What scorers ask of a language model, whoever serves it: texts drawn from it, and how likely given texts are."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from models_service.scorers.base import CannotScore

SPELT = re.compile(r"<(?=\|[^|<>\s]{1,40}\|>|/?s>|(?:bos|eos|pad|unk|start_of_turn|end_of_turn)>)|\[(?=/?INST\])")
Message = Mapping[str, str]  # {"role", "content"}, as in OpenAI chat


@dataclass(frozen=True)
class Prompt:
    """What the model reads. `messages` are put in its own chat template, and the assistant's turn begins with
    `opening`; without messages `opening` is the whole text, as it is."""

    messages: tuple[Message, ...] = ()
    opening: str = ""


@dataclass(frozen=True)
class Sampling:
    """How texts are drawn. `temperature` 0 takes the likeliest token; `top` asks for the log-probabilities of so many
    likeliest tokens at each place, 0 for none. `most` bounds the tokens of one text."""

    count: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int | None = None
    most: int = 512
    stop: tuple[str, ...] = ()
    top: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Token:
    """One token that was drawn or forced: its text, its natural log-probability, and those of the likeliest ones at its
    place, by text."""

    text: str
    log_prob: float
    top: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Completion:
    """A text that was drawn, without the prompt's opening. `tokens` only where `Sampling.top` asked for them. `ended`
    is False where it was cut at `most` tokens."""

    text: str
    tokens: tuple[Token, ...] = ()
    ended: bool = True


class LanguageModel(Protocol):
    """Every call takes many prompts at once and answers each in order, CannotScore where this one cannot be: say it is
    too long. What concerns all of them, such as a server that is away, is raised."""

    @property
    def provenance(self) -> dict[str, Any]:
        """Model, fingerprint where it is known, device or server, versions."""
        ...

    @property
    def usage(self) -> dict[str, float]:
        """What was asked of it since it was made: calls, prompt_tokens, completion_tokens."""
        ...

    def complete(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[tuple[Completion, ...] | CannotScore]:
        """For each prompt `sampling.count` texts."""
        ...

    def forced(self, pairs: Sequence[tuple[Prompt, str]]) -> list[tuple[Token, ...] | CannotScore]:
        """For each pair the tokens of the second text as the model finds them after the first (teacher forcing).
        NotServed where the server tells no log-probabilities of given texts."""
        ...


class NotServed(Exception):
    """The server cannot be asked this at all. The message says what, and what it would need."""


def inert(text: str) -> str:
    """The text with control tokens of the usual spellings broken by a space, for openings and forced texts that hold
    what a trajectory says: servers read them as what they spell. Half characters, which no tokenizer reads, become
    question marks."""
    return SPELT.sub(r"\g<0> ", text).encode(errors="replace").decode()


def chance(
    weights: Mapping[str, float], yes: Sequence[str], no: Sequence[str], temperature: float = 1.0
) -> float | None:
    """P(yes) against no from log-probabilities by text: spellings are pooled, white space around them is not counted.
    None where neither occurs."""
    sums = [0.0, 0.0]
    for text, log_prob in weights.items():
        for place, spellings in enumerate((yes, no)):
            if text.strip() in spellings:
                sums[place] += math.exp(log_prob / temperature)
    return sums[0] / sum(sums) if sum(sums) else None
