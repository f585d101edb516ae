"""What a server of chat completions sent back, read as an answer. Whatever it is, it raises nothing but Unreadable."""

from __future__ import annotations

import json
import math
from typing import Any

from models_service.judges.asked import Answer, TokenChance, Usage

WORDS = 300  # characters of what a server said that are repeated
FLOOR = -9999.0


class Unreadable(ValueError):
    """It is no chat completion. The message says what it is."""


def answer(body: bytes, *, rung: str) -> Answer:
    """The first choice of a chat completion."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable(f"the answer is no JSON: {short(body.decode('utf-8', 'replace'))!r}") from None
    choices = found.get("choices") if isinstance(found, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise Unreadable(f"the answer holds no message: {short(json.dumps(found))!r}")
    return Answer(
        text=_text(message.get("content")),
        rung=rung,
        finish=str(choice.get("finish_reason") or ""),
        refusal=_text(message.get("refusal")),
        usage=usage(found),
        tokens=_tokens(choice.get("logprobs")),
        model=str(found.get("model") or ""),
    )


def usage(found: Any) -> Usage:
    """The tokens it counts, in the words of OpenAI, vLLM and those who follow them."""
    told = found.get("usage") if isinstance(found, dict) else None
    if not isinstance(told, dict):
        return Usage()
    prompt, completion = told.get("prompt_tokens_details"), told.get("completion_tokens_details")
    return Usage(
        prompt=_count(told.get("prompt_tokens")),
        completion=_count(told.get("completion_tokens")),
        cached=_count(prompt.get("cached_tokens")) if isinstance(prompt, dict) else None,
        reasoning=_count(completion.get("reasoning_tokens")) if isinstance(completion, dict) else None,
    )


def short(words: str) -> str:
    return " ".join(words.split())[:WORDS]


def _text(content: Any) -> str:
    """A text, or the texts among the parts of one."""
    if isinstance(content, list):
        parts = [one.get("text") for one in content if isinstance(one, dict) and one.get("type") == "text"]
        return "".join(one for one in parts if isinstance(one, str))
    return content if isinstance(content, str) else ""


def _count(found: Any) -> int | None:
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 2**40 else None


def _tokens(told: Any) -> tuple[TokenChance, ...]:
    listed = told.get("content") if isinstance(told, dict) else None
    if not isinstance(listed, list):
        return ()
    try:
        return tuple(TokenChance(str(one["token"]), _log(one["logprob"]), _top(one)) for one in listed)
    except (KeyError, TypeError):
        return ()


def _top(one: Any) -> dict[str, float]:
    """Of tokens that read the same, the likeliest."""
    top: dict[str, float] = {}
    for other in one.get("top_logprobs") or ():
        top.setdefault(str(other["token"]), _log(other["logprob"]))
    return top


def _log(found: Any) -> float:
    value = float(found)
    return FLOOR if math.isnan(value) else max(FLOOR, value)
