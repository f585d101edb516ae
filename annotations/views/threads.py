"""Questions and flags: the doors of a label page to one's own, and the place where those who lead answer them all."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from pydantic import BaseModel, ConfigDict, Field

from annotations import access
from annotations.access import Request
from annotations.http import whole
from annotations.models import Annotation, Membership, Thread, User
from annotations.services import asking, changes, questions, threads
from annotations.services.outcomes import NotAccepted
from annotations.services.threads import Talk
from annotations.views.labels import Answer, Door, Nothing, Place, door

PAGE = "threads/page.html"
MINE = "threads/_mine.html"
CHANGED = "your first words had arrived already. Send what you changed since as another message."
Key = Annotated[int, Field(strict=True, ge=0, lt=2**63)]


class WordsBody(BaseModel):
    model_config = ConfigDict(extra="forbid")
    key: UUID
    text: str = Field(max_length=4 * asking.LONGEST)  # the service says what is too long


class AskBody(WordsBody):
    kind: Literal["ask", "flag"]
    step: Place | None


class ThreadBody(BaseModel):
    model_config = ConfigDict(extra="forbid")
    thread: Key


class ReplyBody(WordsBody, ThreadBody):
    pass


class SeenBody(ThreadBody):
    upto: Key


@door(Nothing, "GET")
def talk(body: Nothing, user: User, slug: str, annotation: int) -> Answer:
    """The person's own threads about the item."""
    return {"threads": [_as_json(one) for one in threads.of_pass(_own(annotation, user, slug))]}


@door(AskBody)
def ask(body: AskBody, user: User, slug: str, annotation: int) -> Answer:
    said = asking.begin(annotation, user, kind=body.kind, step=body.step, text=body.text, key=body.key, slug=slug)
    return _told(annotation, user, slug, said.thread_id) | {"said": said.text}


@door(ReplyBody)
def reply(body: ReplyBody, user: User, slug: str, annotation: int) -> Answer:
    said = asking.reply(_mine(annotation, user, slug, body.thread), user, body.text, body.key)
    return _told(annotation, user, slug, body.thread) | {"said": said.text}


@door(ThreadBody)
def close(body: ThreadBody, user: User, slug: str, annotation: int) -> Answer:
    asking.close(_mine(annotation, user, slug, body.thread), user)
    return _told(annotation, user, slug, body.thread)


@door(SeenBody)
def seen(body: SeenBody, user: User, slug: str, annotation: int) -> Answer:
    return {"seen": asking.seen(_mine(annotation, user, slug, body.thread), user, body.upto)}


DOORS: tuple[Door, ...] = (talk, ask, reply, close, seen)


def _own(annotation: int, user: User, slug: str) -> Annotation:
    """The person's own pass. Http404 where it is not."""
    mine = changes.own(annotation, user, slug)
    mine.rater.user = user
    return mine


def _mine(annotation: int, user: User, slug: str, thread: int) -> Thread:
    """The person's own thread of the project. Http404 where it is not, or the pass is not theirs."""
    project = changes.own(annotation, user, slug).rater.project
    return get_object_or_404(Thread, project=project, begun_by=user, pk=thread)


def _told(annotation: int, user: User, slug: str, thread: int) -> Answer:
    found = [one for one in threads.of_pass(_own(annotation, user, slug)) if one.thread.pk == thread]
    return {"thread": _as_json(found[0]) if found else None}


def _as_json(one: Talk) -> Answer:
    facts = {"id": one.thread.pk, "step": one.at, "kind": one.thread.get_kind_display()}
    html = render_to_string(MINE, {"talk": one})
    return {**facts, "state": one.thread.state, "new": one.new, "newest": one.newest, "html": html}  # type: ignore[attr-defined]


@login_required
@require_GET
def page(request: Request, slug: str) -> HttpResponse:
    """Every thread of the project, what waits for an answer first."""
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    asked, complaints = questions.read(request.GET.dict())
    found = questions.page(request.membership, asked, request.GET.get("after", "")[:50])
    context = {
        "project": project,
        "rows": [_answerable(row) for row in found.rows],
        "filters": asked,
        "complaints": complaints,
        "people": questions.people(request.membership),
        "kinds": questions.KINDS,
        "next": asked.query(after=found.after) if found.after else "",
        "first": asked.query() if request.GET.get("after") else "",
        **_tabs(request.membership, asked),
    }
    return render(request, PAGE, context)


@login_required
@require_GET
def one(request: Request, slug: str, pk: int) -> HttpResponse:
    """One thread by itself: to link to."""
    project = access.project_for(request, slug)
    context = {"project": project, "rows": _rows(request.membership, pk), "alone": True}
    return render(request, PAGE, context)


@login_required
@require_POST
def answer(request: Request, slug: str, pk: int) -> HttpResponse:
    project = access.project_for(request, slug)
    thread = _visible(request.membership, pk)
    text = request.POST.get("text", "")
    try:
        said = asking.reply(thread, request.user, text, _key(request.POST.get("key", "")))
        refusal = "" if said.text == asking.cleaned(text) else CHANGED
    except NotAccepted as no:
        refusal = str(no)
    if not refusal:
        return _back(request, pk)
    context = {"project": project, "rows": _rows(request.membership, pk, text=text, refusal=refusal), "alone": True}
    return render(request, f"{PAGE}#threads" if request.htmx else PAGE, context, status=422)


@login_required
@require_POST
def shut(request: Request, slug: str, pk: int) -> HttpResponse:
    """Close the thread."""
    access.project_for(request, slug)
    asking.close(_visible(request.membership, pk), request.user)
    return _back(request, pk)


@login_required
@require_POST
def noted(request: Request, slug: str, pk: int) -> HttpResponse:
    """The other side's messages up to `upto` stand before the reader."""
    access.project_for(request, slug)
    asking.seen(_visible(request.membership, pk), request.user, whole(request.POST.get("upto", "")) or 0)
    return HttpResponse(status=204)


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotAccepted("That is no key of a message.", "key", ["a UUID"]) from error


def _visible(membership: Membership, pk: int) -> Thread:
    return get_object_or_404(threads.visible_to(membership), pk=pk)


def _rows(membership: Membership, pk: int, **more: Any) -> list[dict[str, Any]]:
    """The one thread, as the page shows it."""
    found = threads.ready(threads.visible_to(membership).filter(pk=pk))
    talks = [threads.talk(thread, membership.user) for thread in found]
    if not talks:
        raise Http404
    return [_answerable(row) | more for row in questions.rows(membership, talks)]


def _answerable(row: questions.Row) -> dict[str, Any]:
    """A row with the key of what may be said in it: a form that is sent twice says it once."""
    return {"row": row, "key": uuid.uuid4()}


def _tabs(membership: Membership, asked: questions.Filters) -> dict[str, Any]:
    """How many there are of each state, as links."""
    counts = questions.counts(membership, asked)
    tabs = [
        (title, counts[state], asked.with_state(state).query(), state == asked.state)
        for state, title in questions.STATES.items()
    ]
    return {"tabs": tabs, "all": counts[questions.ALL]}


def _back(request: Request, pk: int) -> HttpResponse:
    """The thread as it is now; without htmx, its own page."""
    if not request.htmx:
        return redirect("thread", request.membership.project.slug, pk)
    project = request.membership.project
    context: dict[str, Any] = {"project": project, "rows": _rows(request.membership, pk)}
    there = urlsplit(request.htmx.current_url or "")
    if there.path == reverse("questions", args=[project.slug]):
        asked, _ = questions.read(QueryDict(there.query).dict())
        context |= _tabs(request.membership, asked) | {"changed": True}
    else:
        context["alone"] = True
    return render(request, f"{PAGE}#threads", context)
