"""What is said about a place while it is decided: comments of those who adjudicate, questions of those who labelled."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from annotations import access
from annotations.access import Request
from annotations.http import whole
from annotations.models import Adjudication, Membership
from annotations.services import adjudication, asking, threads
from annotations.services.adjudication_places import Spot
from annotations.services.outcomes import NotAccepted
from annotations.services.threads import Talk

PART = "adjudicate/_talk.html"


@dataclass(frozen=True)
class Said:
    """At one step (`at` None: about the whole). `hidden`: how many threads of others are not shown before it is decided
    here, since they could sway. `text` is what was refused, and why."""

    at: int | None
    talks: Sequence[Talk] = ()
    hidden: int = 0
    key: UUID = field(default_factory=uuid.uuid4)
    text: str = ""
    refusal: str = ""


def said(membership: Membership, found: Adjudication, spots: Sequence[Spot]) -> Mapping[int | None, Said]:
    """By step, where something may be said: where raters differ, or something was said."""
    closed = {spot.place[0] for spot in spots if spot.differs and not spot.is_seen}
    places = {spot.place[0] for spot in spots if spot.differs} | {None}
    threads_of = threads.of_trajectory(membership, found.trajectory)
    return {at: _of(membership, at, threads_of.get(at, []), at in closed) for at in places | set(threads_of)}


def _of(membership: Membership, at: int | None, talks: Sequence[Talk], closed: bool) -> Said:
    shown = [one for one in talks if not closed or one.thread.begun_by_id == membership.user_id]
    return Said(at, shown, len(talks) - len(shown))


@login_required
@require_POST
def say(request: Request, slug: str, pk: int) -> HttpResponse:
    """Say something about a step, or about the whole."""
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    rows = Adjudication.objects.select_related("project__scheme", "trajectory__task", "annotation")
    found = get_object_or_404(rows, project=project, trajectory=pk)
    step, text = whole(request.POST.get("step", "")), request.POST.get("text", "")
    more: dict[str, Any] = {}
    try:
        asking.comment(found, request.user, step=step, text=text, key=_key(request.POST.get("key", "")))
    except NotAccepted as no:
        more = {"text": text, "refusal": str(no)}
    if not request.htmx and not more:
        return redirect(
            f"{reverse('adjudicate_one', args=[slug, pk])}?at={step or 0}#talk-{'whole' if step is None else step}"
        )
    here = said(request.membership, found, adjudication.spots(found)).get(step, Said(step))
    context = {
        "project": project,
        "trajectory": found.trajectory,
        "said": Said(here.at, here.talks, here.hidden, **more),
    }
    return render(request, PART, context, status=422 if more else 200)


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
