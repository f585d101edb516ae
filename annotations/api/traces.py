"""OTLP over HTTP: where exporters of OpenTelemetry send their spans."""

from __future__ import annotations

import logging
import zlib
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from annotations import access
from annotations.api.auth import membership_of
from annotations.api.errors import Refused
from annotations.models import ApiToken, Membership, Project, Run
from annotations.services import traces, traces_wire
from annotations.services.traces_wire import JSON, PROTOBUF, Unreadable

logger = logging.getLogger(__name__)

HEADER = "x-stepmark-project"
GZIP = 16 + zlib.MAX_WBITS
AGAIN = 5  # seconds after which a sender tries again, where the database is away
TOLD = ("WWW-Authenticate", "Retry-After", "Allow")  # headers that a refused sender needs


class Traces(APIView):
    """Takes an ExportTraceServiceRequest, in JSON or protobuf, plain or gzipped. The project is the token's, or the one
    that the header names. What is answered 200 is on disk; sent again, it is the same span."""

    permission_classes = [IsAuthenticated]
    schema = None  # the protocol is OpenTelemetry's, and its schema is theirs

    def post(self, request: Request) -> HttpResponse:
        membership = _membership(request)
        kind = _kind(request)
        body = _body(request)
        try:
            sent = traces_wire.read(body, kind)
        except Unreadable as exc:
            raise Refused(str(exc)) from exc
        traces.receive(membership.project, sent.spans)
        return HttpResponse(traces_wire.answer(sent, kind), content_type=kind)

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]  # DRF takes any response
        """A refusal as the protocol asks: a Status in the encoding of the request; 503 where it may be sent again."""
        if isinstance(exc, (OperationalError, InterfaceError)):
            logger.warning("spans were refused for the moment: %s", exc)
            exc = Refused("The database cannot be reached. Send it again.", status=503)
        refusal = super().handle_exception(exc)
        kind = PROTOBUF if _named(self.request) == PROTOBUF else JSON
        said = traces_wire.status(refusal.status_code, sentence(refusal.data), kind)
        answer = HttpResponse(said, status=refusal.status_code, content_type=kind)
        if refusal.status_code == 503:
            answer.headers["Retry-After"] = str(AGAIN)
        for name in TOLD:
            if name in refusal.headers:
                answer.headers[name] = refusal.headers[name]
        return answer


def _membership(request: Request) -> Membership:
    """The caller's membership of the project that the spans are for, where they may import into it."""
    token = request.auth if isinstance(request.auth, ApiToken) else None
    if token and token.scope != ApiToken.Scope.WRITE:
        raise PermissionDenied("This token may only read.")
    slug = request.headers.get(HEADER, "")
    if not slug and token and token.project_id:
        slug = Project.objects.values_list("slug", flat=True).get(pk=token.project_id)
    if not slug:
        raise Refused(f"Name the project in the header {HEADER}, or use a token for one project.", HEADER)
    membership = membership_of(request, slug)
    if not access.may(membership, roles := access.BEGIN[Run.Kind.IMPORT]):
        raise PermissionDenied(f"Your role here is {membership.role}; this needs {' or '.join(sorted(roles))}.")
    return membership


def sentence(problem: dict[str, Any]) -> str:
    """A problem in one line, as API errors tell it in three."""
    accepted = f" Accepted: {problem['accepted']}." if problem.get("accepted") else ""
    return f"{problem['error']}{accepted}"


def _named(request: Request) -> str:
    return (request.content_type or "").partition(";")[0].strip().lower()


def _kind(request: Request) -> str:
    kind = _named(request)
    if kind not in (JSON, PROTOBUF):
        accepted = [PROTOBUF, JSON]
        raise Refused(f"Found the content type {kind[:60]!r}.", "content-type", accepted, status=415)
    return kind


def _body(request: Request) -> bytes:
    """The body, unpacked; never more of it than is accepted."""
    most: int = settings.TRACES_MAX_BYTES
    packed = request.stream.read(most + 1) if request.stream else b""
    how = request.headers.get("content-encoding", "identity").strip().lower()
    if how == "gzip":
        packed = _unpacked(packed, most)
    elif how not in ("identity", ""):
        raise Refused(f"Found the content encoding {how[:60]!r}.", "content-encoding", ["gzip", "identity"], status=415)
    if len(packed) > most:
        raise Refused(f"The body has more than {most:,} bytes. Let the exporter send smaller batches.", status=413)
    return bytes(packed)


def _unpacked(packed: bytes, most: int) -> bytes:
    unpacker = zlib.decompressobj(GZIP)
    try:
        body = unpacker.decompress(packed, most + 1)
    except zlib.error as exc:
        raise Refused(f"The body is not gzip: {exc}.") from exc
    if len(body) <= most and not unpacker.eof:
        raise Refused("The gzipped body breaks off.")
    return body
