"""The list of trajectories, and the page of one with everything that was said about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from annotations import access
from annotations.access import Request
from annotations.forms import ReturnForm
from annotations.http import whole
from annotations.models import Annotation, Membership, Project, Trajectory
from annotations.services import browse, dossier, labels, reading
from annotations.services.browse import Filters
from annotations.services.outcomes import Refusal
from annotations.views import turns

LIST = "trajectories/list.html"
PAGE = "trajectories/page.html"
WINDOW = 40


@login_required
@require_GET
def index(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug)
    filters = filters_from(request)
    browser = browse.Browser(request.membership, filters)
    page = browser.page(request.GET.get("after", ""))
    context = {
        "project": project,
        "page": page,
        "here": request.path,
        "filters": filters,
        "sees_all": browser.sees_all,
        "values": browser.values,
        "next": _address(request, after=page.after) if page.after else "",
        "first": _address(request, after=""),
        "filtered": filters != Filters(sort=filters.sort),
    }
    return render(request, LIST, context)


def filters_from(request: HttpRequest) -> Filters:
    """What of the address can be understood; the rest asks for nothing."""

    def get(name: str, default: str = "") -> str:
        return request.GET.get(name, default).replace("\x00", "")

    sort = get("sort", "oldest")
    return Filters(
        text=get("q", "").strip()[:200],
        source=get("source", ""),
        model=get("model", ""),
        outcome=get("outcome", "").strip()[:200],
        rater=get("rater", "").strip()[:150],
        label=_value(get("label", "")),
        first_error=whole(get("first_error", "")),
        differ=get("differ", "") == "1",
        score=_fraction(get("score", "")),
        sort=sort if sort in browse.SORTS else "oldest",
    )


def _value(text: str) -> int | str | None:
    """A scheme's value as an address spells it."""
    number = whole(text)
    return (text or None) if number is None else number


def _fraction(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None


def _address(request: HttpRequest, **changed: str) -> str:
    """This page's address with some of its parameters changed."""
    kept = {name: value for name, value in (request.GET.dict() | changed).items() if value}
    return f"?{urlencode(kept)}"


@login_required
@require_GET
def choices(request: Request, slug: str, of: str) -> HttpResponse:
    """The options of a filter, for when somebody goes into it."""
    access.project_for(request, slug)
    if of not in ("source", "model", "rater"):
        raise Http404
    return render(request, f"{LIST}#choices", {"choices": browse.choices(request.membership, of)})


@login_required
@require_GET
def page(request: Request, slug: str, pk: int) -> HttpResponse:
    project = access.project_for(request, slug)
    trajectory = _trajectory(project, pk)
    file = dossier.Dossier(request.membership, trajectory)
    start = max(0, (whole(request.GET.get("at", "")) or 0) // WINDOW * WINDOW)
    context = _steps(request.membership, trajectory, file, start) | {
        "project": project,
        "siblings": file.siblings(),
        "history": file.history(),
        "explained": [one for one in file.passes if one.final_explanation],
        "reference": turns.shown_json(trajectory.task.reference) if _shows(file, "reference") else None,
        "outcome": turns.shown_json(trajectory.outcome) if _shows(file, "outcome") else None,
    }
    return render(request, PAGE, context)


@login_required
@require_POST
def give_back(request: Request, slug: str, pk: int, annotation: int) -> HttpResponse:
    """Return a submitted pass to the person who made it, with a reason."""
    project = access.project_for(request, slug, access.MANAGE)
    found = get_object_or_404(
        Annotation.objects.live().select_related("rater"), pk=annotation, trajectory=_trajectory(project, pk)
    )
    form = ReturnForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say why you return it.")
        return redirect("trajectory", slug, pk)
    try:
        labels.give_back(found, request.user, form.cleaned_data["reason"])
        messages.success(request, f"Returned to {found.rater.name}, who gets it first at “Label next”.")
    except Refusal:
        messages.error(request, "Only what a person has submitted can be returned.")
    return redirect("trajectory", slug, pk)


def _shows(file: dossier.Dossier, what: str) -> bool:
    value = file.trajectory.outcome if what == "outcome" else file.trajectory.task.reference
    return bool(getattr(file.visible, what)) and value is not None


def _trajectory(project: Project, pk: int) -> Trajectory:
    return get_object_or_404(Trajectory.objects.select_related("task"), project=project, pk=pk)


@login_required
@require_GET
def steps(request: Request, slug: str, pk: int) -> HttpResponse:
    """The next window of steps, asked for when the reader comes near it."""
    project = access.project_for(request, slug)
    trajectory = _trajectory(project, pk)
    file = dossier.Dossier(request.membership, trajectory)
    start = max(0, whole(request.GET.get("from", "")) or 0)
    return render(request, f"{PAGE}#steps", _steps(request.membership, trajectory, file, start) | {"project": project})


def _steps(membership: Membership, trajectory: Trajectory, file: dossier.Dossier, start: int) -> dict[str, Any]:
    number = {place.index: place.number for place in file.axis}
    shown = reading.window(trajectory, start, start + WINDOW)
    cards = [
        (replace(turn, number=number.get(turn.index)), file.words.get(turn.index, []), file.scores.get(turn.index, []))
        for turn in turns.turns(shown, {})
    ]
    last = trajectory.steps.order_by("-index").values_list("index", flat=True).first() or 0
    return {
        "trajectory": trajectory,
        "file": file,
        "cards": cards,
        "earlier": start - WINDOW if start > 0 else None,
        "later": start + WINDOW if start + WINDOW <= last else None,
    }


@login_required
@require_GET
def part(request: Request, slug: str, pk: int, index: int, name: str) -> HttpResponse:
    """One text of a step in full: in the page, or with ?raw as a file just as it was imported."""
    project = access.project_for(request, slug)
    step = get_object_or_404(_trajectory(project, pk).steps, index=index)
    raw = "raw" in request.GET
    block = turns.part(step, name, raw=raw)
    if block is None:
        raise Http404
    if not raw:
        return render(request, "trajectories/block.html", {"block": block})
    response = HttpResponse(block.text, content_type="text/plain; charset=utf-8")
    # A name in the address is one of the step's parts by now, so it needs no quoting.
    response["Content-Disposition"] = f'attachment; filename="trajectory-{pk}-step-{index}-{name}.txt"'
    return response
