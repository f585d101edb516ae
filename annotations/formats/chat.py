"""Between OpenAI-chat messages and steps, both ways: what one direction takes apart the other puts together again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from annotations.formats.base import Refused, found
from annotations.formats.lines import Packed, dump
from annotations.records import Json, StepRecord
from annotations.segmenting import joined_steps

SOURCES = {"system": "system", "developer": "system", "user": "user", "assistant": "agent"}
ROLES = {"system": "system", "user": "user", "agent": "assistant"}
OBSERVATIONS = frozenset(["tool", "function"])
REASONING = ("reasoning_content", "reasoning")
MAPPED = frozenset(["role", "content", "tool_calls"])


@dataclass
class _Turn:
    """A step in the making. `places` are the positions of its observations in the file."""

    message: dict[str, Any]
    index: int
    observations: list[Json] = field(default_factory=list)
    places: list[int] = field(default_factory=list)


def steps_of(messages: Json) -> tuple[StepRecord, ...]:
    """The turns of a conversation. A tool message belongs to the agent's turn whose call it answers (by id, else the
    latest one). Raises Refused."""
    if not isinstance(messages, list) or not messages:
        raise Refused("messages", f"found {found(messages)}; accepted is a list of chat messages")
    turns: list[_Turn] = []
    agents: list[_Turn] = []
    asked: dict[str, _Turn] = {}
    for index, message in enumerate(messages):
        role = _role(message, index)
        if role in OBSERVATIONS and agents:
            call = message.get("tool_call_id")
            owner = asked.get(call, agents[-1]) if isinstance(call, str) else agents[-1]
            owner.observations.append(message)
            owner.places.append(index)
            continue
        turns.append(turn := _Turn(message, index))
        if role == "assistant":
            agents.append(turn)
            asked.update((call_id, turn) for call_id in _call_ids(message))
    if not agents:
        raise Refused("messages", "found no message of role assistant, so there is no step to label")
    return tuple(_step(turn) for turn in turns)


def messages_of(steps: Iterable[StepRecord]) -> list[Json]:
    """The conversation the steps were made of; parts of a message are put together again."""
    placed: list[tuple[int, Json]] = []
    for step in joined_steps(tuple(steps)):
        placed.append((step.source_index, _message(step)))
        places = step.extra.get("observed_at") or range(step.source_index + 1, 1 << 62)
        placed.extend(zip(places, step.observations, strict=False))
    placed.sort(key=lambda pair: pair[0])
    return [message for _, message in placed]


def texts_of(steps: Iterable[StepRecord]) -> list[str]:
    """The messages as JSON texts; observations that are packed stay so."""
    placed: list[tuple[int, str]] = []
    for step in joined_steps(tuple(steps)):
        index, seen = step.source_index, step.observations
        placed.append((index, _text(step)))
        if "observed_at" in step.extra:
            placed.extend(zip(step.extra["observed_at"], map(dump, seen), strict=True))
        elif isinstance(seen, Packed):
            placed.extend([(index + 1, seen.text[1:-1])] if len(seen.text) > 2 else [])
        else:
            placed.extend(enumerate(map(dump, seen), start=index + 1))
    placed.sort(key=lambda pair: pair[0])
    return [text for _, text in placed]


def text_of(content: Json) -> str:
    """The text of a message's content: a string, or the text parts of a list with a mark for each other part."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(_part_text(part) for part in content)


def _part_text(part: Json) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return str(part["text"])
    kind = part.get("type") if isinstance(part, dict) else None
    return f"[{kind if isinstance(kind, str) else 'part'}]"


def _role(message: Json, index: int) -> str:
    if not isinstance(message, dict):
        raise Refused(f"messages[{index}]", f"found {found(message)}; accepted is an object with role and content")
    role = message.get("role")
    if not isinstance(role, str) or (role not in SOURCES and role not in OBSERVATIONS):
        accepted = ", ".join([*SOURCES, *sorted(OBSERVATIONS)])
        said = found(role) if "role" in message else "nothing"
        raise Refused(f"messages[{index}].role", f"found {said}; accepted are {accepted}")
    calls = message.get("tool_calls")
    if calls is not None and not isinstance(calls, list):
        raise Refused(f"messages[{index}].tool_calls", f"found {found(calls)}; accepted is a list")
    return role


def _call_ids(message: dict[str, Any]) -> list[str]:
    calls = message.get("tool_calls") or []
    return [call["id"] for call in calls if isinstance(call, dict) and isinstance(call.get("id"), str)]


def _step(turn: _Turn) -> StepRecord:
    message = turn.message
    extra: dict[str, Json] = {}
    source = SOURCES.get(message["role"], "user")
    calls = (message.get("tool_calls") or []) if source == "agent" else []
    thought = next((key for key in REASONING if isinstance(message.get(key), str)), "")
    content = message.get("content")

    fields = {key: value for key, value in message.items() if key not in MAPPED and key != thought}
    if "content" in message and not isinstance(content, str):
        fields["content"] = content
    if "tool_calls" in message and not calls:
        fields["tool_calls"] = message["tool_calls"]
    if message["role"] != ROLES[source]:
        fields["role"] = message["role"]
    usual = ["role", "content", "tool_calls"] if calls else ["role", "content"]
    if fields or list(message) != usual:
        extra = {"keys": list(message), "fields": fields}
    if turn.places != list(range(turn.index + 1, turn.index + 1 + len(turn.places))):
        extra["observed_at"] = turn.places
    return StepRecord(
        source=source,
        source_index=turn.index,
        message=text_of(content),
        reasoning=message[thought] if thought else "",
        tool_calls=tuple(_call(one) for one in calls),
        observations=tuple(turn.observations),
        extra=extra,
    )


def _message(step: StepRecord) -> Json:
    said: dict[str, Json] = {"role": ROLES[step.source], "content": step.message}
    if step.tool_calls:
        said["tool_calls"] = [_original_call(call) for call in step.tool_calls]
    if "keys" not in step.extra:
        return said
    values = dict.fromkeys(REASONING, step.reasoning) | said | step.extra["fields"]
    return {key: values[key] for key in step.extra["keys"]}


def _text(step: StepRecord) -> str:
    """dump(_message(step)); most messages are of the usual kind, and quicker written out."""
    if "keys" in step.extra or any("original" in call for call in step.tool_calls):
        return dump(_message(step))
    calls = ",".join(
        f'{{"id":{dump(call["id"])},"type":"function",'
        f'"function":{{"name":{dump(call["name"])},"arguments":{dump(call["arguments"])}}}}}'
        for call in step.tool_calls
    )
    tail = f',"tool_calls":[{calls}]' if calls else ""
    return f'{{"role":"{ROLES[step.source]}","content":{dump(step.message)}{tail}}}'


def _call(call: Json) -> Json:
    """A tool call as steps hold it. One that is not written in the usual way is kept beside, as found."""
    function = call.get("function") if isinstance(call, dict) else None
    said = function if isinstance(function, dict) else call if isinstance(call, dict) else {}
    name, call_id = said.get("name"), call.get("id") if isinstance(call, dict) else None
    ours = {
        "id": call_id if isinstance(call_id, str) else "",
        "name": name if isinstance(name, str) else "",
        "arguments": said.get("arguments"),
    }
    return ours if _is_usual(call, ours) else ours | {"original": call}


def _is_usual(call: Json, ours: dict[str, Json]) -> bool:
    return (
        isinstance(call, dict)
        and list(call) == ["id", "type", "function"]
        and isinstance(call["function"], dict)
        and list(call["function"]) == ["name", "arguments"]
        and call["type"] == "function"
        and call["id"] == ours["id"]
        and call["function"]["name"] == ours["name"]
    )


def _original_call(call: Json) -> Json:
    if "original" in call:
        return call["original"]
    function = {"name": call["name"], "arguments": call["arguments"]}
    return {"id": call["id"], "type": "function", "function": function}
