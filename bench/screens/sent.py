"""Traces that agents sent as they worked: some are trajectories, one is under way, one says nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from annotations.models import Project, Trace, User
from annotations.services import projects, traces, traces_wire

ASKED = ("Which invoices are overdue?", "Remind the first three.", "What did Norring pay last?", "Close its account.")


def build(lead: User) -> Project:
    project = projects.create(slug="live", title="Live agents", owner=lead)
    for number, asked in enumerate(ASKED[:3]):
        send(project, number, session="till-4411" if number < 2 else "till-4412", asked=asked)
    send(project, 9, attributes={"http.request.method": "GET", "url.path": "/healthz"})
    traces.take_all()
    send(project, 10, session="till-4412", asked=ASKED[3], parent="5a" * 8)
    for place, one in enumerate(Trace.objects.filter(project=project).order_by("-pk")):
        Trace.objects.filter(pk=one.pk).update(last_at=timezone.now() - timedelta(minutes=place * 7, seconds=12))
    return project


def send(project: Project, number: int, asked: str = "", session: str = "", parent: str = "", **more: Any) -> None:
    """One span of a trace of its own, a minute ago."""
    told = more.get("attributes") or {
        "openinference.span.kind": "LLM",
        "llm.model_name": "small-1",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": asked,
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "I look for it in the ledger.",
        "session.id": session,
    }
    span = {
        "traceId": f"{(number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC834 % 2**128:032x}",
        "spanId": f"{number + 1:016x}",
        "parentSpanId": parent,
        "name": "chat",
        "startTimeUnixNano": str(1_772_359_200_000_000_000 + number * 10**9),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in told.items()],
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "till" if asked else "gateway"}}]}
    body = json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}).encode()
    traces.receive(project, traces_wire.read(body, traces_wire.JSON).spans)
    Trace.objects.filter(project=project).update(last_at=timezone.now() - timedelta(minutes=1))
