"""Anthropic messages: content in blocks, results of tools inside what the user says, requests with their responses."""

from __future__ import annotations

from typing import Any

from annotations.formats import naming
from annotations.formats.base import LineFormat, Refused, found
from annotations.formats.joining import Conversation
from annotations.formats.loose import listed, loaded, mapping, objects, without
from annotations.formats.turns import call, words
from annotations.records import Json, TaskRecord, TrajectoryRecord

ROLES = ("user", "assistant", "system")
CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")
THOUGHTS = ("thinking", "redacted_thinking")
ANSWERED = ("response", "output", "completion")
TAKEN = ("messages", "system", "tools", "id", "model")


class Anthropic(LineFormat):
    """A message of the assistant is a step; results go to the calls they name. The place of a step is that of its
    message, where a system prompt beside the messages counts as the first one."""

    name = "anthropic"
    title = "Anthropic messages"
    listed = "messages"
    keeps = "Blocks of all kinds, thinking with its signature, results and whether they are errors, pictures, tools."
    loses = "Where in a step its blocks stood among each other."

    def recognises(self, value: Json) -> bool:
        if isinstance(value, list):
            return _are_blocks(value)
        if not isinstance(value, dict):
            return False
        asked = _asked(value)
        messages = loaded(asked.get("messages"))
        if not objects(messages, "role", "content"):
            return False
        system = objects(loaded(asked.get("system")), "text")
        return system or _are_blocks(messages) or (asked is not value or "messages" in value) and bool(_answer(value))

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        asked, answer = _asked(row), _answer(row)
        messages = loaded(asked.get("messages"))
        if not isinstance(messages, list) or not messages:
            raise Refused("messages", f"found {found(messages)}; accepted is a list of messages")
        talk, opened = Conversation(), 0
        if system := loaded(asked.get("system")):
            talk.say(0, {"role": "system", "content": _plain(system)})
            opened = 1
        for place, message in enumerate([*messages, *([answer] if answer else [])]):
            _take(talk, opened, place, message)
        steps = talk.steps("messages")
        tools = loaded(asked.get("tools"))
        model = answer.get("model") or asked.get("model")
        return TrajectoryRecord(
            task=TaskRecord(
                external_id=naming.prompt_id(steps, tools),
                instruction=naming.instruction(steps),
                tools=tools,
            ),
            steps=steps,
            external_id=naming.name(row, "id") or naming.name(answer, "id"),
            policy_model=model[:200] if isinstance(model, str) else "",
            extra={"fields": _fields(row, asked, answer)},
        )


def _asked(row: dict[str, Any]) -> dict[str, Any]:
    """The request: an object of its own, or the row."""
    request = loaded(row.get("request"))
    return request if isinstance(request, dict) and "messages" in request else row


def _answer(row: dict[str, Any]) -> dict[str, Any]:
    """The response that is logged beside its request, if one is."""
    answers = (mapping(loaded(row.get(key))) for key in ANSWERED)
    return next((one for one in answers if one.get("role") == "assistant" and objects(one.get("content"), "type")), {})


def _fields(row: dict[str, Any], asked: dict[str, Any], answer: dict[str, Any]) -> dict[str, Json]:
    """What is said beside the messages."""
    if not answer and asked is row:
        return without(row, *TAKEN)
    key = next((key for key in ANSWERED if answer and mapping(loaded(row.get(key))) == answer), "")
    rest = without(row, "id", key, *(TAKEN if asked is row else ("request",)))
    return rest | ({} if asked is row else {"request": without(asked, "messages", "system", "tools")})


def _kind(block: Json) -> str:
    return words(block, "type")


def _are_blocks(messages: Json) -> bool:
    """Whether these are messages of this format: one of them has a block that no other format spells so."""
    if not objects(messages, "role", "content") or any(one["role"] not in list(ROLES) for one in messages[:20]):
        return False
    blocks = [block for one in messages for block in listed(one.get("content") if isinstance(one, dict) else None)]
    return any(_is_ours(block) for block in blocks)


def _is_ours(block: Json) -> bool:
    kind = _kind(block)
    if kind in (*CALLS, *THOUGHTS) or kind.endswith("tool_result"):
        return True
    return kind in ("image", "document") and isinstance(block.get("source"), dict) or "cache_control" in mapping(block)


def _take(talk: Conversation, opened: int, place: int, message: Json) -> None:
    if not isinstance(message, dict):
        raise Refused(f"messages[{place}]", f"found {found(message)}; accepted is an object with role and content")
    role, content = message.get("role"), message.get("content")
    if role not in list(ROLES):
        raise Refused(f"messages[{place}].role", f"found {found(role)}; accepted are {', '.join(ROLES)}")
    rest = without(message, "role", "content")
    if role == "assistant":
        _agent(talk, place + opened, content, rest)
    else:
        _other(talk, place + opened, {"role": role, "content": content} | rest)


def _agent(talk: Conversation, place: int, content: Json, rest: dict[str, Json]) -> None:
    talk.close()
    turn = talk.agent(place)
    for block in listed(content) or [content]:
        kind = _kind(block)
        if kind == "text" or isinstance(block, str):
            turn.said.append(_said(block))
        elif kind in THOUGHTS:
            turn.thoughts += [block["thinking"]] if isinstance(block.get("thinking"), str) else []
            turn.rest.append(without(block, "thinking"))
        elif kind in CALLS:
            more = without(block, "id", "name", "input", *(["type"] if kind == "tool_use" else []))
            turn.calls.append(call(block.get("name"), block.get("input"), block.get("id")) | _block(more))
        elif kind.endswith("tool_result"):
            _result(talk, place, block, ends=False)
        elif block:
            turn.said.append(block)
    if rest := without(rest, "type"):
        turn.rest.append({"type": "message"} | rest)


def _block(more: dict[str, Json]) -> dict[str, Json]:
    return {"block": more} if more else {}


def _said(block: Json) -> Json:
    """A block of text; one that says no more than its text is that."""
    return block["text"] if isinstance(block, dict) and set(block) == {"type", "text"} else block


def _other(talk: Conversation, place: int, message: dict[str, Json]) -> None:
    """What a user says: results first, for they belong to the turn before, then the rest."""
    blocks = message["content"]
    results = [block for block in listed(blocks) if _kind(block).endswith("tool_result")]
    if not talk.begun and len(listed(blocks)) > 1:
        results = []  # they answer nothing, and a place holds one turn
    for block in results:
        _result(talk, place, block)
    rest = [block for block in listed(blocks) if not _kind(block).endswith("tool_result")]
    if rest or not results:
        talk.say(place, message | {"content": _plain(rest if results else blocks)})


def _result(talk: Conversation, place: int, block: dict[str, Json], *, ends: bool = True) -> None:
    rest = without(block, "tool_use_id", "content", *(["type"] if _kind(block) == "tool_result" else []))
    talk.answer(place, block.get("tool_use_id"), block.get("content"), rest, ends=ends)


def _plain(content: Json) -> Json:
    """The content; where it is one plain text, that."""
    blocks = listed(content)
    return _said(blocks[0]) if len(blocks) == 1 and isinstance(_said(blocks[0]), str) else content
