"""What tools did, brought to the calls that asked for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from annotations.formats.loose import listed
from annotations.formats.turns import member, words
from annotations.records import Json

Message = dict[str, Json]


class Tool(Protocol):
    """A tool's span: what it was called with (as OpenAI chat writes a call), and what came back."""

    id: str
    call: dict[str, Json]
    result: str | None


def answered(chain: Sequence[Message], tools: Sequence[Tool]) -> list[Message]:
    """The conversation with an answer to every call that a tool's span knows one of, and each answer with its span."""
    left = [one for one in tools if one.call]
    told: list[Message] = []
    place = 0
    while place < len(chain):
        message = chain[place]
        told.append(message)
        place += 1
        if message["role"] != "assistant" or not listed(message.get("tool_calls")):
            continue
        answers: list[Message] = []
        while place < len(chain) and chain[place]["role"] == "tool":
            answers.append(chain[place])
            place += 1
        told += _matched(listed(message["tool_calls"]), answers, left)
    return told


def _matched(calls: list[Json], answers: list[Message], left: list[Tool]) -> Iterator[Message]:
    """The answers that were told, and those that only spans know; what is told without an id answers in order."""
    named = {words(one, "tool_call_id") for one in answers}
    waiting = [one for one in calls if words(one, "id") not in named]
    spans = {id(one): _span_of(one, left) for one in calls}
    by_id = {words(one, "id"): spans[id(one)] for one in calls}
    for answer in answers:
        if not words(answer, "tool_call_id") and waiting:
            call = waiting.pop(0)
            answer = {**answer, "tool_call_id": words(call, "id")}
            span = spans[id(call)]
        else:
            span = by_id.get(words(answer, "tool_call_id"))
        yield {**answer, "span_id": span.id} if span and span.id else answer
    for call in waiting:
        span = spans[id(call)]
        if span and span.result is not None:
            yield _answer(call, span)


def _span_of(call: Json, left: list[Tool]) -> Tool | None:
    """The earliest span of the call that no other call has: the same id and name, else the same name and arguments,
    else the same name."""
    mine = words(call, "id"), _name(call), _arguments(call)
    keys: tuple[Callable[[Tool], bool], ...] = (
        lambda one: (words(one.call, "id"), _name(one.call)) == mine[:2] and bool(mine[0]),
        lambda one: words(one.call, "id") == mine[0] and bool(mine[0]),
        lambda one: not words(one.call, "id") and (_name(one.call), _arguments(one.call)) == mine[1:],
        lambda one: not words(one.call, "id") and _name(one.call) == mine[1],
    )
    for same in keys:
        if found := next((one for one in left if same(one)), None):
            left.remove(found)
            return found
    return None


def _answer(call: Json, span: Tool) -> Message:
    said: Message = {"role": "tool", "content": span.result}
    named = {"tool_call_id": words(call, "id"), "name": _name(call), "span_id": span.id}
    return said | {key: value for key, value in named.items() if value}


def uncalled(tools: Iterable[Tool]) -> Iterator[Message]:
    """Tools that ran where no model's words are known: each a turn of its own."""
    for one in tools:
        call = one.call or {}
        if not call:
            continue
        yield {"role": "assistant", "content": "", "tool_calls": [call], "span_id": one.id}
        if one.result is not None:
            yield _answer(call, one)


def _name(call: Json) -> str:
    return words(member(call, "function"), "name")


def _arguments(call: Json) -> str:
    return "".join(words(member(call, "function"), "arguments").split())
