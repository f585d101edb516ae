"""What a newcomer does before the queue is theirs: how far they are, and what came of each item."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from annotations import access
from annotations.access import Request
from annotations.models import Annotation
from annotations.services import gists, gold_feedback, projects, sight, training
from annotations.services.answers import Voices
from annotations.services.gold_compared import Compared
from annotations.services.training import NotYet


@never_cache
@login_required
@require_GET
def page(request: Request, slug: str) -> HttpResponse:
    """How far one is; who never had to train is told so."""
    project = access.project_for(request, slug, access.LABEL)
    return render(request, "training/page.html", {"project": project, "now": training.settle(request.membership)})


@login_required
@require_POST
def again(request: Request, slug: str) -> HttpResponse:
    """Another round with other items."""
    access.project_for(request, slug, access.LABEL)
    try:
        training.again(request.membership)
    except NotYet as no:
        messages.error(request, str(no))
        return redirect("training", slug)
    return redirect("label_next", slug)


@never_cache
@login_required
@require_GET
def feedback(request: Request, slug: str, annotation: int) -> HttpResponse:
    """One's own answers beside those that are right, step by step."""
    project = access.project_for(request, slug, access.LABEL)
    try:
        found, item, compared = gold_feedback.feedback(request.membership, annotation)
    except NotYet as no:
        messages.error(request, str(no))
        return redirect("training", slug)
    trains = found.purpose == Annotation.Purpose.TRAINING
    now = training.settle(request.membership) if trains else None
    right = sum(at.right for at in compared)
    context = {
        "project": project,
        "annotation": found,
        "item": item,
        "rows": _rows(request, found, compared),
        "right": right,
        "compared": len(compared),
        "now": now,
        "trains": trains,
    }
    return render(request, "training/feedback.html", context)


def _rows(request: Request, found: Annotation, compared: list[Compared]) -> list[dict[str, Any]]:
    """Each compared place with what the step says, in short."""
    scheme = projects.scheme_of(request.membership.project.scheme)
    voices = Voices(scheme)
    wanted = {at.step for at in compared if at.step is not None}
    steps = sight.steps_of(request.membership, found.trajectory)
    said = {one.index: one for one in gists.read(steps.filter(index__in=wanted))}
    numbers = {index: place for place, index in enumerate(steps.of_agent().values_list("index", flat=True), 1)}
    return [
        {
            "step": at.step,
            "number": numbers.get(at.step) if at.step is not None else None,
            "title": spec.title if (spec := scheme.field(at.field.partition("@")[0])) else at.field,
            "gist": said.get(at.step) if at.step is not None else None,
            "said": None if at.said is None else voices.mark(at.field, at.said),
            "reference": voices.mark(at.field, at.reference),
            "why": at.why,
            "right": at.right,
        }
        for at in compared
    ]
