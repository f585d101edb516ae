"""The doors a label page saves through. JSON in, JSON out; each does one thing and says what became of it.

Who is not logged in gets 401, who does not own the annotation 404, a body of the wrong shape 422 naming the field.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, cast
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from annotations.models import User
from annotations.services import labels, progressive
from annotations.services import spread as spreads
from annotations.services.outcomes import Item, Outcome, Refusal

MOST_ITEMS = 10_000
Place = Annotated[int, Field(strict=True, ge=0)]


class Body(BaseModel):
    """What every change says: its own id, so that it is made once, and the revision its sender last saw."""

    model_config = ConfigDict(extra="forbid")
    change: UUID
    revision: int = Field(ge=0)
    time_ms: int = Field(default=0, ge=0)


class AcceptedBody(BaseModel):
    model_config = ConfigDict(extra="forbid")
    source: str = Field(max_length=200)
    looked_ms: int = Field(ge=0)


class ItemBody(BaseModel):
    model_config = ConfigDict(extra="forbid")
    step: Place | None
    field: str = Field(max_length=80)
    value: Any
    explanation: str | None = Field(default=None, max_length=20_000)
    accepted: AcceptedBody | None = None

    def as_item(self) -> Item:
        return cast(Item, self.model_dump(exclude_none=True) | {"step": self.step, "value": self.value})


class ChangeBody(Body):
    items: list[ItemBody] = Field(min_length=1, max_length=MOST_ITEMS)
    force: bool = False


class SubmitBody(Body):
    accept_ghosts: bool = False


class SkipBody(BaseModel):
    reason: str = Field(max_length=2000)


class DismissBody(BaseModel):
    model_config = ConfigDict(extra="forbid")
    warning: str = Field(pattern=r"^[a-z]{1,20}:[0-9]{1,9}$")
    dismissed: bool


class Nothing(BaseModel):
    pass


Answer = dict[str, Any]
Door = Callable[..., HttpResponseBase]


def door(body: type[BaseModel], method: str = "POST") -> Callable[[Callable[..., Answer]], Door]:
    """A view of one method that takes the parsed body and answers with a dictionary."""

    def wrap(answer: Callable[..., Answer]) -> Door:
        @wraps(answer)
        def view(request: HttpRequest, slug: str, annotation: int) -> HttpResponseBase:
            if request.method != method:
                return HttpResponseNotAllowed([method])
            if not request.user.is_authenticated:
                return JsonResponse({"error": "Log in first."}, status=401)
            return _said(lambda: answer(_parsed(body, request), cast(User, request.user), slug, annotation))

        return view

    return wrap


def _said(answer: Callable[[], Answer]) -> JsonResponse:
    try:
        return JsonResponse(answer())
    except Refusal as refusal:
        return JsonResponse(refusal.answer, status=refusal.status)
    except Http404:
        return JsonResponse({"error": "There is no such annotation of yours."}, status=404)
    except PermissionDenied as denied:
        return JsonResponse({"error": str(denied)}, status=403)


def _parsed(body: type[BaseModel], request: HttpRequest) -> BaseModel:
    """The body as that shape. Raises Refusal with status 422 naming the first field that does not fit."""
    try:
        return body.model_validate_json(request.body or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        name = ".".join(map(str, first["loc"]))
        refusal = Refusal(first["msg"], field=name, accepted=sorted(body.model_fields) if not name else [])
        refusal.status = 422
        raise refusal from error


def _with_next(outcome: Outcome, slug: str) -> Answer:
    return {"next": reverse("label_next", args=[slug]), "revision": outcome.revision, "state": outcome.state}


def _common(body: Body, slug: str) -> Answer:
    return {"change": body.change, "revision": body.revision, "time_ms": body.time_ms, "slug": slug}


@door(ChangeBody)
def change(body: ChangeBody, user: User, slug: str, annotation: int) -> Answer:
    items = [one.as_item() for one in body.items]
    return labels.change(annotation, user, items, force=body.force, **_common(body, slug)).as_json()


@door(Body)
def accept(body: Body, user: User, slug: str, annotation: int) -> Answer:
    return labels.accept(annotation, user, **_common(body, slug)).as_json()


@door(Body)
def undo(body: Body, user: User, slug: str, annotation: int) -> Answer:
    return labels.undo(annotation, user, **_common(body, slug)).as_json()


@door(Body)
def redo(body: Body, user: User, slug: str, annotation: int) -> Answer:
    return labels.redo(annotation, user, **_common(body, slug)).as_json()


@door(SubmitBody)
def submit(body: SubmitBody, user: User, slug: str, annotation: int) -> Answer:
    done = labels.submit(
        annotation,
        user,
        change=body.change,
        revision=body.revision,
        accept_ghosts=body.accept_ghosts,
        slug=slug,
    )
    return _with_next(done, slug)


@door(SkipBody)
def skip(body: SkipBody, user: User, slug: str, annotation: int) -> Answer:
    return _with_next(labels.skip(annotation, user, body.reason, slug=slug), slug)


@door(Nothing)
def reopen(body: Nothing, user: User, slug: str, annotation: int) -> Answer:
    labels.reopen(annotation, user, slug=slug)
    return labels.state(annotation, user, slug=slug).as_json()


@door(Nothing)
def reveal(body: Nothing, user: User, slug: str, annotation: int) -> Answer:
    return progressive.reveal(annotation, user, slug=slug).as_json()


@door(Nothing)
def spread(body: Nothing, user: User, slug: str, annotation: int) -> Answer:
    return {"others": spreads.look(annotation, user, slug=slug)}


@door(DismissBody)
def dismiss(body: DismissBody, user: User, slug: str, annotation: int) -> Answer:
    return {"dismissed": labels.dismiss(annotation, user, body.warning, body.dismissed, slug=slug)}


@door(Nothing)
def lease(body: Nothing, user: User, slug: str, annotation: int) -> Answer:
    held = labels.lease(annotation, user, slug=slug).as_json()
    return {"lease_until": held["lease_until"], "seat": held["lease_until"] is not None}


@door(Nothing)
def ahead(body: Nothing, user: User, slug: str, annotation: int) -> Answer:
    following = labels.ahead(annotation, user, slug=slug)
    return {"url": reverse("annotate", args=[slug, following.pk]) if following else None}


@door(Nothing, "GET")
def state(body: Nothing, user: User, slug: str, annotation: int) -> Answer:
    return labels.state(annotation, user, slug=slug).as_json()


DOORS: tuple[Door, ...] = (
    change,
    accept,
    undo,
    redo,
    submit,
    skip,
    reopen,
    reveal,
    spread,
    dismiss,
    lease,
    ahead,
    state,
)
