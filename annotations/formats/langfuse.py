"""Langfuse: a trace with its observations and scores, or observations as rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from annotations.formats.loose import listed, mapping
from annotations.formats.otlp_attributes import fill, system_of
from annotations.formats.otlp_log import SpanLog
from annotations.formats.otlp_messages import opened, said
from annotations.formats.otlp_parts import definitions, text
from annotations.formats.otlp_spans import Kind, Span, Trace, moment, numbers, traced
from annotations.formats.turns import call, number, words
from annotations.records import Json

KINDS: dict[str, Kind] = {"GENERATION": "llm", "TOOL": "tool", "AGENT": "agent"}
TYPES = frozenset(
    ["SPAN", "GENERATION", "EVENT", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR", "EMBEDDING", "GUARDRAIL"]
)
TRACE_KEYS = frozenset(["sessionId", "projectId", "bookmarked", "public", "environment", "htmlPath"])
SHOWN = frozenset(["input", "output", "observations", "metadata"])


class Langfuse(SpanLog):
    name = "langfuse"
    title = "Langfuse traces (JSON, JSONL, CSV)"
    keeps = "The conversation with its tool calls and results, the span of each turn, scores, tokens, cost, tools."
    loses = "Times and metadata of each observation, which stay in the original."

    def recognises(self, value: Json) -> bool:
        if not isinstance(value, dict):
            return False
        if _is_trace(mapping(value.get("trace"))) and isinstance(value.get("observations", []), list):
            return True
        if isinstance(value.get("data"), list) and value["data"]:
            return isinstance(value.get("meta"), dict) and self.recognises(value["data"][0])
        return _is_trace(value) or _is_observation(value)

    def traces(self, value: Json) -> Iterator[Trace]:
        if not isinstance(value, dict):
            return
        if isinstance(value.get("data"), list):
            for one in value["data"]:
                yield from self.traces(one)
        elif isinstance(value.get("trace"), dict):
            beside = listed(value.get("observations")) or listed(value["trace"].get("observations"))
            yield _trace(value["trace"], beside, [*_scores(value["trace"]), *_scores(value)])
        elif not _is_observation(value) and ("observations" in value or _is_trace(value)):
            yield _trace(value, listed(value.get("observations")), _scores(value))

    def parts(self, value: Json) -> Iterator[tuple[str, Any]]:
        for one in listed(value.get("data")) if isinstance(value, dict) and "data" in value else [value]:
            if isinstance(one, dict) and _is_observation(one):
                yield str(one.get("traceId") or one.get("trace_id") or ""), one

    def together(self, trace: str, parts: list[Any]) -> Trace:
        return _trace({"id": trace}, parts, [])


def _is_trace(value: dict[str, Any]) -> bool:
    if not isinstance(value.get("id"), str) or "timestamp" not in value:
        return False
    observations = listed(value.get("observations"))
    if observations and isinstance(observations[0], dict):
        return _is_observation(observations[0] | {"traceId": value["id"]})
    return {"input", "output"} <= value.keys() and len(TRACE_KEYS & value.keys()) > 1


def _is_observation(value: dict[str, Any]) -> bool:
    timed = "startTime" in value or "start_time" in value
    kind = value.get("type")
    return timed and ("traceId" in value or "trace_id" in value) and isinstance(kind, str) and kind.upper() in TYPES


def _scores(value: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in listed(opened(value.get("scores"))) if isinstance(one, dict)]


def _trace(trace: dict[str, Any], observations: list[Json], scores: list[dict[str, Any]]) -> Trace:
    of_span: dict[str, dict[str, Json]] = {}
    of_trace: dict[str, Json] = {}
    for score in scores:
        of = of_span.setdefault(score["observationId"], {}) if words(score, "observationId") else of_trace
        value = score.get("value")
        of[words(score, "name")[:80] or "score"] = value if number(value) else score.get("stringValue", value)
    spans = [_span(one, of_span, f"observations[{place}]") for place, one in enumerate(observations)]
    kept = [one for one in spans if one]
    rest = {key: value for key, value in trace.items() if key not in SHOWN and value not in (None, "", [], {})}
    metadata = opened(trace.get("metadata"))
    return Trace(
        id=words(trace, "id"),
        spans=traced(("", one) for one in kept).get("", []),
        name=words(trace, "name"),
        heard=said(trace.get("input"), "user", "input"),
        answer=said(trace.get("output"), "assistant", "output").messages,
        scores=of_trace,
        fields=rest | ({"metadata": metadata} if metadata else {}) | ({"scores": scores} if scores else {}),
    )


def _span(given: Json, scores: dict[str, dict[str, Json]], where: str) -> Span | None:
    if not isinstance(given, dict):
        return None
    metadata = mapping(opened(given.get("metadata")))
    attributes = mapping(opened(metadata.get("attributes")))
    span = Span(
        id=words(given, "id"),
        parent=words(given, "parentObservationId") or words(given, "parent_observation_id"),
        name=words(given, "name"),
        kind=KINDS.get(words(given, "type").upper(), ""),
        start=moment(given.get("startTime", given.get("start_time"))),
        end=moment(given.get("endTime", given.get("end_time"))),
        model=words(given, "model") or words(given, "provided_model_name"),
    )
    if not span.kind:
        span.kind = "tool" if _is_tool(given, attributes) else ""
    if span.kind == "llm":
        _model(span, given, attributes, where)
    elif span.kind == "tool":
        _tool(span, given, attributes)
    span.values = numbers(_usage(given)) | numbers(scores.get(span.id, {}))
    return span


def _model(span: Span, given: dict[str, Any], attributes: dict[str, Any], where: str) -> None:
    held, answer = opened(given.get("input")), opened(given.get("output"))
    span.heard = said(held, "user", f"{where}.input")
    told = said(answer, "assistant", f"{where}.output")
    span.answer = told.messages
    beside = mapping(answer) or mapping(held)
    span.heard.tools += definitions(opened(mapping(held).get("tools") or beside.get("tools")))
    if isinstance(instructions := beside.get("instructions"), str) and instructions:
        attributes = {"gen_ai.system_instructions": instructions} | attributes
    if not span.heard.messages and not span.answer:
        fill(span, attributes)
        return
    said_by = Span("", kind="llm")
    fill(said_by, attributes)
    span.heard.tools = span.heard.tools or said_by.heard.tools
    if not any(one["role"] == "system" for one in span.heard.messages):
        span.heard.messages[:0] = system_of(attributes)


def _tool(span: Span, given: dict[str, Any], attributes: dict[str, Any]) -> None:
    output = opened(given.get("output"))
    kwargs = mapping(mapping(output).get("kwargs")) or mapping(output)
    call_id = words(attributes, "gen_ai.tool.call.id") or words(kwargs, "tool_call_id")
    name = words(attributes, "gen_ai.tool.name") or words(attributes, "tool.name") or span.name
    span.call = call(name, text(opened(given.get("input"))) or "{}", call_id)
    is_message = "tool_call_id" in kwargs and "content" in kwargs
    result = kwargs["content"] if is_message else output
    span.result = None if given.get("output") is None else text(result)


def _is_tool(given: dict[str, Any], attributes: dict[str, Any]) -> bool:
    output = mapping(opened(given.get("output")))
    kwargs = mapping(output.get("kwargs")) or output
    return "gen_ai.tool.name" in attributes or (kwargs.get("type") == "tool" and "tool_call_id" in kwargs)


def _usage(given: dict[str, Any]) -> dict[str, Json]:
    usage, cost = mapping(opened(given.get("usageDetails") or given.get("usage_details"))), given.get("totalCost")
    found = {"input_tokens": usage.get("input"), "output_tokens": usage.get("output"), "cost": cost}
    return {key: value for key, value in found.items() if number(value) and value}
