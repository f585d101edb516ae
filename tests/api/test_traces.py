"""Where exporters send their spans: who may, in which encodings, and what they are told."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from django.db import connection
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from rest_framework.test import APIClient

from annotations.models import ApiToken, Project, ReceivedSpan, Role, Trace
from annotations.services import traces_wire
from tests import make, spans
from tests.api.conftest import client_with_token

pytestmark = pytest.mark.django_db
JSON, PROTOBUF = "application/json", "application/x-protobuf"


def _status() -> Any:
    """google.rpc.Status as its definition has it, read by protobuf's own parser."""
    file = descriptor_pb2.FileDescriptorProto(name="tests/status.proto", package="tests", syntax="proto3")
    message = file.message_type.add(name="Status")
    message.field.add(name="code", number=1, type="TYPE_INT32", label="LABEL_OPTIONAL")
    message.field.add(name="message", number=2, type="TYPE_STRING", label="LABEL_OPTIONAL")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tests.Status"))


STATUS = _status()


def send(client: APIClient, body: bytes, kind: str = JSON, **headers: str) -> Any:
    return client.generic("POST", "/v1/traces", body, content_type=kind, headers=headers)


@pytest.fixture
def sender(project: Project) -> APIClient:
    return client_with_token(project.memberships.get().user, project=project)


@pytest.mark.parametrize("kind", [JSON, PROTOBUF])
@pytest.mark.parametrize("packed", [False, True])
def test_spans_of_either_encoding_are_kept_and_answered_in_it(sender, project, kind, packed):
    body = spans.as_json(*spans.agent()) if kind == JSON else spans.as_protobuf(*spans.agent())
    headers = {"content-encoding": "gzip"} if packed else {}
    answer = send(sender, gzip.compress(body) if packed else body, kind, **headers)
    assert (answer.status_code, answer["content-type"]) == (200, kind)
    if kind == JSON:
        assert json.loads(answer.content) == {}
    else:
        assert not ExportTraceServiceResponse.FromString(answer.content).HasField("partial_success")
    assert project.received_spans.count() == 3
    assert Trace.objects.get().ended and Trace.objects.get().spans == 3


@pytest.mark.parametrize("kind", [JSON, PROTOBUF])
def test_a_span_that_cannot_be_taken_is_told_and_the_others_are_kept(sender, project, kind):
    bad = spans.span(9, {}) | {"traceId": "00" * 16}
    made = spans.as_json if kind == JSON else spans.as_protobuf
    answer = send(sender, made(bad, *spans.agent()), kind)
    assert answer.status_code == 200
    if kind == JSON:
        told = json.loads(answer.content)["partialSuccess"]
        assert told["rejectedSpans"] == "1" and "ids" in told["errorMessage"]
    else:
        partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
        assert partial.rejected_spans == 1 and "ids" in partial.error_message
    assert project.received_spans.count() == 3


def test_the_same_request_again_keeps_nothing_twice_whatever_its_encoding(sender, project):
    for _ in range(2):
        send(sender, spans.as_json(*spans.agent()))
        send(sender, spans.as_protobuf(*spans.agent()), PROTOBUF)
    assert project.received_spans.count() == 3 and Trace.objects.get().spans == 3


def test_a_span_that_is_twice_in_a_request_is_kept_once(sender, project):
    send(sender, spans.as_json(*spans.agent(), *spans.agent()))
    assert project.received_spans.count() == 3 and Trace.objects.get().spans == 3


@pytest.mark.parametrize("role", list(Role))
def test_who_may_import_may_send(project, role):
    user = make.user("somebody")
    make.member(project, user, role)
    answer = send(client_with_token(user, project=project), spans.as_json(*spans.agent()))
    assert answer.status_code == (200 if role in {Role.OWNER, Role.MANAGER} else 403)


def test_a_token_of_all_projects_names_one_in_the_header(project, lead):
    client = client_with_token(lead)
    assert send(client, spans.as_json()).status_code == 400
    assert send(client, spans.as_json(*spans.agent()), **{"x-stepmark-project": "mine"}).status_code == 200
    assert project.received_spans.count() == 3


def test_a_token_for_one_project_reaches_no_other(sender, project, lead):
    make.project(owner=lead, slug="other")
    answer = send(sender, spans.as_json(*spans.agent()), **{"x-stepmark-project": "other"})
    assert answer.status_code == 404 and not ReceivedSpan.objects.exists()


def test_a_stranger_a_reader_and_nobody_are_refused(project, lead, anonymous):
    body, named = spans.as_json(*spans.agent()), {"x-stepmark-project": "mine"}
    assert send(client_with_token(make.user("stranger")), body, **named).status_code == 404
    assert send(client_with_token(lead, scope=ApiToken.Scope.READ), body, **named).status_code == 403
    assert send(anonymous, body, **named).status_code == 401
    assert not ReceivedSpan.objects.exists()


@pytest.mark.parametrize(
    ("body", "kind", "headers", "status"),
    [
        (b"{", JSON, {}, 400),
        (b"[]", JSON, {}, 400),
        (b'{"resourceSpans": 3}', JSON, {}, 400),
        (b"\xff\xff\xff", PROTOBUF, {}, 400),
        (b"[" * 100_000, JSON, {}, 400),
        (b"<spans/>", "application/xml", {}, 415),
        (b"plain", JSON, {"content-encoding": "gzip"}, 400),
        (gzip.compress(b'{"resourceSpans": []}')[:-9], JSON, {"content-encoding": "gzip"}, 400),
        (b"{}", JSON, {"content-encoding": "br"}, 415),
    ],
    ids=lambda one: f"{len(one)} bytes" if isinstance(one, bytes) else None,  # packed bytes hold the time
)
def test_a_body_that_is_no_request_is_refused_with_a_sentence(sender, body, kind, headers, status):
    answer = send(sender, body, kind, **headers)
    assert answer.status_code == status
    code, message = told(answer)
    assert code == 3 and message.endswith(".")


def told(answer: Any) -> tuple[int, str]:
    """The google.rpc.Status of a refusal, in whichever encoding."""
    if answer["content-type"] == JSON:
        status = json.loads(answer.content)
        assert status.keys() == {"code", "message"}
        return status["code"], status["message"]
    assert answer["content-type"] == PROTOBUF
    status = STATUS.FromString(answer.content)
    return status.code, status.message


def test_a_refusal_is_a_status_in_the_encoding_of_the_request(sender, project, lead, anonymous):
    long = "x" * 300
    for kind in (JSON, PROTOBUF):
        assert told(send(anonymous, b"", kind))[0] == 16
        assert send(anonymous, b"", kind)["WWW-Authenticate"]
        assert told(send(client_with_token(lead, scope=ApiToken.Scope.READ), b"", kind))[0] == 7
        code, message = told(send(sender, b"", kind, **{"x-stepmark-project": long}))
        assert code == 5 and message
    code, message = told(send(sender, b"\xff\xff\xff", PROTOBUF))
    assert code == 3 and message.startswith("This is no ExportTraceServiceRequest in protobuf")
    assert sender.get("/v1/traces").status_code == 405 and sender.get("/v1/traces")["Allow"]


@pytest.mark.parametrize("length", [0, 1, 127, 128, 300, 20_000])
def test_the_text_of_a_status_reads_back_whatever_its_length(length):
    status = STATUS.FromString(traces_wire.status(413, "…" * length, PROTOBUF))
    assert status.code == 8 and status.message == "…" * min(length, 5_333)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", [JSON, PROTOBUF])
def test_where_the_database_is_away_the_sender_is_asked_to_try_again(sender, project, kind):
    body = spans.as_json(*spans.agent()) if kind == JSON else spans.as_protobuf(*spans.agent())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (own,) = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [own])
    other.close()
    answer = send(sender, body, kind)
    assert (answer.status_code, answer["Retry-After"], told(answer)[0]) == (503, "5", 14)
    connection.close()
    assert send(sender, body, kind).status_code == 200 and project.received_spans.count() == 3


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_that_is_too_large_is_refused_before_it_is_all_unpacked(sender, settings, packed):
    settings.TRACES_MAX_BYTES = 10_000
    body = b" " * 10_001
    headers = {"content-encoding": "gzip"} if packed else {}
    answer = send(sender, gzip.compress(body) if packed else body, JSON, **headers)
    assert answer.status_code == 413


@pytest.mark.parametrize("value", [None, 3, "x", [], [3], [{"scopeSpans": 3}], [{"scopeSpans": [{"spans": [3, {}]}]}]])
def test_odd_values_in_a_request_are_rejected_and_break_nothing(sender, value):
    assert send(sender, json.dumps({"resourceSpans": value}).encode()).status_code in (200, 400)
    assert not ReceivedSpan.objects.exists()
