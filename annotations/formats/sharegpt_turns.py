"""Turns as ShareGPT files and LLaMA-Factory spell them, as chat messages: one message a turn, in the same place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from annotations.formats.base import Refused, found
from annotations.formats.loose import listed, loaded, mapping, without
from annotations.formats.turns import call
from annotations.records import Json

CALL = "function_call"
ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
    "model": "assistant",
    "bot": "assistant",
    CALL: "assistant",
    "tool_call": "assistant",
    "system": "system",
    "developer": "system",
    "observation": "tool",
    "tool": "tool",
    "tool_response": "tool",
    "function": "tool",
    "function_response": "tool",
}
CALLS = frozenset([CALL, "tool_call"])
NAMES = (("from", "value"), ("role", "content"), ("role", "value"), ("from", "content"), ("user", "text"))
_PICTURE = re.compile(r"(<image>)")


def named(turn: Json) -> tuple[str, str]:
    """Under which keys the turn says who speaks and what; two empty names where it is no turn."""
    said = mapping(turn)
    return next((pair for pair in NAMES if all(key in said for key in pair)), ("", ""))


def messages_of(turns: Json, field: str) -> list[Json]:
    """The turns as chat messages. Raises Refused, naming the turn by `field`."""
    turns = loaded(turns)
    if not isinstance(turns, list) or not turns:
        raise Refused(field, f"found {found(turns)}; accepted is a list of turns with from and value")
    return [message_of(turn, f"{field}[{place}]") for place, turn in enumerate(turns)]


def message_of(turn: Json, field: str) -> dict[str, Json]:
    who, what = named(turn)
    if not who:
        raise Refused(field, f"found {found(turn)}; accepted is an object with from and value")
    kind = turn[who]
    if not isinstance(kind, str) or kind.lower() not in ROLES:
        raise Refused(f"{field}.{who}", f"found {found(kind)}; accepted are {', '.join(ROLES)}")
    role, said = ROLES[kind.lower()], turn[what]
    message = _called(said) if kind.lower() in CALLS else _spoken(said)
    return {"role": role} | message | without(turn, who, what, *message)


def _called(value: Json) -> dict[str, Json]:
    """A turn that is nothing but calls: one, or a list of them. What is no JSON is kept as the arguments of one."""
    said = loaded(value)
    calls = said if isinstance(said, list) and said else [said]
    return {"content": "", "tool_calls": [_call(one) for one in calls]}


def _call(said: Json) -> Json:
    if not isinstance(said, dict) or "name" not in said:
        return call("", said)
    arguments = said.get("arguments", said.get("parameters"))
    rest = without(said, "name", "arguments", "parameters", "id", "type")
    return rest | call(said["name"], arguments, said.get("id", rest.get("call_id")))


def _spoken(said: Json) -> dict[str, Json]:
    """What a turn says: a text, or parts {type, value} of which reasoning and calls have their own places."""
    if not isinstance(said, list) or not any(is_part(part) for part in said):
        return {"content": said}
    thought = [part["value"] for part in said if is_part(part) and part["type"] == "reasoning"]
    calls = [call for part in said if is_part(part) and part["type"] in CALLS for call in _calls(part["value"])]
    rest = [_part(part) for part in said if not (is_part(part) and part["type"] in ("reasoning", *CALLS))]
    message: dict[str, Json] = {"content": _plain(rest)}
    if thought:
        message["reasoning_content"] = "\n".join(one if isinstance(one, str) else found(one) for one in thought)
    return message | ({"tool_calls": calls} if calls else {})


def _calls(value: Json) -> list[Json]:
    return listed(_called(value)["tool_calls"])


def is_part(part: Json) -> bool:
    """Whether it is a part of a turn as LLaMA-Factory writes them."""
    return isinstance(part, dict) and isinstance(part.get("type"), str) and "value" in part


def _part(part: Json) -> Json:
    if not is_part(part):
        return part
    kind, value = part["type"], part["value"]
    if kind == "text":
        return {"type": "text", "text": value} | without(part, "type", "value")
    if kind in ("image", "image_url") and isinstance(value, str):
        return picture(value)
    return part


def _plain(parts: list[Json]) -> Json:
    """The parts; where they are one plain text, that."""
    if not parts:
        return ""
    only = mapping(parts[0])
    return only["text"] if len(parts) == 1 and set(only) == {"type", "text"} else parts


def picture(address: str) -> dict[str, Json]:
    return {"type": "image_url", "image_url": {"url": address}}


def with_pictures(messages: list[Json], pictures: Json) -> list[Json]:
    """The messages with each <image> in their texts made the next of the pictures that stand in a column beside them;
    those that no text names come with the first thing a user says."""
    ahead = iter([one for one in map(_address, listed(pictures)) if one])
    made = [_shown(message, ahead) for message in messages]
    rest = [picture(one) for one in ahead]
    place = next((place for place, one in enumerate(made) if mapping(one).get("role") == "user"), None)
    if rest and place is not None:
        said = made[place].get("content")
        before = [{"type": "text", "text": said}] if isinstance(said, str) else listed(said)
        made[place] = made[place] | {"content": [*before, *rest]}
    return made


def _shown(message: Json, ahead: Iterator[str]) -> Json:
    said = mapping(message).get("content")
    if not isinstance(said, str) or "<image>" not in said:
        return message
    parts: list[Json] = []
    for piece in _PICTURE.split(said):
        address = next(ahead, None) if piece == "<image>" else None
        if address:
            parts.append(picture(address))
        elif piece:
            parts.append({"type": "text", "text": piece})
    return message | {"content": parts}


def _address(one: Json) -> str:
    """Where the picture is: a path, an address, or the path of a column of pictures."""
    said: Any = one.get("path") if isinstance(one, dict) else one
    return said if isinstance(said, str) else ""
