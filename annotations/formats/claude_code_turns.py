"""The lines of a Claude Code session as steps: lines of one reply are one step, results go to the calls they answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotations.formats import chat
from annotations.formats.base import Refused, found
from annotations.formats.lines import Line
from annotations.formats.loose import mapping, without
from annotations.formats.turns import number, words
from annotations.records import Json, StepRecord

MAPPED = ("type", "message", "isSidechain", "sessionId", "session_id", "toolUseResult", "agentId", "parent_tool_use_id")
CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")
PLAIN = ("text", "thinking", *CALLS)
SOURCES = {"assistant": "agent", "user": "user"}


@dataclass
class _Turn:
    source: str
    index: int
    before: int | None  # the place of the turn it follows
    blocks: list[Json] = field(default_factory=list)
    observations: list[Json] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


def content_of(value: dict[str, Any]) -> list[Json]:
    """The blocks of a line's message. Raises Refused where it has none."""
    message = value.get("message")
    if not isinstance(message, dict):
        raise Refused("message", f"found {found(message)}; accepted is an object with role and content")
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        said = found(content) if "content" in message else "nothing"
        raise Refused("message.content", f"found {said}; accepted is a text or a list of blocks")
    return content


def model_of(values: Iterable[Json]) -> str:
    """The model that replied first; what the program itself put in is called <synthetic>."""
    models = (words(value.get("message"), "model") for value in values if value.get("type") == "assistant")
    return next((model for model in models if model and not model.startswith("<")), "")


def steps_of(lines: Sequence[Line], shared: dict[str, Any]) -> tuple[StepRecord, ...]:
    teller = _Teller(shared)
    seen: set[bytes] = set()
    for row in lines:
        if row.raw not in seen:  # a session that was taken up again repeats lines
            seen.add(row.raw)
            teller.take(row.number - 1, row.value)
    return teller.steps()


class _Teller:
    def __init__(self, shared: dict[str, Any]) -> None:
        self._shared = shared
        self._turns: list[_Turn] = []
        self._of: dict[str, int] = {}  # uuid of a line → place of its turn
        self._replies: dict[str, int] = {}  # id of a reply → place
        self._calls: dict[str, int] = {}  # id of a call → place
        self._agent: int | None = None  # the place of the latest reply

    def take(self, index: int, value: dict[str, Any]) -> None:
        before, kind = self._of.get(words(value, "parentUuid")), value["type"]
        place = before
        if kind == "assistant":
            place = self._reply(index, value, before)
        elif kind == "user":
            place = self._said(index, value, before)
        elif kind == "system" and isinstance(value.get("content"), str) and value["content"]:
            place = self._turn("system", index, without(value, "content"), before)
            self._turns[place].blocks.append(value["content"])
        if (uuid := words(value, "uuid")) and place is not None:
            self._of[uuid] = place

    def _turn(self, source: str, index: int, value: dict[str, Any], before: int | None) -> int:
        place = len(self._turns)
        turn = _Turn(source, index, place - 1 if before is None else before)
        turn.fields = self._fields(value)
        self._turns.append(turn)
        return place

    def _fields(self, value: dict[str, Any]) -> dict[str, Any]:
        said = {
            key: one
            for key, one in value.items()
            if key not in MAPPED and not (key in self._shared and self._shared[key] == one)
        }
        message = without(mapping(value.get("message")), "role", "content", "type")
        return said | ({"message": message} if message else {})

    def _reply(self, index: int, value: dict[str, Any], before: int | None) -> int:
        reply = words(value["message"], "id")
        place = self._replies.get(reply) if reply else None
        if place is None:
            place = self._turn("agent", index, value, before)
        else:
            more = self._fields(value)
            uuids = self._turns[place].fields.get("uuids") or [self._turns[place].fields.get("uuid")]
            self._turns[place].fields |= without(more, "uuid", "parentUuid") | {"uuids": [*uuids, more.get("uuid")]}
        turn = self._turns[place]
        for block in content_of(value):
            if _kind(block).endswith("tool_result"):
                turn.observations.append(_observation(block, {}))
                continue
            turn.blocks.append(block)
            if _kind(block) in CALLS:
                self._calls[words(block, "id")] = place
        usage = mapping(value["message"].get("usage"))
        turn.values |= {key: one for key, one in usage.items() if number(one)}
        self._replies[reply], self._agent = place, place
        return place

    def _said(self, index: int, value: dict[str, Any], before: int | None) -> int | None:
        content, place = content_of(value), None
        results = [block for block in content if _kind(block) == "tool_result"]
        for block in results:
            place = self._calls.get(words(block, "tool_use_id"), self._agent)
            if place is not None:
                self._turns[place].observations.append(_observation(block, value))
        rest = content if place is None else [block for block in content if _kind(block) != "tool_result"]
        if rest or not results:
            place = self._turn("user", index, value, before)
            self._turns[place].blocks.extend(rest)
        return place

    def steps(self) -> tuple[StepRecord, ...]:
        parents = [self._before(place) for place in range(len(self._turns))]
        tree = any(parent != place - 1 for place, parent in enumerate(parents) if place)
        return tuple(_step(turn, parents[place] if tree and place else None) for place, turn in enumerate(self._turns))

    def _before(self, place: int) -> int:
        """The turn that this one follows. Notices of the system in between are on the same path."""
        before = self._turns[place].before
        between = self._turns[before + 1 : place] if before is not None else []
        return place - 1 if before is None or all(turn.source == "system" for turn in between) else before


def _step(turn: _Turn, parent: int | None) -> StepRecord:
    fields = dict(turn.fields)
    texts = [block for block in turn.blocks if _kind(block) not in ("thinking", *CALLS)]
    if any(_kind(block) not in PLAIN and not isinstance(block, str) for block in turn.blocks):
        fields["content"] = texts
    thoughts = [words(block, "thinking") for block in turn.blocks if _kind(block) == "thinking"]
    return StepRecord(
        source=turn.source,
        source_index=turn.index,
        message=chat.text_of(texts),
        reasoning="\n\n".join(one for one in thoughts if one),
        tool_calls=tuple(_call(block) for block in turn.blocks if _kind(block) in CALLS),
        observations=tuple(turn.observations),
        extra=({"fields": fields} if fields else {}) | ({"values": turn.values} if turn.values else {}),
        parent=parent,
    )


def _kind(block: Json) -> str:
    return words(block, "type")


def _call(block: dict[str, Any]) -> Json:
    more = without(block, "type", "id", "name", "input", "cache_control")
    call = {"id": words(block, "id"), "name": words(block, "name"), "arguments": block.get("input")}
    return call | ({"more": more} if more else {})


def _observation(block: dict[str, Any], line: dict[str, Any]) -> Json:
    said: dict[str, Json] = {"role": "tool", "content": block.get("content")}
    if isinstance(block.get("tool_use_id"), str):
        said["tool_call_id"] = block["tool_use_id"]
    said |= without(block, "type", "content", "tool_use_id", "cache_control")
    said |= {key: line[key] for key in ("uuid", "timestamp") if key in line}
    agent = words(line.get("toolUseResult"), "agentId")
    return said | ({"agentId": agent} if agent else {})
