"""OpenAI Responses: items instead of messages, alone or as the input and output of logged responses."""

from __future__ import annotations

from typing import Any

from annotations.formats import chat, naming
from annotations.formats.base import LineFormat, Refused, found
from annotations.formats.joining import Conversation
from annotations.formats.loose import listed, loaded, mapping, without
from annotations.formats.turns import call, words
from annotations.records import Json, TaskRecord, TrajectoryRecord

ALONE = ("message", "reasoning", "item_reference", "mcp_list_tools", "mcp_approval_request", "compaction")
ASKED = ("arguments", "input", "action", "operation", "code", "queries")
GIVEN = ("output", "outputs", "results", "result", "error")
ITEM = "messages, reasoning, calls and their outputs"


class OpenAIResponses(LineFormat):
    """Reasoning, messages and calls that follow one another are one step; outputs belong to the calls that they name.
    The place of a step is that of its first item, where a system prompt beside the items counts as the first one."""

    name = "openai-responses"
    title = "OpenAI Responses (items)"
    listed = "items"
    keeps = "Items of all kinds with their ids, reasoning and its summaries, tools, pictures, settings beside."
    loses = "Where in a step its items stood among each other."

    def recognises(self, value: Json) -> bool:
        if isinstance(value, list):
            return _are_items(value)
        if not isinstance(value, dict):
            return False
        asked, answered = _sides(value)
        return _are_items(answered.get("output")) or _are_items(asked.get("input")) or _are_items(value.get("items"))

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        asked, answered = _sides(row)
        items = _items(row, asked, answered)
        talk, others = Conversation(), []
        for place, item in enumerate(items):
            if not _take(talk, place, item):
                others.append({"place": place, "item": item})
        steps = talk.steps("items")
        tools = _either("tools", row, asked, answered)
        model = _either("model", answered, asked, row)
        return TrajectoryRecord(
            task=TaskRecord(
                external_id=naming.prompt_id(steps, tools),
                instruction=naming.instruction(steps),
                tools=tools,
            ),
            steps=steps,
            external_id=naming.name(answered, "id") if answered is not row or "output" in row else "",
            policy_model=model[:200] if isinstance(model, str) else "",
            extra={"fields": _fields(row, asked, answered) | ({"items": others} if others else {})},
        )


def _sides(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was asked and what was answered: objects of their own, or both the row."""
    request, response, output = (loaded(row.get(key)) for key in ("request", "response", "output"))
    asked = request if isinstance(request, dict) else row
    whole = next((one for one in (response, output) if isinstance(one, dict) and "output" in one), row)
    return asked, whole


def _items(row: dict[str, Any], asked: dict[str, Any], answered: dict[str, Any]) -> list[Json]:
    prompt = _either("instructions", asked, answered, row)
    opening = [{"role": "system", "content": prompt}] if isinstance(prompt, str) and prompt else listed(prompt)
    given = loaded(row.get("items", asked.get("input")))
    items = [{"role": "user", "content": given}] if isinstance(given, str) and given else listed(given)
    said = loaded(answered.get("output"))
    output = [{"role": "assistant", "content": said}] if isinstance(said, str) and said else listed(said)
    return [*opening, *items, *output]


def _either(key: str, *rows: dict[str, Any]) -> Json:
    return next((loaded(row[key]) for row in rows if row.get(key)), None)


def _fields(row: dict[str, Any], asked: dict[str, Any], answered: dict[str, Any]) -> dict[str, Json]:
    """What is said beside the items."""
    said = ("items", "input", "output", "instructions", "tools")
    fields = without(row, *said, "request", "response", *(("id", "model") if answered is row else ()))
    sides = (("request", asked, said), ("response", answered, (*said, "id", "model")))
    return fields | {key: without(side, *taken) for key, side, taken in sides if side is not row}


def _are_items(value: Json) -> bool:
    """Whether these are items of this format: all look like some, and one is of a kind that no other format has."""
    items = loaded(value)
    if not isinstance(items, list) or not items:
        return False
    kinds = [_kind(item) for item in items[:20]]
    return all(kinds) and any(
        kind in ALONE or _is_call(kind) for item, kind in zip(items, kinds, strict=False) if "type" in item
    )


def _kind(item: Json) -> str:
    kind = mapping(item).get("type", "message" if "role" in mapping(item) else "")
    return kind if isinstance(kind, str) else ""


def _is_call(kind: str) -> bool:
    return kind.endswith(("_call", "_call_output"))


def _take(talk: Conversation, place: int, item: Json) -> bool:
    """Puts the item in its turn; False where it is none that says anything."""
    kind = _kind(item)
    if not kind:
        raise Refused(f"items[{place}]", f"found {found(item)}; accepted are {ITEM}")
    if kind == "message":
        _message(talk, place, item)
    elif kind == "reasoning":
        turn = talk.agent(place)
        turn.thoughts += [thought for key in ("summary", "content") for thought in _texts(item.get(key))]
        turn.rest.append(without(item, "summary", "content"))
    elif kind.endswith("_output"):
        rest = without(item, "call_id", "output")
        talk.answer(place, item.get("call_id") or item.get("id"), item.get("output"), rest)
    elif kind.endswith("_call"):
        _called(talk, place, kind, item)
    else:
        return False
    return True


def _message(talk: Conversation, place: int, item: dict[str, Any]) -> None:
    role = item.get("role")
    if role not in list(chat.SOURCES):
        raise Refused(f"items[{place}].role", f"found {found(role)}; accepted are {', '.join(chat.SOURCES)}")
    content, rest = _plain(item.get("content")), without(item, "role", "content", "type")
    if role != "assistant":
        talk.say(place, {"role": role, "content": content} | rest)
        return
    turn = talk.agent(place)
    turn.said += content if isinstance(content, list) else [content or ""]
    if rest:
        turn.rest.append({"type": "message"} | rest)


def _plain(content: Json) -> Json:
    """The content; where it is one plain text without remarks, that."""
    parts = listed(content)
    only = mapping(parts[0]) if len(parts) == 1 else {}
    bare = {key for key, value in only.items() if value not in ([], None)}
    return only["text"] if bare == {"type", "text"} and isinstance(only["text"], str) else content


def _texts(parts: Json) -> list[str]:
    said = [parts] if isinstance(parts, str) else [words(part, "text") or part for part in listed(parts)]
    return [one for one in said if isinstance(one, str) and one]


def _called(talk: Conversation, place: int, kind: str, item: dict[str, Any]) -> None:
    """A call; of a tool that the model's own server runs, with what came of it."""
    asked = next((key for key in ASKED if key in item), "")
    name = words(item, "name") or kind.removesuffix("_call")
    call_id = item.get("call_id") or item.get("id")
    given = [key for key in GIVEN if item.get(key) is not None]
    rest = without(item, "name", "call_id", asked, *given)
    talk.agent(place).calls.append(call(name, item.get(asked), call_id) | {"item": rest})
    for key in given:
        talk.answer(place, call_id, item[key], {} if key != "error" else {"error": True}, ends=False)
