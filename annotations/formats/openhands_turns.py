"""What both generations of OpenHands logs share: turns in the making, and the row that an evaluation wraps them in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotations.formats import chat, naming
from annotations.formats.base import Refused, ValueFormat, found
from annotations.formats.loose import mapping, without
from annotations.formats.turns import member, number, words
from annotations.records import Json, StepRecord, TaskRecord, TrajectoryRecord

EVENTS = ("history", "trajectory", "events")
MAPPED = (*EVENTS, "instance_id", "instruction", "test_result")


@dataclass
class Turn:
    source: str
    index: int
    message: str = ""
    reasoning: str = ""
    calls: list[Json] = field(default_factory=list)
    observations: list[Json] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def step(self) -> StepRecord:
        extra = ({"fields": self.fields} if self.fields else {}) | ({"values": self.values} if self.values else {})
        return StepRecord(
            self.source, self.index, self.message, self.reasoning, tuple(self.calls), tuple(self.observations), extra
        )

    def say(self, message: str, reasoning: str = "") -> None:
        """Adds what another event of the same reply says."""
        self.message = "\n\n".join(one for one in (self.message, message) if one)
        self.reasoning = "\n\n".join(one for one in (self.reasoning, reasoning) if one)

    def keep(self, fields: dict[str, Any]) -> None:
        """The fields of the first event; those of further ones stand in a list."""
        if self.fields:
            self.fields["more"] = [*self.fields.get("more", []), fields]
        else:
            self.fields = fields


@dataclass(frozen=True)
class Told:
    """What the events say: their turns, and of the whole the model and the tools."""

    turns: Sequence[Turn]
    model: str = ""
    tools: Json = None


class Events(ValueFormat):
    """A list of events, or a row of an evaluation that has one, is a record."""

    def are_events(self, value: Json) -> bool:
        """Whether the value is a list that begins with events of this generation."""
        raise NotImplementedError

    def told(self, key: str, events: Json) -> Told:
        """The turns of the events, which stand under the key. Raises Refused."""
        raise NotImplementedError

    def recognises(self, value: Json) -> bool:
        if isinstance(value, dict):
            return any(self.are_events(value.get(key)) for key in EVENTS)
        return self.are_events(value)

    def records(self, value: Any) -> Iterable[TrajectoryRecord | Refused]:
        key, events = events_of(value)
        return (record_of(value, self.told(key, events)),)


def events_of(value: Json) -> tuple[str, Json]:
    """Where the events are, and they."""
    if isinstance(value, list):
        return "", value
    key = next((key for key in EVENTS if isinstance(mapping(value).get(key), list)), "")
    if not key:
        raise Refused("history", f"found {found(mapping(value).get('history'))}; accepted is a list of events")
    return key, value[key]


def record_of(value: Json, told: Told) -> TrajectoryRecord:
    """The record of the events, with what the row around them says. Raises Refused."""
    row = mapping(value)
    steps = tuple(turn.step() for turn in told.turns)
    if not any(step.source == "agent" for step in steps):
        raise Refused(
            events_of(value)[0], "found no action of the agent, so there is no step to label; accepted is one"
        )
    asked = words(row, "instruction")
    told_of = member(row, "metadata")
    configs = (member(told_of, "llm_config"), member(told_of, "llm"), member(row, "llm"))
    model = told.model or next((name for one in configs if (name := words(one, "model"))), "")
    return TrajectoryRecord(
        task=TaskRecord(
            external_id=naming.name(row, "instance_id") or naming.prompt_id(steps),
            source=words(told_of, "dataset")[:200],
            instruction=asked or naming.instruction(steps),
            tools=told.tools,
        ),
        steps=steps,
        policy_model=model[:200],
        outcome=_outcome(row),
        extra={"fields": without(row, *MAPPED)} if row else {},
    )


def _outcome(row: dict[str, Any]) -> Json:
    result = row.get("test_result")
    said = mapping(result)
    resolved = said.get("resolved", member(said, "report").get("resolved"))
    told = {
        "answer": said.get("git_patch"),
        "resolved": resolved,
        "result": without(said, "git_patch") if isinstance(result, dict) else result,
        "error": row.get("error"),
    }
    return {key: one for key, one in told.items() if one not in (None, "", {})} or None


def numbers(value: Json) -> dict[str, Json]:
    return {key: one for key, one in mapping(value).items() if number(one)}


def with_pictures(text: Json, pictures: Json) -> Json:
    """The content of a message that has pictures, as chat messages have it."""
    addresses = [one for one in pictures if isinstance(one, str) and one] if isinstance(pictures, list) else []
    if not addresses:
        return text
    parts = [{"type": "image_url", "image_url": {"url": one}} for one in addresses]
    return [{"type": "text", "text": text if isinstance(text, str) else chat.text_of(text)}, *parts]
