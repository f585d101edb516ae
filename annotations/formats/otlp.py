"""Spans of OpenTelemetry: OTLP JSON as collectors and SDKs write it, and spans as flat rows."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from annotations.formats.base import Refused, found
from annotations.formats.loose import listed, mapping
from annotations.formats.otlp_attributes import fill
from annotations.formats.otlp_log import SpanLog
from annotations.formats.otlp_messages import opened, said
from annotations.formats.otlp_spans import Kind, Span, Trace, moment, traced
from annotations.formats.turns import words
from annotations.records import Json

DOCUMENTS = ("resourceSpans", "resource_spans")
SCOPES = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans")
NESTED = "attributes."
ROW_KINDS: dict[str, Kind] = {"LLM": "llm", "TOOL": "tool", "AGENT": "agent"}
STARTS = ("startTimeUnixNano", "start_time_unix_nano", "start_time", "startTime", "start_time_unix_nanos")
ENDS = ("endTimeUnixNano", "end_time_unix_nano", "end_time", "endTime")
OURS = ("gen_ai.", "llm.", "openinference.", "traceloop.", "ai.")
TASKS = ("task.id", "task_id", "metadata.task_id", "dataset.example.id")
SESSIONS = ("session.id", "gen_ai.conversation.id", "user.id")
_INTEGER = re.compile(r"-?\d{1,19}")


class OTLP(SpanLog):
    name = "otlp"
    title = "OpenTelemetry spans: GenAI and OpenInference (OTLP JSON, JSONL)"
    keeps = "The conversation with its tool calls and results, the span of each turn, tools, tokens, cost, scores."
    loses = "Other attributes and events of the spans, which stay in the original."

    def recognises(self, value: Json) -> bool:
        if not isinstance(value, dict):
            return False
        if any(isinstance(value.get(key), list) for key in DOCUMENTS):
            return True
        return _is_span(value) or any(key.startswith(OURS[:3]) for key in value)

    def parts(self, value: Json) -> Iterator[tuple[str, Any]]:
        if isinstance(value, dict):
            yield from spans_in(value)

    def together(self, trace: str, parts: list[Any]) -> Trace:
        return trace_of("" if trace.startswith("\x00") else trace, parts)


def spans_in(value: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The spans of a document, or the one that a row is, each with its trace's id and beside its resource."""
    document = next((value[key] for key in DOCUMENTS if isinstance(value.get(key), list)), None)
    if document is None:
        row = _row(value)
        yield row["trace"] or f"\x00{id(value)}", row
        return
    for place, one in enumerate(document):
        if not isinstance(one, dict):
            raise Refused(f"resourceSpans[{place}]", f"found {found(one)}; accepted is an object")
        resource = attributes_of(mapping(one.get("resource")).get("attributes"))
        for scope in next((listed(one[key]) for key in SCOPES if one.get(key)), []):
            for span in listed(mapping(scope).get("spans")):
                if isinstance(span, dict):
                    row = _row(span)
                    yield row["trace"], row | {"resource": resource}


def trace_of(trace_id: str, rows: list[dict[str, Any]]) -> Trace:
    """The trace of the spans as spans_in gives them. Raises Refused."""
    spans = traced(("", _span(row)) for row in rows).get("", [])
    top = _top(rows)
    attributes = top["attributes"]
    every = [row["attributes"] for row in rows]
    heard = said(_value(attributes, "input.value", "traceloop.entity.input", "gen_ai.input.messages"), "user", "input")
    answer = said(
        _value(attributes, "output.value", "traceloop.entity.output", "gen_ai.output.messages"), "assistant", "output"
    )
    named = next((one[key] for one in every for key in TASKS if isinstance(one.get(key), (str, int))), "")
    sessions = {key: one[key] for one in reversed(every) for key in SESSIONS if isinstance(one.get(key), (str, int))}
    resource = top.get("resource") or {}
    fields = {"resource": resource} if resource else {}
    return Trace(
        id=trace_id,
        spans=spans,
        name=words(resource, "service.name") or words(resource, "openinference.project.name") or top["name"],
        heard=heard,
        answer=answer.messages if top["kind"] != "llm" else [],
        task=str(named)[:300],
        fields=fields | ({"attributes": sessions} if sessions else {}),
    )


def _top(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The span that the others hang from: the earliest whose parent is not here."""
    ids = {row["id"] for row in rows}
    tops = [row for row in rows if row["parent"] not in ids or row["parent"] == row["id"]]
    return min(tops or rows, key=lambda row: row["start"])


def _value(attributes: dict[str, Any], *keys: str) -> Json:
    return next((attributes[key] for key in keys if attributes.get(key) is not None), None)


def _span(row: dict[str, Any]) -> Span:
    span = Span(row["id"], row["parent"], row["name"], row["kind"], row["start"], row["end"])
    return fill(span, row["attributes"], row["events"])


def _row(span: dict[str, Any]) -> dict[str, Any]:
    """A span under the names we read: as OTLP, as the SDK's console writes it, as Phoenix exports it, or nothing but
    its attributes."""
    context = mapping(span.get("context")) or mapping(span.get("span_context"))
    given = span.get("attributes")
    attributes = attributes_of(opened(given)) if given is not None else {}
    attributes |= {key.removeprefix(NESTED): value for key, value in span.items() if key.startswith(NESTED)}
    if given is None and not attributes:
        attributes = {
            key: value for key, value in span.items() if key.startswith((*OURS, "input.", "output.", "tool."))
        }
    kind = words(span, "span_kind")
    events = [_event(one) for one in listed(opened(span.get("events")))]
    return {
        "trace": _id(span, "traceId", "trace_id", "context.trace_id") or _id(context, "trace_id", "traceId"),
        "id": _id(span, "spanId", "span_id", "context.span_id") or _id(context, "span_id", "spanId"),
        "parent": _id(span, "parentSpanId", "parent_span_id", "parent_id"),
        "name": words(span, "name"),
        "kind": ROW_KINDS.get(kind.upper(), ""),
        "start": next((moment(span[key]) for key in STARTS if span.get(key)), 0.0),
        "end": next((moment(span[key]) for key in ENDS if span.get(key)), 0.0),
        "attributes": _flat(attributes),
        "events": events,
    }


def _id(row: dict[str, Any], *keys: str) -> str:
    """A span's or trace's id in hex, whether it is told as such or, as protobuf's own JSON does, in base64."""
    told = next((row[key] for key in keys if isinstance(row.get(key), str)), "").removeprefix("0x")
    if len(told) in (12, 24) and told.endswith("=") or len(told) == 24:
        try:
            return base64.b64decode(told, validate=True).hex()
        except (binascii.Error, ValueError):
            return str(told)
    return str(told)


def _event(one: Json) -> Json:
    event = mapping(one)
    return {**event, "attributes": attributes_of(event.get("attributes"))}


def attributes_of(given: Json) -> dict[str, Any]:
    """Attributes as an object: they are one, or a list of keys with their values as OTLP wraps them."""
    if isinstance(given, dict):
        return dict(given)
    pairs = (one for one in listed(given) if isinstance(one, dict) and isinstance(one.get("key"), str))
    return {one["key"]: unwrapped(one.get("value")) for one in pairs}


WRAPPED = {"stringValue", "boolValue", "doubleValue", "bytesValue", "string_value", "bool_value", "double_value"}
INTEGERS = ("intValue", "int_value")
LISTS = ("arrayValue", "array_value")
OBJECTS = ("kvlistValue", "kvlist_value")


def unwrapped(value: Json, depth: int = 0) -> Json:
    """A value as OTLP wraps it: {"stringValue": "…"}."""
    if not isinstance(value, dict) or len(value) != 1 or depth > 60:
        return value
    ((kind, inner),) = value.items()
    if kind in WRAPPED:
        return inner
    if kind in INTEGERS:
        return int(inner) if isinstance(inner, str) and _INTEGER.fullmatch(inner) else inner
    if kind in LISTS:
        return [unwrapped(one, depth + 1) for one in listed(mapping(inner).get("values"))]
    if kind in OBJECTS:
        pairs = (mapping(one) for one in listed(mapping(inner).get("values")))
        return {str(one.get("key")): unwrapped(one.get("value"), depth + 1) for one in pairs}
    return value


def _flat(attributes: dict[str, Any]) -> dict[str, Any]:
    """Attributes with dotted keys, whether they came so or as objects in each other. Lists stay, and messages."""
    found: dict[str, Any] = {}
    for key, value in attributes.items():
        if isinstance(value, dict) and f"{key}.".startswith(
            (*OURS, "input.", "output.", "tool.", "session.", "metadata.")
        ):
            found |= _dotted(key, value, 0)
        else:
            found[key] = value
    return found


def _dotted(prefix: str, value: dict[str, Any], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, inner in value.items():
        name = f"{prefix}.{key}"
        if (
            isinstance(inner, dict)
            and depth < 8
            and name not in ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result")
        ):
            found |= _dotted(name, inner, depth + 1)
        else:
            found[name] = inner
    return found


def _is_span(value: dict[str, Any]) -> bool:
    context = mapping(value.get("context"))
    traced = any(isinstance(value.get(key), str) for key in ("traceId", "trace_id", "context.trace_id"))
    spanned = any(isinstance(value.get(key), str) for key in ("spanId", "span_id", "context.span_id"))
    told = "attributes" in value or any(key.startswith(NESTED) for key in value)
    return told and ((traced and spanned) or {"trace_id", "span_id"} <= context.keys())
