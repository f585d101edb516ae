"""Requests as an exporter sends them: one agent's work as spans, in JSON or protobuf."""

from __future__ import annotations

import base64
import json
from typing import Any

from google.protobuf.json_format import ParseDict  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACE = "0af7651916cd43dd8448eb211c80319c"
START = 1_772_359_200_000_000_000


def span(number: int, attributes: dict[str, Any], *, parent: int = 0, trace: str = TRACE, name: str = "") -> Any:
    told = {
        "traceId": trace,
        "spanId": f"{number:016x}",
        "name": name or str(attributes.get("gen_ai.operation.name", "span")),
        "startTimeUnixNano": str(START + number * 10**9),
        "endTimeUnixNano": str(START + (number + 1) * 10**9),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }
    return told | ({"parentSpanId": f"{parent:016x}"} if parent else {})


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def chat(number: int, heard: list[Any], answer: Any, **more: Any) -> Any:
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "small-1",
        "gen_ai.input.messages": json.dumps(heard),
        "gen_ai.output.messages": json.dumps([answer]),
    }
    return span(number, attributes, **more)


def agent(trace: str = TRACE, turns: int = 2) -> list[Any]:
    """An agent's span, and one for each of its turns, which hear all that was said before."""
    heard = [said("user", "How warm is it in Oslo?")]
    spans = [span(1, {"gen_ai.operation.name": "invoke_agent"}, trace=trace)]
    for turn in range(turns):
        answer = said("assistant", f"Answer {turn}.")
        spans.append(chat(turn + 2, heard, answer, parent=1, trace=trace))
        heard = [*heard, answer, said("user", f"Question {turn + 1}?")]
    return spans


def document(*spans: Any) -> dict[str, Any]:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "weather-bot"}}]}
    return {
        "resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "tests"}, "spans": list(spans)}]}]
    }


def as_json(*spans: Any) -> bytes:
    return json.dumps(document(*spans)).encode()


def as_protobuf(*spans: Any) -> bytes:
    def in_base64(one: Any) -> Any:
        ids = {key: base64.b64encode(bytes.fromhex(one[key])).decode() for key in one if key.endswith("Id")}
        return one | ids

    made: bytes = ParseDict(document(*map(in_base64, spans)), ExportTraceServiceRequest()).SerializeToString()
    return made
