"""The page of one trajectory with everything that was said about it, and the pieces it brings when they are wanted."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from annotations import access
from annotations.access import Request
from annotations.forms import ReturnForm
from annotations.http import whole
from annotations.models import Annotation, Project, Trajectory
from annotations.services import findings, gists, labels, sight, versions
from annotations.services.axis import CELLS
from annotations.services.dossier import Dossier
from annotations.services.gists import Gist
from annotations.services.outcomes import Refusal
from annotations.views import cards, texts, turns

PAGE = "trajectories/page.html"
LOST = 100  # labels that did not come along, as many as the page lists
HIDDEN = ("reasoning", "calls", "results", "context")  # what a reader may fold away


@login_required
@require_GET
def page(request: Request, slug: str, pk: int) -> HttpResponse:
    project = access.project_for(request, slug)
    trajectory = trajectory_of(project, pk)
    if "step" in request.GET:
        return _to_step(request, trajectory, request.GET["step"])
    file = Dossier(request.membership, trajectory)
    at = max(0, whole(request.GET.get("at", "")) or 0)
    context = (
        _steps(file, at // cards.WINDOW * cards.WINDOW)
        | _outline(file, at)
        | {
            "project": project,
            "long": len(file.axis) > CELLS,
            "siblings": file.siblings(),
            "newer": _newer(trajectory),
            **_lost(request, trajectory),
            "reference": turns.shown_json(trajectory.task.reference) if shows(file, "reference") else None,
            "outcome": turns.shown_json(trajectory.outcome) if shows(file, "outcome") else None,
            "hidden": [name for name in request.GET.getlist("hide") if name in HIDDEN],
            "parts": HIDDEN,
        }
    )
    if not context["long"]:
        context |= said_of(file)
    return render(request, PAGE, context)


def _to_step(request: Request, trajectory: Trajectory, stable_id: str) -> HttpResponseRedirect:
    """To where the step of that stable id stands in this version; to the start with a word where it does not."""
    digest, _, ordinal = stable_id.replace("\x00", "").rpartition("-")
    found = None
    if len(digest) == 16 and (place := whole(ordinal)) is not None:
        steps = sight.steps_of(request.membership, trajectory).filter(content_hash__startswith=digest, ordinal=place)
        found = steps.values_list("index", flat=True).first()
    if found is None:
        messages.warning(request, "The step that was linked to is not in this version of the trajectory.")
        return HttpResponseRedirect(request.path)
    return HttpResponseRedirect(f"{request.path}?at={found}#step-{found}")


def _newer(trajectory: Trajectory) -> Trajectory | None:
    """The newest version, where this is an older one."""
    if trajectory.superseded_at is None:
        return None
    return Trajectory.objects.live().filter(task=trajectory.task_id, rollout=trajectory.rollout).only("pk").first()


def _lost(request: Request, trajectory: Trajectory) -> dict[str, Any]:
    """The labels of the earlier version that are not of this one."""
    if trajectory.version == 1:
        return {}
    lost, more = versions.lost_of(request.membership, trajectory)
    return {"lost": lost[:LOST], "more_lost": more + len(lost[LOST:]), "lost_count": more + len(lost)}


@login_required
@require_POST
def give_back(request: Request, slug: str, pk: int, annotation: int) -> HttpResponse:
    """Return a submitted pass to the person who made it, with a reason."""
    project = access.project_for(request, slug, access.MANAGE)
    found = get_object_or_404(
        Annotation.objects.live().select_related("rater"), pk=annotation, trajectory=trajectory_of(project, pk)
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


def shows(file: Dossier, what: str) -> bool:
    value = file.trajectory.outcome if what == "outcome" else file.trajectory.task.reference
    return bool(getattr(file.visible, what)) and value is not None


def trajectory_of(project: Project, pk: int) -> Trajectory:
    return get_object_or_404(Trajectory.objects.select_related("task"), project=project, pk=pk)


@login_required
@require_GET
def steps(request: Request, slug: str, pk: int) -> HttpResponse:
    """A window of steps, asked for when the reader comes near it: from a step on, or with `to` those before it."""
    file = _file(request, access.project_for(request, slug), pk)
    start = max(0, whole(request.GET.get("from", "")) or 0)
    backwards = (whole(request.GET.get("to", "")) or 0) > 0
    if backwards:
        start = max(0, (whole(request.GET["to"]) or 0) - cards.WINDOW)
    only = "earlier" if backwards else "later"
    return render(request, f"{PAGE}#steps", _steps(file, start, only) | {"project": request.membership.project})


@login_required
@require_GET
def said(request: Request, slug: str, pk: int) -> HttpResponse:
    """What was said of all of a long trajectory: strips, curves, what went wrong."""
    file = _file(request, access.project_for(request, slug), pk)
    return render(request, f"{PAGE}#said", said_of(file) | {"project": request.membership.project})


@login_required
@require_GET
def outline(request: Request, slug: str, pk: int) -> HttpResponse:
    """Some lines of the outline of a long trajectory."""
    file = _file(request, access.project_for(request, slug), pk)
    at = max(0, whole(request.GET.get("at", "")) or 0)
    return render(request, f"{PAGE}#outline", _outline(file, at) | {"project": request.membership.project})


@login_required
@require_GET
def history(request: Request, slug: str, pk: int) -> HttpResponse:
    """How labels came and went."""
    file = _file(request, access.project_for(request, slug), pk)
    context = {"project": request.membership.project, "trajectory": file.trajectory, "history": file.history()}
    return render(request, f"{PAGE}#history", context)


@login_required
@require_GET
def part(request: Request, slug: str, pk: int, index: int, name: str) -> HttpResponse:
    """One text of a step: as a page shows it, in another view, piece by piece, or as a file."""
    trajectory = trajectory_of(access.project_for(request, slug), pk)
    return texts.text(request, sight.steps_of(request.membership, trajectory), index, name)


@login_required
@require_GET
def image(request: Request, slug: str, pk: int, index: int, name: str, number: int) -> HttpResponse:
    """A picture in a text of a step."""
    trajectory = trajectory_of(access.project_for(request, slug), pk)
    return texts.image(request, sight.steps_of(request.membership, trajectory), index, name, number)


def _file(request: Request, project: Project, pk: int) -> Dossier:
    return Dossier(request.membership, trajectory_of(project, pk))


def _steps(file: Dossier, start: int, only: str = "") -> dict[str, Any]:
    shown = sight.window(file.membership, file.trajectory, start, start + cards.WINDOW)
    return cards.window(file, shown, start, only) | doors(file)


def doors(file: Dossier) -> dict[str, str]:
    """Where the page asks for more of itself, and for a text in full."""
    door = reverse("trajectory", args=[file.membership.project.slug, file.trajectory.pk])
    alike = access.may(file.membership, access.SEE_OTHERS_LABELS)
    return {"door": door, "text_door": f"{door}steps/", "alike_door": f"{door}similar/" if alike else ""}


def said_of(file: Dossier) -> dict[str, Any]:
    """What was said of all of it, and what went wrong."""
    return {
        "trajectory": file.trajectory,
        "file": file,
        "findings": findings.of(file),
        "telling": [one for one in file.passes if one.tells],
        "may_return": access.may(file.membership, access.MANAGE),
        "may_see_runs": access.may(file.membership, access.SEE_OTHERS_LABELS),
    }


def _outline(file: Dossier, at: int) -> dict[str, Any]:
    def read(first: int, end: int) -> list[Gist]:
        steps = sight.steps_of(file.membership, file.trajectory).of_agent()
        return gists.read(steps.filter(index__gte=first, index__lt=end))

    return cards.outline(file, at, read) | doors(file)
