"""A trace as one trajectory: the conversation that its spans tell again and again, each turn with the span it is of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any, Literal

from annotations.formats import chat, naming
from annotations.formats.base import Refused
from annotations.formats.lines import dump
from annotations.formats.otlp_chains import chains_of
from annotations.formats.otlp_messages import Said
from annotations.formats.otlp_tools import answered, uncalled
from annotations.formats.turns import with_values, words
from annotations.records import Json, StepRecord, TaskRecord, TrajectoryRecord

Kind = Literal["llm", "tool", "agent", ""]
LONGEST_NAME = 300


@dataclass(eq=False)
class Span:
    """One span as the rebuilding needs it. `heard` is what a model was told, `answer` what it said; a tool has its
    `call` and `result`. `values` are numbers that the span was given (scores, cost)."""

    id: str
    parent: str = ""
    name: str = ""
    kind: Kind = ""
    start: float = 0.0
    end: float = 0.0
    heard: Said = field(default_factory=Said)
    answer: list[Json] = field(default_factory=list)
    model: str = ""
    call: dict[str, Json] = field(default_factory=dict)
    result: str | None = None
    values: dict[str, float] = field(default_factory=dict)


@dataclass
class Trace:
    """The spans of one trace, in any order. `heard` and `answer` are what the whole was asked and said; `scores` what
    it was given; `fields` what else its file says of it."""

    id: str
    spans: list[Span] = field(default_factory=list)
    name: str = ""
    heard: Said = field(default_factory=Said)
    answer: list[Json] = field(default_factory=list)
    scores: dict[str, Json] = field(default_factory=dict)
    task: str = ""
    fields: dict[str, Json] = field(default_factory=dict)


def record_of(trace: Trace) -> TrajectoryRecord:
    """Raises Refused where the spans say nothing of a conversation."""
    spans = sorted(trace.spans, key=lambda one: (one.start, one.end))
    models = [one for one in spans if one.kind == "llm" and (one.heard.messages or one.answer)]
    agents = _agents(spans)
    told = _told(trace, models, spans, agents)
    if not any(message["role"] == "assistant" for message in told):
        raise Refused("spans", "found no span that says what a model answered or a tool was asked")
    values = {one.id: one.values for one in spans if one.values}
    steps = tuple(_valued(step, values) for step in chat.steps_of(told))
    tools = _offered(trace, models)
    model = next((one.model for one in reversed(models) if one.model), "")
    return TrajectoryRecord(
        task=TaskRecord(
            external_id=trace.task or naming.prompt_id(steps, tools),
            source=trace.name[:200],
            instruction=naming.instruction(steps),
            tools=tools,
        ),
        steps=steps,
        external_id=trace.id[:LONGEST_NAME],
        policy_model=model[:200],
        outcome=_outcome(trace, told),
        meta={"trace_id": trace.id[:LONGEST_NAME]} if trace.id else {},
        extra={"fields": trace.fields | {"spans": [_listed(one) for one in spans]}},
    )


def _offered(trace: Trace, models: Sequence[Span]) -> Json:
    """The tools that any call was offered, each once; None where none was."""
    every = [tool for one in models for tool in one.heard.tools] or trace.heard.tools
    return list({dump(tool): tool for tool in every}.values()) or None


def _told(trace: Trace, models: Sequence[Span], spans: Sequence[Span], agents: Mapping[str, str]) -> list[Json]:
    tools = [one for one in spans if one.kind == "tool"]
    if models:
        several = len({agents[one.id] for one in models}) > 1
        named = {one.id: agents[one.id] for one in models} if several else {}
        told = [message for chain in chains_of(models, named) for message in answered(chain, tools)]
        return [_plain(message) for message in told]
    if not tools and not trace.answer:
        return []
    last = [{**message, "role": "assistant"} for message in trace.answer]
    return [_plain(one) for one in (*trace.heard.messages, *uncalled(tools), *last)]


def _plain(message: dict[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in message.items() if key != "open"}


def _valued(step: StepRecord, values: Mapping[str, dict[str, float]]) -> StepRecord:
    """The step with the numbers of its span. Where it stands among the messages is where a label of it belongs."""
    fields = step.extra.get("fields", {})
    return with_values(step, values.get(words(fields, "span_id"), {}))


def _outcome(trace: Trace, told: Sequence[Json]) -> Json:
    last = told[-1] if told else {}
    said = last.get("content") if last.get("role") == "assistant" else None
    answer = chat.text_of(trace.answer[-1].get("content")) if trace.answer else said
    outcome: dict[str, Json] = {"answer": answer} if isinstance(answer, str) and answer else {}
    return outcome | ({"scores": trace.scores} if trace.scores else {}) or None


def _listed(span: Span) -> Json:
    said = {"id": span.id, "parent": span.parent, "name": span.name, "kind": span.kind}
    times = {"start": span.start, "end": span.end} if span.start else {}
    return {key: value for key, value in (said | times).items() if value}


def _agents(spans: Sequence[Span]) -> dict[str, str]:
    """The name of the agent that each span is of: of the nearest span above that is an agent's."""
    by_id = {one.id: one for one in spans}
    found: dict[str, str] = {}
    for span in spans:
        here, passed = span, {span.id}
        while here.kind != "agent" and here.parent in by_id and here.parent not in passed:
            here = by_id[here.parent]
            passed.add(here.id)
        found[span.id] = here.name if here.kind == "agent" else ""
    return found


def traced(spans: Iterable[tuple[str, Span]]) -> dict[str, list[Span]]:
    """Spans by their trace, one of each id: the last that was told."""
    found: dict[str, dict[str, Span]] = {}
    for trace, span in spans:
        found.setdefault(trace, {})[span.id] = span
    return {trace: list(those.values()) for trace, those in found.items()}


def moment(value: Json) -> float:
    """A time as seconds: of a date as text, or of a number of seconds, milliseconds or nanoseconds. 0 for others."""
    if isinstance(value, str) and not value.isdecimal():
        try:
            return datetime.fromisoformat(value).timestamp()
        except (ValueError, OverflowError, OSError):
            return 0.0
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return 0.0
    number = float(value[:30]) if isinstance(value, str) else float(value) if abs(value) < 1e30 else 0.0
    if not isfinite(number):
        return 0.0
    return (
        number / 1e9 if number > 1e17 else number / 1e6 if number > 1e14 else number / 1e3 if number > 1e11 else number
    )


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Those of the values that are numbers; text that is one counts."""
    found: dict[str, float] = {}
    for key, value in values.items():
        if isinstance(value, str) and value.isdecimal() and len(value) < 16:
            value = int(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            found[key] = value
    return found
