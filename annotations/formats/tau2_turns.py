"""The turns of a tau2-bench simulation: flat calls, results that may be nested, ticks of a voice call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from annotations.formats.lines import dump
from annotations.formats.turns import call, steps_at, steps_from, words
from annotations.records import Json, StepRecord

SIDES = (("agent", "assistant"), ("user", "user"))


def steps_of(simulation: dict[str, Any]) -> tuple[StepRecord, ...]:
    """Raises Refused."""
    messages, ticks = simulation.get("messages"), simulation.get("ticks")
    if messages is None and isinstance(ticks, list):
        return steps_from(list(_of_ticks(ticks)), "ticks")
    if not isinstance(messages, list):
        return steps_at(messages, "messages")
    return steps_from(
        [(place, one) for place, message in enumerate(messages) for one in _of_message(message)], "messages"
    )


def _of_message(message: Json) -> Iterator[Json]:
    if not isinstance(message, dict):
        yield message
    elif message.get("role") == "tool":
        yield from _results(message)
    elif isinstance(calls := message.get("tool_calls"), list) and calls:
        said = message if message.get("role") == "assistant" else message | {"content": _said(message, calls)}
        yield said | {"tool_calls": [_call(one) for one in calls]}
    else:
        yield message


def _said(message: dict[str, Any], calls: list[Json]) -> str:
    """What the user said, and did: the calls of the simulated user are no steps, but can be read."""
    done = (f"{words(one, 'name')}({dump(one.get('arguments'))})" for one in calls if isinstance(one, dict))
    return "\n".join(part for part in (words(message, "content"), *done) if part)


def _call(one: Json) -> Json:
    if not isinstance(one, dict) or "function" in one:
        return one
    more = {key: value for key, value in one.items() if key not in ("id", "name", "arguments")}
    return call(one.get("name"), one.get("arguments"), one.get("id"), **more)


def _results(message: dict[str, Any]) -> Iterator[dict[str, Json]]:
    """A result of the user's own call is the user's turn: the agent never sees it."""
    nested = message.get("tool_messages")
    every = [one for one in nested if isinstance(one, dict)] if isinstance(nested, list) else [message]
    seen = [one for one in every if one.get("requestor") == "user"]
    for one in every:
        if one.get("requestor") != "user":
            yield one | {"role": "tool", "tool_call_id": one.get("id")}
    if seen:
        content = "\n".join(words(one, "content") for one in seen)
        yield {"role": "user", "content": content, "results": seen}


def _of_ticks(ticks: list[Json]) -> Iterator[tuple[int, Json]]:
    """What one side says in ticks that follow each other is one turn, placed where it begins: three times the number
    of the tick, one more for the user, two more for what the user's own calls gave."""
    begun, said = 0, dict[str, Any]()
    for place, tick in enumerate(ticks):
        for at, one in _of_tick(tick, 3 * place):
            if one["role"] == said.get("role") != "tool" and {*one, *said} == {"role", "content"}:
                said["content"] += one["content"]
                continue
            if said:
                yield begun, said
            begun, said = at, one
    if said:
        yield begun, said


def _of_tick(tick: Json, at: int) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, (side, role) in enumerate(SIDES if isinstance(tick, dict) else ()):
        calls, results = tick.get(f"{side}_tool_calls"), tick.get(f"{side}_tool_results")
        turn: dict[str, Json] = {"role": role, "content": _words(tick.get(f"{side}_chunk"))}
        if isinstance(calls, list) and calls:
            turn["tool_calls"] = calls
        if turn["content"] or "tool_calls" in turn:
            yield from ((at + number, one) for one in _of_message(turn))
        if isinstance(results, list):
            named = [one | {"requestor": role} for one in results if isinstance(one, dict)]
            yield from ((at + 2 * number, one) for one in _results({"tool_messages": named}))


def _words(chunk: Json) -> str:
    """What was said in a chunk; of sound, the words it was made of."""
    sound = isinstance(chunk, dict) and chunk.get("is_audio") is True
    return words(chunk, "audio_script_gold" if sound else "content")
