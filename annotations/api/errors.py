"""One shape for every refusal: what is wrong, where, and what would be accepted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework import serializers
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler


class ProblemOut(serializers.Serializer):
    """Why a request was refused."""

    error = serializers.CharField(help_text="What is wrong, as a sentence.")
    field = serializers.CharField(allow_null=True, help_text="Where: a field, as `changes.3.items.0.value`, or null.")
    accepted = serializers.JSONField(allow_null=True, help_text="What the field accepts, where that can be said.")
    errors = serializers.ListField(  # type: ignore[assignment]  # a field here, whatever the base class keeps there
        child=serializers.DictField(), required=False, help_text="Every problem, each in this shape, if several."
    )


class Refused(APIException):
    """A refusal of ours: its status, its sentence, the field it is about and what that field accepts."""

    default_detail = "Refused."

    def __init__(self, error: str, field: str | None = None, accepted: Any = None, status: int = 400, **more: Any):
        super().__init__(error)
        self.status_code = status
        self.body = {"error": error, "field": field, "accepted": accepted, **more}


def problem(error: str, field: str | None = None, accepted: Any = None) -> dict[str, Any]:
    return {"error": error, "field": field, "accepted": accepted}


def handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's handler, its answer put into our shape."""
    if isinstance(exc, RequestDataTooBig):
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        exc = Refused(f"The body is larger than {most:,} bytes. Send it in parts, or as a file to import.", status=413)
    response = exception_handler(exc, context)
    if response is None:
        return None
    if isinstance(exc, Refused):
        response.data = exc.body
    elif isinstance(exc, ValidationError):
        response.data = together([problem(text, field) for field, text in flat(exc.detail)])
    else:
        response.data = problem(str(getattr(exc, "detail", None) or response.data["detail"]))
    return response


def together(problems: list[dict[str, Any]]) -> dict[str, Any]:
    """The first problem, and all of them where there are several."""
    return problems[0] if len(problems) == 1 else {**problems[0], "errors": problems}


def flat(detail: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str | None, str]]:
    """DRF's nested messages as (dotted field, message)."""
    if isinstance(detail, Mapping):
        for key, inner in detail.items():
            yield from flat(inner, path if key == "non_field_errors" else (*path, str(key)))
    elif isinstance(detail, (list, tuple)):
        for place, inner in enumerate(detail):
            yield from flat(inner, (*path, str(place)) if isinstance(inner, (Mapping, list)) else path)
    else:
        yield ".".join(path) or None, str(detail)


def accepted_by(field: serializers.Field | None) -> Any:
    """What a serializer's field takes, said as data where it can be: choices, a range, else nothing."""
    if isinstance(field, serializers.ChoiceField):
        return list(field.choices)
    bounds = {name: getattr(field, f"{name}_value", None) for name in ("min", "max")}
    bounds |= {name: getattr(field, name, None) for name in ("min_length", "max_length")}
    return {name: bound for name, bound in bounds.items() if bound is not None} or None


def field_at(serializer: Any, path: str | None) -> serializers.Field | None:
    """The field a dotted path of `flat` names."""
    here = serializer
    for part in (path or "").split("."):
        if isinstance(here, (serializers.ListSerializer, serializers.ListField)) and part.isdigit():
            here = here.child
        else:
            here = getattr(here, "fields", {}).get(part)
    return here if isinstance(here, serializers.Field) and not isinstance(here, serializers.Serializer) else None
