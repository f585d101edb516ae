"""OTLP's own words: requests into spans, spans back into a document. Each span is kept as the bytes it came as."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from annotations.formats.lines import dump
from annotations.formats.loose import listed, mapping
from annotations.formats.otlp import attributes_of
from annotations.records import Json

PROTOBUF, JSON = "application/x-protobuf", "application/json"
LARGEST = 8 * 2**20  # bytes of one span
TOLD = 5  # reasons in an answer
HEX = frozenset("0123456789abcdef")
SERVICE = "service.name"
# What a refusal is in the words of google.rpc.Code; what is not here is one of the request.
CODES = {401: 16, 403: 7, 404: 5, 413: 8, 429: 8, 503: 14}
INVALID = 3


class Unreadable(ValueError):
    """A body that is no request at all."""


class Sent(NamedTuple):
    """One span on its way in: its ids in hex, what it stood in and what it is, whether it is its trace's root, and the
    service that it is of."""

    trace_id: str
    span_id: str
    around: bytes
    payload: bytes
    root: bool
    service: str


@dataclass
class Request:
    """What a request holds. `rejected` are reasons, one a span that cannot be taken."""

    spans: list[Sent] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)


def read(body: bytes, kind: str) -> Request:
    """The spans of a body of that content type. Raises Unreadable."""
    return _of_protobuf(body) if kind == PROTOBUF else _of_json(body)


def answer(request: Request, kind: str) -> bytes:
    """What the sender is told, in the encoding it used."""
    response = ExportTraceServiceResponse()
    if request.rejected:
        response.partial_success.rejected_spans = len(request.rejected)
        more = f"; {len(request.rejected) - TOLD} more" if len(request.rejected) > TOLD else ""
        response.partial_success.error_message = "; ".join(request.rejected[:TOLD]) + more
    if kind == PROTOBUF:
        told: bytes = response.SerializeToString()
        return told
    return dump(MessageToDict(response)).encode()


def status(code: int, message: str, kind: str) -> bytes:
    """What a refused sender is told: a google.rpc.Status, in the encoding it used. `code` is HTTP's."""
    number = CODES.get(code, INVALID)
    if kind == JSON:
        return dump({"code": number, "message": message}).encode()
    text = message.encode(errors="replace")[:16_000].decode(errors="ignore").encode()
    return bytes([0x08, number, 0x12, *_varint(len(text))]) + text


def _varint(number: int) -> Iterator[int]:
    while number > 0x7F:
        yield number & 0x7F | 0x80
        number >>= 7
    yield number


def _of_protobuf(body: bytes) -> Request:
    try:
        sent = ExportTraceServiceRequest.FromString(body)
    except DecodeError as exc:
        raise Unreadable(f"This is no ExportTraceServiceRequest in protobuf: {exc}.") from exc
    request = Request()
    for resource in sent.resource_spans:
        named = (one.value.string_value for one in resource.resource.attributes if one.key == SERVICE)
        service = _name(next(named, ""))
        for scope in resource.scope_spans:
            around = ResourceSpans(
                resource=resource.resource,
                schema_url=resource.schema_url,
                scope_spans=[ScopeSpans(scope=scope.scope, schema_url=scope.schema_url)],
            ).SerializeToString()
            for span in scope.spans:
                trace, own, payload = span.trace_id, span.span_id, span.SerializeToString()
                if len(trace) != 16 or len(own) != 8 or not any(trace) or not any(own):
                    request.rejected.append(
                        f"span {span.name[:60]!r}: found the ids {trace.hex()[:40]} {own.hex()[:20]}"
                    )
                elif len(payload) > LARGEST:
                    request.rejected.append(_too_large(own.hex(), len(payload)))
                else:
                    request.spans.append(
                        Sent(trace.hex(), own.hex(), around, payload, not span.parent_span_id, service)
                    )
    return request


def _of_json(body: bytes) -> Request:
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise Unreadable(f"This is no JSON: {exc}.") from exc
    resources = sent.get("resourceSpans") if isinstance(sent, dict) else None
    if not isinstance(resources, list):
        raise Unreadable(
            "This is no ExportTraceServiceRequest in JSON: accepted is an object with resourceSpans, a list."
        )
    request = Request()
    for resource in resources:
        for scope in listed(mapping(resource).get("scopeSpans")):
            _of_scope(mapping(resource), mapping(scope), request)
    return request


def _of_scope(resource: dict[str, Any], scope: dict[str, Any], request: Request) -> None:
    inner = {key: value for key, value in scope.items() if key != "spans"}
    try:
        around = dump({**resource, "scopeSpans": [inner]}).encode()
    except (ValueError, RecursionError) as exc:
        request.rejected += [f"its resource cannot be kept: {exc}"] * len(listed(scope.get("spans")))
        return
    service = _name(attributes_of(mapping(resource.get("resource")).get("attributes")).get(SERVICE, ""))
    for span in listed(scope.get("spans")):
        trace, own = (str(mapping(span).get(key, "")).lower() for key in ("traceId", "spanId"))
        if not (_is_id(trace, 32) and _is_id(own, 16)):
            request.rejected.append(f"found the ids {trace[:40]!r} {own[:20]!r}; accepted are 32 and 16 hex digits")
            continue
        try:
            payload = dump(span).encode()
        except (ValueError, RecursionError) as exc:
            request.rejected.append(f"span {own}: {exc}")
            continue
        if len(payload) > LARGEST:
            request.rejected.append(_too_large(own, len(payload)))
        else:
            request.spans.append(Sent(trace, own, around, payload, not span.get("parentSpanId"), service))


def _name(told: Json) -> str:
    """As much of it as a column holds."""
    return str(told).encode(errors="replace").decode().replace("\x00", "\N{SYMBOL FOR NULL}")[:200]


def _is_id(told: str, digits: int) -> bool:
    return len(told) == digits and HEX.issuperset(told) and told.strip("0") != ""


def _too_large(span: str, size: int) -> str:
    return f"span {span}: it has {size:,} bytes; accepted are up to {LARGEST:,}"


def document(kept: Iterable[tuple[bytes, bytes]], earlier: bytes = b"") -> bytes:
    """OTLP JSON of spans (around, payload), as a file to import holds it; after those of an earlier document, where
    there is one. Raises ValueError where that is none that spans can be added to."""
    before = _resources(earlier) if earlier else []
    there = {(_lower(span, "traceId"), _lower(span, "spanId")) for span in _spans(before)}
    found: dict[bytes, dict[str, Any]] = {}
    for around, payload in kept:
        span = _span(payload)
        if there and (_lower(span, "traceId"), _lower(span, "spanId")) in there:
            continue
        if around not in found:
            found[around] = _resource(around)
        found[around]["scopeSpans"][0].setdefault("spans", []).append(span)
    if earlier and not found:
        return earlier
    return dump({"resourceSpans": [*before, *found.values()]}).encode(errors="surrogatepass")


def _resources(document: bytes) -> list[dict[str, Any]]:
    told = json.loads(document)
    resources = told.get("resourceSpans") if isinstance(told, dict) else None
    if not isinstance(resources, list):
        raise ValueError("its older spans were deleted, and its original is no document that spans can be added to")
    return resources


def _spans(resources: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for resource in resources:
        for scope in listed(resource.get("scopeSpans")):
            yield from listed(scope.get("spans"))


def _lower(span: dict[str, Any], key: str) -> str:
    return str(span.get(key, "")).lower()


def _resource(around: bytes) -> dict[str, Any]:
    told = json.loads(around) if around.startswith(b"{") else MessageToDict(ResourceSpans.FromString(around))
    whole: dict[str, Any] = told
    whole.setdefault("scopeSpans", [{}])
    return whole


def _span(payload: bytes) -> dict[str, Any]:
    if payload.startswith(b"{"):
        whole: dict[str, Any] = json.loads(payload)
        return whole
    span = Span.FromString(payload)
    told: dict[str, Any] = MessageToDict(span)
    ids = {"traceId": span.trace_id.hex(), "spanId": span.span_id.hex(), "parentSpanId": span.parent_span_id.hex()}
    told |= {key: value for key, value in ids.items() if value}
    for link, made in zip(span.links, told.get("links", ()), strict=False):
        made |= {"traceId": link.trace_id.hex(), "spanId": link.span_id.hex()}
    return told


def batches(things: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(things), size):
        yield things[start : start + size]
