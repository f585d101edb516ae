"""OpenHands up to 0.x: its list of events, or the row that an evaluation keeps them in (output.jsonl).

An action of the agent is a step, with the observation that it caused; actions of one reply are one step.
`source_index` is the place of the (first) action in the list, where pairs of action and observation count as two.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from annotations.formats.base import Refused, found
from annotations.formats.loose import listed, mapping, without
from annotations.formats.openhands_turns import Events, Told, Turn, numbers, with_pictures
from annotations.formats.turns import member, words
from annotations.records import Json

PASSED_OVER = frozenset(["agent_state_changed", "change_agent_state", "null", "recall", "condensation"])
RAW = ("tool_call_metadata", "action", "observation", "source", "args", "content", "cause")


class OpenHands(Events):
    name = "openhands"
    title = "OpenHands events and output.jsonl"
    keeps = "Thoughts, actions, observations with what else they say, pictures, instances, patches, results of tests."
    loses = (
        "Changes of state, recalls and condensations, and the raw responses of the model beside what was made of them."
    )

    def are_events(self, value: Json) -> bool:
        return _are_events(value)

    def told(self, key: str, events: Json) -> Told:
        return _Teller(key).told(events)


def _are_events(value: Json) -> bool:
    if not isinstance(value, list) or not value:
        return False
    flat = [one for each in value[:5] for one in (each if isinstance(each, list) else [each])]
    return bool(flat) and all(_is_event(one) for one in flat)


def _is_event(value: Json) -> bool:
    if not isinstance(value, dict) or "source" not in value and "id" not in value:
        return False
    acts = isinstance(value.get("action"), str) and isinstance(value.get("args"), dict)
    return acts or isinstance(value.get("observation"), str) and "content" in value


class _Teller:
    def __init__(self, key: str) -> None:
        self._key = key
        self._turns: list[Turn] = []
        self._of: dict[Any, Turn] = {}  # id of an action → its turn
        self._replies: dict[str, Turn] = {}
        self._agent: Turn | None = None
        self._model = ""
        self._tools: Json = None

    def told(self, events: list[Json]) -> Told:
        for place, (index, one, action) in enumerate(_flat(events)):
            if not isinstance(one, dict):
                raise Refused(f"{self._key}[{place}]", f"found {found(one)}; accepted is an event")
            if isinstance(one.get("action"), str):
                self._acted(index, one)
            elif isinstance(one.get("observation"), str):
                self._seen(index, one, action)
        return Told(self._turns, self._model, self._tools)

    def _acted(self, index: int, event: dict[str, Any]) -> None:
        kind, args = event["action"], member(event, "args")
        if kind in PASSED_OVER:
            return
        agent = event.get("source", "agent") == "agent"
        if kind == "system":
            self._tools = args.get("tools")
        reply = member(member(event, "tool_call_metadata"), "model_response")
        turn = self._replies.get(words(reply, "id")) if agent and kind != "system" else None
        if turn is None:
            source = "system" if kind == "system" else "agent" if agent else "user"
            self._turns.append(turn := Turn(source, index))
        if turn.source == "agent":
            self._agent = turn
            self._replies |= {words(reply, "id"): turn} if words(reply, "id") else {}
            self._model = self._model or words(reply, "model")
            turn.values |= numbers(reply.get("usage"))
        if isinstance(number := event.get("id"), (int, str)):
            self._of[number] = turn
        _say(turn, event, args, reply)

    def _seen(self, index: int, event: dict[str, Any], action: Json) -> None:
        kind, cause = event["observation"], event.get("cause")
        if kind in PASSED_OVER:
            return
        owner = self._of.get(cause) if isinstance(cause, (int, str)) else None
        if owner is None and isinstance(action, dict) and isinstance(number := action.get("id"), (int, str)):
            owner = self._of.get(number)
        owner = owner or self._agent
        if owner is None:
            self._turns.append(owner := Turn("system", index))
        owner.observations.append(_observation(event))


def _flat(events: list[Json]) -> Iterator[tuple[int, Json, Json]]:
    """Every event with its place, and the action of its pair where it is the second of one."""
    index = 0
    for each in events:
        pair = each if isinstance(each, list) else [each]
        for place, one in enumerate(pair):
            yield index, one, pair[0] if place else None
            index += 1


def _say(turn: Turn, event: dict[str, Any], args: dict[str, Any], reply: dict[str, Any]) -> None:
    kind, metadata = event["action"], member(event, "tool_call_metadata")
    said = words(args, "content") if kind in ("message", "system") else words(args, "thought")
    if kind == "finish":
        said = words(args, "final_thought") or said or words(event, "message")
    turn.say(said, words(_answer(reply), "reasoning_content"))
    fields = without(event, *RAW)
    if kind in ("message", "system") and not metadata:
        pictures = with_pictures(said, args.get("image_urls"))
        fields |= {"content": pictures} if isinstance(pictures, list) else {}
        fields |= {"args": rest} if (rest := without(args, "content", "image_urls", "thought", "tools")) else {}
    else:
        call, raw = _call(kind, args, metadata, reply)
        turn.calls.append(call)
        fields |= {"action": kind} | ({"args": args} if raw else {})
    turn.keep(fields)


def _answer(reply: dict[str, Any]) -> dict[str, Any]:
    first = next(iter(listed(reply.get("choices"))), None)
    return member(first, "message")


def _call(kind: str, args: dict[str, Any], metadata: dict[str, Any], reply: dict[str, Any]) -> tuple[Json, bool]:
    """The call as the model wrote it, where its response is there, and whether it is that."""
    named = words(metadata, "tool_call_id")
    for one in listed(_answer(reply).get("tool_calls")):
        if named and words(one, "id") == named and "arguments" in member(one, "function"):
            function = member(one, "function")
            return {"id": named, "name": words(function, "name"), "arguments": function["arguments"]}, True
    name = words(metadata, "function_name") or kind
    return {"id": named, "name": name, "arguments": without(args, "thought", "final_thought")}, False


def _observation(event: dict[str, Any]) -> Json:
    extras = mapping(event.get("extras"))
    picture = words(extras, "screenshot")
    content = event.get("content")
    if picture.startswith("data:image/"):
        content, extras = with_pictures(content, [picture]), without(extras, "screenshot")
    said = {"role": "tool", "name": event["observation"], "content": content}
    named = words(member(event, "tool_call_metadata"), "tool_call_id")
    said |= {"tool_call_id": named} if named else {}
    return said | without(event, *RAW, "extras") | ({"extras": extras} if extras else {})
