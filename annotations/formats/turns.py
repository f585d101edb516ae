"""What readers of logs ask of turns again and again: conversations under other names, numbers that belong to a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from annotations.formats import chat
from annotations.formats.base import Refused
from annotations.records import Json, StepRecord


def steps_at(messages: Json, field: str) -> tuple[StepRecord, ...]:
    """The steps of chat messages that stand under another name in the file. Raises Refused, naming them by it."""
    try:
        return chat.steps_of(messages)
    except Refused as refused:
        raise Refused(refused.field.replace("messages", field, 1), refused.reason) from refused


def steps_from(messages: Sequence[tuple[int, Json]], field: str) -> tuple[StepRecord, ...]:
    """The steps of messages that are given with their places in the original: one place there may hold several that
    are no turns of their own (where they are, turns are numbered anew). Raises Refused, as steps_at."""
    places = [place for place, _ in messages]
    steps = steps_at([message for _, message in messages], field)
    begun = [places[step.source_index] for step in steps]
    return tuple(_placed(step, places) for step in steps) if len(set(begun)) == len(begun) else steps


def _placed(step: StepRecord, places: Sequence[int]) -> StepRecord:
    extra = dict(step.extra)
    if "observed_at" in extra:
        extra["observed_at"] = [places[index] for index in extra["observed_at"]]
    return replace(step, source_index=places[step.source_index], extra=extra)


def call(name: Json, arguments: Json, call_id: Json = "", /, **more: Json) -> dict[str, Json]:
    """A tool call as OpenAI chat spells it, with what else the file says of it."""
    function = {"name": name if isinstance(name, str) else "", "arguments": arguments}
    return {"id": call_id if isinstance(call_id, str) else "", "type": "function", "function": function, **more}


def number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def with_values(step: StepRecord, values: Mapping[str, Json]) -> StepRecord:
    """The step with the numbers that the file gives it."""
    said = {key: value for key, value in values.items() if number(value)}
    return replace(step, extra=step.extra | {"values": said}) if said else step


def member(value: Json, key: str) -> dict[str, Any]:
    """The object under the key; an empty one where there is none."""
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def words(value: Json, key: str) -> str:
    """The text under the key; "" where there is none."""
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, str) else ""
