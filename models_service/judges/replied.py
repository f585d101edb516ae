"""What a server of chat completions sent back, read as an answer. Whatever it is, it raises nothing but Unreadable."""

from __future__ import annotations

import json
import math
from typing import Any

from models_service.judges.asked import Answer, TokenChance, Usage

WORDS = 300  # characters of what a server said that are repeated
FLOOR = -9999.0
SLACK = 0.01  # by how much a log-probability may be above 0, since servers compute in half precision
NAME = 200  # characters of a model's name that are kept
HIT = ("cached_tokens", "cache_read_input_tokens", "prompt_cache_hit_tokens")


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
        finish=_text(choice.get("finish_reason"))[:NAME],
        refusal=_text(message.get("refusal")),
        usage=usage(found),
        tokens=_tokens(choice.get("logprobs")),
        model=_text(found.get("model"))[:NAME],
    )


def usage(found: Any) -> Usage:
    """The tokens it counts, in the words of OpenAI, vLLM, DeepSeek, xAI, Anthropic and those who follow them. Counts
    that cannot be (more tokens cached than read) are not known."""
    told = found.get("usage") if isinstance(found, dict) else None
    if not isinstance(told, dict):
        return Usage()
    details = [told.get(name) for name in ("prompt_tokens_details", "completion_tokens_details")]
    reads, makes = (one if isinstance(one, dict) else {} for one in details)
    prompt, completion = _count(told.get("prompt_tokens")), _count(told.get("completion_tokens"))
    if prompt is None and _count(told.get("input_tokens")) is not None:  # Anthropic's own, which count the cache apart
        parts = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        prompt, completion = sum(_count(told.get(name)) or 0 for name in parts), _count(told.get("output_tokens"))
    cached = next((one for name in HIT if (one := _count({**told, **reads}.get(name))) is not None), None)
    reasoning = _count(makes.get("reasoning_tokens"))
    if completion is not None and reasoning and _are_apart(told, completion, reasoning):
        completion += reasoning
    return Usage(
        prompt=prompt,
        completion=completion,
        cached=cached if cached is not None and cached <= (prompt or 0) else None,
        reasoning=reasoning if reasoning is not None and reasoning <= (completion or 0) else None,
    )


def _are_apart(told: dict[str, Any], completion: int, reasoning: int) -> bool:
    """Whether what was thought is counted beside the completion, as xAI does, and not in it."""
    whole = _count(told.get("total_tokens"))
    return reasoning > completion or whole == (_count(told.get("prompt_tokens")) or 0) + completion + reasoning


def short(words: str) -> str:
    return " ".join(_kept(words).split())[:WORDS]


def _text(content: Any) -> str:
    """A text, or the texts among the parts of one."""
    if isinstance(content, list):
        parts = [one.get("text") for one in content if isinstance(one, dict) and one.get("type") == "text"]
        return "".join(_kept(one) for one in parts if isinstance(one, str))
    return _kept(content) if isinstance(content, str) else ""


def _kept(text: str) -> str:
    """With halves of characters, and NUL, shown as what cannot be shown: neither can be stored."""
    if "\x00" not in text and text.isascii():
        return text
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _count(found: Any) -> int | None:
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 2**40 else None


def _tokens(told: Any) -> tuple[TokenChance, ...]:
    listed = told.get("content") if isinstance(told, dict) else None
    if not isinstance(listed, list):
        return ()
    try:
        return tuple(TokenChance(_kept(one["token"]), _log(one["logprob"]), _top(one)) for one in listed)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return ()


def _top(one: Any) -> dict[str, float]:
    """Of tokens that read the same, the likeliest."""
    top: dict[str, float] = {}
    for other in one.get("top_logprobs") or ():
        token, log = _kept(other["token"]), _log(other["logprob"])
        top[token] = max(log, top.get(token, FLOOR))
    return top


def _log(found: Any) -> float:
    """A log-probability; ValueError where it cannot be one."""
    value = float(found)
    if math.isnan(value) or value > SLACK:
        raise ValueError(f"{found} is no log-probability")
    return min(0.0, max(FLOOR, value))
