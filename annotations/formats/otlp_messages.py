"""What spans say was said, in the words of whichever framework wrote it, as OpenAI-chat messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from annotations.formats.base import Refused, found
from annotations.formats.lines import dump
from annotations.formats.loose import listed, loaded, mapping
from annotations.formats.otlp_parts import Told, call_of, of_parts, text
from annotations.formats.turns import words
from annotations.records import Json

ROLES = {
    **{role: role for role in ("system", "developer", "user", "assistant", "tool")},
    **dict.fromkeys(("human", "input"), "user"),
    **dict.fromkeys(("ai", "model", "agent", "bot", "AIMessageChunk", "output"), "assistant"),
    **dict.fromkeys(("function", "tool_result", "function_call_output"), "tool"),
}
CLASSES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool", "function": "tool"}
HOLDERS = ("messages", "input_messages", "output_messages", "contents", "prompts", "message")
SAYINGS = ("input", "question", "query", "prompt", "content", "text", "output", "answer", "response", "completion")
MOST_DEPTH = 6


@dataclass
class Said:
    """Messages, and the tools that were offered beside them."""

    messages: list[Json] = field(default_factory=list)
    tools: list[Json] = field(default_factory=list)


def said(value: Json, role: str, where: str) -> Said:
    """All that the value says. What names no role is said by `role`; `where` names the value in a refusal. Raises
    Refused."""
    told = Said()
    for message in _messages(opened(value), role, where, 0):
        if (tool := _offered(message)) is not None:
            told.tools.append(tool)
        elif _joins(told.messages, message):
            told.messages[-1] = _joined(told.messages[-1], message)
        else:
            told.messages.append(message)
    return told


def opened(value: Json) -> Json:
    """JSON that is written as text, as often as it is."""
    for _ in range(3):
        inner = loaded(value)
        if inner is value and isinstance(value, str) and value[:1] == value[-1:] == '"' and len(value) > 1:
            inner = listed(loaded(f"[{value}]"))[:1]
            inner = inner[0] if inner else value
        if inner is value or inner == value:
            return value
        value = inner
    return value


def _messages(value: Json, role: str, where: str, depth: int) -> Iterator[dict[str, Json]]:
    if depth > MOST_DEPTH or value is None or value == "":
        return
    if isinstance(value, str):
        yield {"role": role, "content": value}
    elif isinstance(value, list):
        if value and all(_is_part(one) for one in value):
            yield from _of_parts(role, value)
            return
        for place, one in enumerate(value):
            yield from _messages(one, role, f"{where}[{place}]", depth + 1)
    elif isinstance(value, dict):
        yield from _of_object(value, role, where, depth)


def _of_object(value: dict[str, Any], role: str, where: str, depth: int) -> Iterator[dict[str, Json]]:
    value = _unwrapped(value)
    if "role" in value or words(value, "type") in CLASSES:
        yield from _message(value, where)
    elif value.get("object") == "response" and isinstance(value.get("output"), list):
        yield from _messages(value["output"], "assistant", f"{where}.output", depth + 1)
    elif value.get("type") in ITEMS:
        yield from _item(value)
    elif (inner := _choices(value)) is not None:
        yield from _messages(inner, "assistant", where, depth + 1)
    elif key := next((key for key in HOLDERS if value.get(key)), None):
        yield from _messages(_instructed(value, key), role, f"{where}.{key}", depth + 1)
    elif key := next((key for key in SAYINGS if value.get(key)), None):
        yield from _messages(opened(value[key]), role, f"{where}.{key}", depth + 1)
    elif value:
        yield {"role": role, "content": dump(value)}


def _instructed(value: dict[str, Any], key: str) -> Json:
    """The messages under the key, after the instructions that some put beside them."""
    given: Json = value[key]
    system = value.get("system") or value.get("instructions")
    if key == "messages" and isinstance(system, (str, list)) and isinstance(given, list):
        return [{"role": "system", "content": system}, *given]
    return given


def _choices(value: dict[str, Any]) -> Json:
    """What a model answered: OpenAI's choices, Gemini's candidates, LangChain's generations. The first of several."""
    for key, inside in (("choices", "message"), ("candidates", "content"), ("generations", "message")):
        first: Json = value.get(key)
        while isinstance(first, list) and first:
            first = first[0]
        if isinstance(first, dict):
            return first.get(inside) or first.get("text") or first.get("delta")
    return None


def _unwrapped(value: dict[str, Any]) -> dict[str, Any]:
    """Messages as LangChain serialises them, as OpenInference flattens them, and as Traceloop's events hold them."""
    if isinstance(value.get("kwargs"), dict) and value.get("lc") is not None:
        names = listed(value.get("id"))
        inner: dict[str, Any] = value["kwargs"]
        kind = str(names[-1]).removesuffix("Chunk").removesuffix("Message").lower() if names else ""
        return ({"type": kind} if kind in CLASSES else {}) | inner
    if isinstance(value.get("message"), dict) and "role" in value["message"] and "role" not in value:
        return {**value["message"], **{key: one for key, one in value.items() if key == "finish_reason"}}
    if words(value, "type") in CLASSES and isinstance(value.get("data"), dict):
        return {"type": value["type"], **value["data"]}
    return value


def _message(value: dict[str, Any], where: str) -> Iterator[dict[str, Json]]:
    given = value.get("role") if "role" in value else value.get("type")
    role = ROLES.get(given) if isinstance(given, str) else None
    role = role or (CLASSES.get(given.lower()) if isinstance(given, str) else None)
    if role is None:
        accepted = ", ".join(ROLES)
        raise Refused(f"{where}.role", f"found {found(given)}; accepted are {accepted}")
    body = next((value[key] for key in ("parts", "contents", "content") if value.get(key) is not None), "")
    if role == "tool" and _offered({"role": role, "content": body}) is not None:
        yield {"role": role, "content": body}
        return
    more = {key: value[key] for key in ("name", "finish_reason", "span_id") if isinstance(value.get(key), str)}
    told = of_parts(body)
    told.calls = _calls(value) or told.calls
    told.reasoning = words(value, "reasoning_content") or words(value, "reasoning") or told.reasoning
    if not told.calls and (calls := _calls_in(told.content)):
        told.calls, told.content, role = calls, "", "assistant"
    yield from _told(role, told, more, value.get("tool_call_id") or value.get("id"))


def _of_parts(role: str, value: list[Json]) -> Iterator[dict[str, Json]]:
    yield from _told(role, of_parts(value), {}, None)


def _told(role: str, told: Told, more: dict[str, Json], call_id: Json) -> Iterator[dict[str, Json]]:
    """The message, and before it a tool message for each result that stands among its parts."""
    yield from told.results
    if role == "tool":
        if not told.results or told.content:
            answers = {"tool_call_id": call_id} if isinstance(call_id, str) and call_id else {}
            yield {"role": role, "content": told.content, **answers, **more}
        return
    if told.results and not told.content and not told.calls:
        return
    message: dict[str, Json] = {"role": role, "content": told.content}
    if told.calls:
        message["tool_calls"] = told.calls
    if told.reasoning:
        message["reasoning"] = told.reasoning
    yield message | ({"parts": told.kept} if told.kept else {}) | more


def _calls(value: dict[str, Any]) -> list[Json]:
    given = opened(value.get("tool_calls")) or mapping(value.get("additional_kwargs")).get("tool_calls")
    if not given and isinstance(value.get("function_call"), dict):
        given = [value["function_call"]]
    return [call_of(opened(one)) for one in listed(given)]


def _calls_in(content: Json) -> list[Json]:
    """Calls that are written where the text belongs."""
    held = loaded(content) if isinstance(content, str) and content.startswith("[") else None
    calls = listed(held)
    usual = all(isinstance(one, dict) and isinstance(one.get("function"), dict) and "id" in one for one in calls)
    return [call_of(one) for one in calls] if usual else []


ITEMS = ("function_call", "function_call_output", "reasoning", "custom_tool_call", "custom_tool_call_output")


def _item(value: dict[str, Any]) -> Iterator[dict[str, Json]]:
    """An item of OpenAI's Responses that is no message."""
    kind = value["type"]
    if kind.endswith("_output"):
        yield {"role": "tool", "content": text(value.get("output")), "tool_call_id": words(value, "call_id")}
    elif kind == "reasoning":
        summary = [words(one, "text") for one in listed(value.get("summary"))]
        yield {"role": "assistant", "content": "", "reasoning": "\n".join(summary), "open": True}
    else:
        called = {**value, "id": value.get("call_id") or value.get("id")}
        yield {"role": "assistant", "content": "", "tool_calls": [call_of(called)], "open": True}


def _is_part(value: Json) -> bool:
    return (
        isinstance(value, dict)
        and "role" not in value
        and value.get("type") not in (*ITEMS, *CLASSES, "message")
        and any(
            key in value for key in ("text", "content", "image_url", "functionCall", "function_call", "inline_data")
        )
    )


def _joins(before: list[Json], message: dict[str, Json]) -> bool:
    """Whether both are one turn: items of one response, or the calls of one that are told as a message each."""
    last = before[-1] if before else None
    if not isinstance(last, dict) or last["role"] != "assistant" or message["role"] != "assistant":
        return False
    return bool(last.get("open") or (last.get("tool_calls") and message.get("tool_calls")))


def _joined(one: dict[str, Json], other: dict[str, Json]) -> dict[str, Json]:
    calls = [*listed(one.get("tool_calls")), *listed(other.get("tool_calls"))]
    whole = {**one, **other}
    whole["content"] = other.get("content") or one.get("content") or ""
    thoughts = [words(one, "reasoning"), words(other, "reasoning")]
    return whole | ({"tool_calls": calls} if calls else {}) | _thought(thoughts)


def _thought(thoughts: Iterable[str]) -> dict[str, Json]:
    whole = "\n".join(filter(None, thoughts))
    return {"reasoning": whole} if whole else {}


def _offered(message: dict[str, Json]) -> Json:
    """The definition of a tool that was put among the messages; None for a message."""
    content = message.get("content")
    held = loaded(content) if message["role"] == "tool" and isinstance(content, str) else content
    inner = held.get("function") if isinstance(held, dict) and held.get("type") == "function" else None
    return held if isinstance(inner, dict) and "parameters" in inner else None
