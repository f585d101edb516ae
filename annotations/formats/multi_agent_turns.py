"""Who says what in a conversation of several agents, as their frameworks spell it."""

from __future__ import annotations

from typing import Any

from annotations.formats import chat
from annotations.formats.base import Refused, found
from annotations.formats.loose import listed, without
from annotations.formats.turns import member, number, words
from annotations.records import Json, StepRecord

SPEAKERS = ("name", "agent", "agent_name", "sender", "speaker", "sent_from", "source", "role")
CONTENTS = ("content", "message", "raw", "text", "output")
PEOPLE = frozenset(["user", "human", "human input", "human_input", "customer", "client"])
PROXIES = frozenset(["user_proxy", "userproxy", "user proxy", "user_proxy_agent", "userproxyagent", "admin", "boss"])
SYSTEM = frozenset(["system", "developer"])
RESULTS = frozenset(["tool", "function"])
EXECUTED = "ToolCallExecutionEvent"


def speaker_of(turn: Json) -> str:
    """The turn's speaker: its name, else its role."""
    for key in SPEAKERS:
        said = turn.get(key) if isinstance(turn, dict) else None
        said = words(said, "name") or words(said, "role") if isinstance(said, dict) else said
        if isinstance(said, str) and said:
            return said
    return ""


def content_of(turn: dict[str, Any]) -> Json:
    """What the turn says; None where it says nothing, as where it only calls tools."""
    key = _content_key(turn)
    if key:
        return turn[key]
    return "" if turn.get("tool_calls") or turn.get("function_call") else None


def is_result(turn: Json) -> bool:
    return words(turn, "role") in RESULTS or words(turn, "type") == EXECUTED


def steps_of(turns: list[Json], key: str) -> tuple[StepRecord, ...]:
    """Raises Refused, naming the turn by the key of its list."""
    steps: list[StepRecord] = []
    observations: dict[int, list[Json]] = {}
    calls: dict[str, int] = {}
    latest: int | None = None
    for index, turn in enumerate(turns):
        if not isinstance(turn, dict):
            raise Refused(f"{key}[{index}]", f"found {found(turn)}; accepted is an object with a speaker and content")
        if is_result(turn) and latest is not None:
            for one in _results(turn):
                owner = calls.get(words(one, "tool_call_id"), latest)
                observations.setdefault(owner, []).append(one)
            continue
        if not speaker_of(turn):
            raise Refused(f"{key}[{index}]", f"found {found(turn)} without a speaker; accepted are name, agent or role")
        steps.append(step := _step(turn, index, first=not steps))
        if step.source == "agent":
            latest = index
            calls |= {call["id"]: index for call in step.tool_calls if call["id"]}
    return tuple(_with(step, observations.get(step.source_index, [])) for step in steps)


def _with(step: StepRecord, observations: list[Json]) -> StepRecord:
    return StepRecord(**vars(step) | {"observations": tuple(observations)}) if observations else step


def _step(turn: dict[str, Any], index: int, *, first: bool) -> StepRecord:
    name, content, written = speaker_of(turn), content_of(turn), _content_key(turn)
    raw = turn.get("tool_calls") or ([turn["function_call"]] if isinstance(turn.get("function_call"), dict) else [])
    if words(turn, "type") == "ToolCallRequestEvent" and isinstance(content, list):
        raw, content = content, ""
    fields = without(turn, written, "name")
    if not isinstance(content, str):
        fields["content"] = content
    thought = next((one for one in ("thought", "reasoning", "reasoning_content") if words(turn, one)), "")
    source = _source(turn, name, first=first)
    calls = tuple(map(_call, listed(raw))) if source == "agent" else ()
    if calls and listed(turn.get("tool_calls")):
        fields = without(fields, "tool_calls")
    values = {key: one for key, one in member(turn, "models_usage").items() if number(one)}
    return StepRecord(
        source=source,
        source_index=index,
        message=chat.text_of(content),
        reasoning=words(turn, thought),
        tool_calls=calls,
        extra={"fields": {"name": name, **without(fields, thought)}} | ({"values": values} if values else {}),
    )


def _source(turn: dict[str, Any], name: str, *, first: bool) -> str:
    """What opens the conversation is the task, where one who stands for a person gives it."""
    called, role = name.lower().strip(), words(turn, "role").lower()
    if called in SYSTEM or role in SYSTEM or role in RESULTS:
        return "system"
    if called in PEOPLE or first and (called in PROXIES or role in PEOPLE):
        return "user"
    return "agent"


def _content_key(turn: dict[str, Any]) -> str:
    return next((key for key in CONTENTS if turn.get(key) is not None), "")


def _call(call: Json) -> Json:
    """A tool call, in OpenAI's spelling or a flat one."""
    said = member(call, "function") or (call if isinstance(call, dict) else {"arguments": call})
    ours = {"id": words(call, "id"), "name": words(said, "name"), "arguments": said.get("arguments")}
    rest = without(call, "id", "name", "arguments", "function", "type") if isinstance(call, dict) else {}
    return ours | ({"more": rest} if rest else {})


def _results(turn: dict[str, Any]) -> list[Json]:
    """The observations that a turn of a tool holds: one, or several where an event tells them together."""
    if words(turn, "type") == EXECUTED and isinstance(turn.get("content"), list):
        return [_result(one) for one in turn["content"]]
    responses = turn.get("tool_responses")
    if isinstance(responses, list) and responses:
        return [_result(one) for one in responses]
    return [{"role": "tool", **turn}]


def _result(one: Json) -> Json:
    if not isinstance(one, dict):
        return {"role": "tool", "content": one}
    named = words(one, "call_id") or words(one, "tool_call_id")
    return {"role": "tool", **without(one, "call_id")} | ({"tool_call_id": named} if named else {})
