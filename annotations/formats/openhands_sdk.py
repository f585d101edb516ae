"""The OpenHands SDK (1.x): events told apart by `kind`, in one list, in an evaluation's row, or a file each.

Actions that share an `llm_response_id` are one step. `source_index` is the place of the (first) event in the list.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from annotations.formats import chat, folders, naming
from annotations.formats.base import FolderFormat, Item, LogFormat, Refused, found
from annotations.formats.lines import Line
from annotations.formats.loose import listed, mapping, without
from annotations.formats.openhands_turns import Events, Told, Turn, record_of
from annotations.formats.opening.sources import Folder, Source
from annotations.formats.turns import member, words
from annotations.records import Json, Problem

KINDS = frozenset(["Condensation", "CondensationRequest", "UserRejectObservation"])
ANSWERS = frozenset(["ObservationEvent", "UserRejectObservation", "AgentErrorEvent"])
TOLD = ("thought", "reasoning_content", "thinking_blocks", "action", "tool_call", "tool_name", "tool_call_id", "source")
SEEN = ("observation", "error", "rejection_reason", "tool_name", "tool_call_id", "source")
FILE = re.compile(r"(?:.*/)?event-[0-9]+(?:-[\w-]+)?\.json")
SOURCES = {"assistant": "agent", "agent": "agent", "user": "user"}


class OpenHandsSDK(Events):
    name = "openhands-sdk"
    title = "OpenHands SDK events"
    keeps = "Thoughts, reasoning, calls of one reply together, observations, errors and refusals, tools, ids and times."
    loses = "Updates of state, token ids, pauses and condensations."

    def are_events(self, value: Json) -> bool:
        return _are_events(value)

    def told(self, key: str, events: Json) -> Told:
        return _Teller(key).told(events)


class OpenHandsSDKLog(LogFormat):
    """A conversation whose events stand one a line."""

    name = "openhands-sdk-log"
    title = "OpenHands SDK events, one a line"
    keeps = OpenHandsSDK.keeps
    loses = OpenHandsSDK.loses

    def recognises(self, value: Json) -> bool:
        return _is_event(value) and "id" in value and "source" in value

    def gathered(self, rows: Iterator[Line], file: str) -> Iterator[Item]:
        events: list[Json] = []
        raw: list[bytes] = []
        replaced = 0
        for row in rows:
            if row.reason or not isinstance(row.value, dict):
                reason = row.reason or f"found {found(row.value)}; accepted is an event"
                yield Item(row.number, None, (Problem(file, row.number, "", reason),), row.replaced, row.raw)
                continue
            events.append(row.value)
            raw.append(row.raw)
            replaced += row.replaced
        named = PurePosixPath(file).name.partition(".")[0]
        if events:
            yield _item(events, named, file, b"\n".join(raw), replaced)


class OpenHandsSDKFolder(FolderFormat):
    name = "openhands-sdk-folder"
    title = "OpenHands SDK conversations (folders)"
    keeps = OpenHandsSDK.keeps
    loses = f"{OpenHandsSDK.loses} The saved state of the agent beside the events."

    def recognises_folder(self, folder: Folder) -> bool:
        paths = [path for path in sorted(folder.members) if FILE.fullmatch(path)]
        beside = [path for path in folder.members if not FILE.fullmatch(path) and path.endswith((".json", ".jsonl"))]
        if not paths or any(PurePosixPath(path).name not in ("base_state.json", "meta.json") for path in beside):
            return False
        return _are_events([folders.value_of(folder.members[paths[0]]).value])

    def read_folder(self, folder: Folder) -> Iterator[Item]:
        conversations = defaultdict(list)
        for path in sorted(folder.members):
            if FILE.fullmatch(path):
                conversations[str(PurePosixPath(path).parent)].append(folder.members[path])
        for place, files in conversations.items():
            yield from _conversation(place, files, folder.name)


def _conversation(place: str, files: list[Source], folder: str) -> Iterator[Item]:
    events: list[Json] = []
    raw: list[bytes] = []
    room = folders.MOST_TOGETHER
    for source in files:
        line = folders.value_of(source)
        room -= len(line.raw)
        if line.reason or not isinstance(line.value, dict) or room < 0:
            said = "more than can be held together" if room < 0 else f"{found(line.value)}; accepted is an event"
            yield folders.nothing(source.name, line, "", line.reason or f"found {said}")
        else:
            events.append(line.value)
            raw.append(line.raw)
    path = PurePosixPath(place)
    named = path.parent.name if path.name == "events" else path.name
    yield _item(events, named or PurePosixPath(folder).name.partition(".")[0], files[0].name, b"\n".join(raw))


def _item(events: list[Json], named: str, file: str, raw: bytes, replaced: int = 0) -> Item:
    """The conversation of that name."""
    try:
        record = record_of(events, _Teller("").told(events))
    except Refused as refused:
        return Item(1, None, (Problem(file, 1, refused.field, refused.reason),), replaced, raw)
    return Item(1, replace(record, external_id=named[: naming.NAME]), (), replaced, raw)


def _are_events(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_event(one) for one in value[:5])


def _is_event(value: Json) -> bool:
    kind = words(value, "kind")
    return (kind.endswith("Event") or kind in KINDS) and ("id" in value or "source" in value)


class _Teller:
    def __init__(self, key: str) -> None:
        self._key = key
        self._turns: list[Turn] = []
        self._replies: dict[str, Turn] = {}
        self._of: dict[str, Turn] = {}  # id of an action or of its call → its turn
        self._agent: Turn | None = None
        self._tools: Json = None

    def told(self, events: list[Json]) -> Told:
        for index, one in enumerate(events):
            if not isinstance(one, dict):
                raise Refused(f"{self._key}[{index}]", f"found {found(one)}; accepted is an event with its kind")
            kind = words(one, "kind")
            if kind == "ActionEvent":
                self._acted(index, one)
            elif kind in ANSWERS:
                self._seen(index, one)
            elif kind == "MessageEvent":
                self._said(index, one)
            elif kind == "SystemPromptEvent":
                self._prompted(index, one)
        return Told(self._turns, "", self._tools)

    def _reply(self, index: int, event: dict[str, Any]) -> Turn:
        reply = words(event, "llm_response_id")
        turn = self._replies.get(reply) if reply else None
        if turn is None:
            self._turns.append(turn := Turn("agent", index))
        self._agent = turn
        self._replies |= {reply: turn} if reply else {}
        return turn

    def _acted(self, index: int, event: dict[str, Any]) -> None:
        turn = self._reply(index, event)
        turn.say(chat.text_of(event.get("thought")), _reasoning(event))
        turn.calls.append(call := _call(event))
        self._of |= {key: turn for key in (words(event, "id"), call["id"]) if key}
        kept = without(event, *TOLD)
        turn.keep(kept | ({"action": event["action"]} if member(event, "action") else {}))

    def _seen(self, index: int, event: dict[str, Any]) -> None:
        keys = (words(event, "action_id"), words(event, "tool_call_id"))
        owner = next((self._of[key] for key in keys if key in self._of), self._agent)
        if owner is None:
            self._turns.append(owner := Turn("system", index))
        owner.observations.append(_observation(event))

    def _said(self, index: int, event: dict[str, Any]) -> None:
        message = member(event, "llm_message")
        content = message.get("content")
        source = SOURCES.get(words(message, "role") or words(event, "source"), "system")
        turn = self._reply(index, event) if source == "agent" else Turn(source, index)
        if source != "agent":
            self._turns.append(turn)
        turn.say(chat.text_of(content), _reasoning(message) if source == "agent" else "")
        rest = without(message, "role", "content", "tool_calls", "reasoning_content", "thinking_blocks")
        pictured = any(words(part, "type") not in ("text", "") for part in listed(content))
        fields = without(event, "llm_message", "source") | ({"llm_message": rest} if rest else {})
        turn.keep(fields | ({"content": [_part(part) for part in listed(content)]} if pictured else {}))

    def _prompted(self, index: int, event: dict[str, Any]) -> None:
        prompt = event.get("system_prompt")
        text = prompt if isinstance(prompt, str) else words(prompt, "text")
        self._tools = event.get("tools") or self._tools
        self._turns.append(Turn("system", index, text, fields=without(event, "system_prompt", "tools", "source")))


def _reasoning(event: dict[str, Any]) -> str:
    blocks = [words(one, "thinking") for one in listed(event.get("thinking_blocks"))]
    return words(event, "reasoning_content") or "\n\n".join(one for one in blocks if one)


def _call(event: dict[str, Any]) -> dict[str, Json]:
    """The call as the model wrote it."""
    call = member(event, "tool_call")
    said = call | member(call, "function")
    return {
        "id": words(event, "tool_call_id") or words(call, "id"),
        "name": words(event, "tool_name") or words(said, "name"),
        "arguments": said["arguments"] if "arguments" in said else without(member(event, "action"), "kind"),
    }


def _observation(event: dict[str, Any]) -> Json:
    seen = member(event, "observation")
    content: Json = event.get("error", event.get("rejection_reason"))
    if content is None:
        content = next((seen[key] for key in ("content", "output") if key in seen), event.get("observation"))
    if isinstance(content, list):
        parts = [_part(part) for part in content]
        content = parts if any(words(part, "type") not in ("text", "") for part in parts) else chat.text_of(parts)
    said = {"role": "tool", "name": words(event, "tool_name"), "content": content}
    said |= {"tool_call_id": words(event, "tool_call_id")} if words(event, "tool_call_id") else {}
    rest = without(seen, "content", "output")
    return said | without(event, *SEEN) | ({"observation": rest} if rest else {})


def _part(part: Json) -> Json:
    """A part of a message; pictures, which stand in lists here, as chat messages have them."""
    addresses = [one for one in listed(mapping(part).get("image_urls")) if isinstance(one, str)]
    if words(part, "type") == "image" and addresses:
        return {"type": "image_url", "image_url": {"url": addresses[0]}} | (
            {"more": addresses[1:]} if addresses[1:] else {}
        )
    return part
