"""The page of one trajectory with everything that was said about it, and the pieces it brings when they are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import get_template, render_to_string
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET, require_POST

from annotations import access
from annotations.access import Request
from annotations.forms import ReturnForm
from annotations.http import whole
from annotations.models import Annotation, Project, Trajectory
from annotations.services import findings, gists, labels, sight
from annotations.services.axis import CELLS
from annotations.services.dossier import Dossier
from annotations.services.gists import Gist
from annotations.services.outcomes import Refusal
from annotations.views import paper, texts, turns

PAGE, PRINT = "trajectories/page.html", "trajectories/print.html"
WINDOW = 40
LINES = 100  # of the outline, at a time
HIDDEN = ("reasoning", "calls", "results", "context")  # what a reader may fold away


@dataclass(frozen=True)
class Line:
    """A step in the outline: its number, its gist, and how often each value was given to it."""

    number: int
    gist: Gist
    tally: list[tuple[Any, int]]


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
        _steps(file, at // WINDOW * WINDOW)
        | _outline(file, at)
        | {
            "project": project,
            "long": len(file.axis) > CELLS,
            "siblings": file.siblings(),
            "newer": _newer(trajectory),
            "reference": turns.shown_json(trajectory.task.reference) if shows(file, "reference") else None,
            "outcome": turns.shown_json(trajectory.outcome) if shows(file, "outcome") else None,
            "hidden": [name for name in request.GET.getlist("hide") if name in HIDDEN],
            "parts": HIDDEN,
        }
    )
    if not context["long"]:
        context |= _said(file)
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
        start = max(0, (whole(request.GET["to"]) or 0) - WINDOW)
    only = "earlier" if backwards else "later"
    return render(request, f"{PAGE}#steps", _steps(file, start, only) | {"project": request.membership.project})


@login_required
@require_GET
def said(request: Request, slug: str, pk: int) -> HttpResponse:
    """What was said of all of a long trajectory: strips, curves, what went wrong."""
    file = _file(request, access.project_for(request, slug), pk)
    return render(request, f"{PAGE}#said", _said(file) | {"project": request.membership.project})


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
def on_paper(request: Request, slug: str, pk: int) -> StreamingHttpResponse:
    """All of it on one page made for paper, sent as it is made."""
    file = _file(request, access.project_for(request, slug), pk)
    context = _said(file) | {
        "project": request.membership.project,
        "alone": True,
        "may_return": False,
        "here": request.build_absolute_uri(reverse("trajectory", args=[slug, pk])),
        "reference": turns.shown_json(file.trajectory.task.reference) if shows(file, "reference") else None,
        "outcome": turns.shown_json(file.trajectory.outcome) if shows(file, "outcome") else None,
        "text_limit": paper.TEXT,
        "whole_limit": paper.WHOLE,
        "step_limit": paper.STEPS,
    }
    return StreamingHttpResponse(_printed(request, file, context))


def _printed(request: Request, file: Dossier, context: dict[str, Any]) -> Iterator[str]:
    """The page in pieces: what stands before the steps, the steps, what stands after them."""
    marks = {"steps_go_here": mark_safe("<!--steps-->"), "end_goes_here": mark_safe("<!--end-->")}
    page = render_to_string(PRINT, context | marks, request)
    before, rest = page.split("<!--steps-->")  # no text can hold the mark: a page's texts are escaped
    between, after = rest.split("<!--end-->")
    yield before
    cut = paper.Cut()
    step = get_template(f"{PRINT}#step")
    for card in paper.cards(file, cut):
        yield step.render({"card": card, "alone": True})
    yield between + render_to_string(f"{PRINT}#end", {"cut": cut}) + after


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
    """The window from there, and where the windows around it begin. `only`: the way the reader is going."""
    trajectory, end = file.trajectory, start + WINDOW
    shown = sight.window(file.membership, trajectory, start, end)
    return {
        "trajectory": trajectory,
        "file": file,
        "cards": cards(file, shown, start, end),
        "earlier": start if start > 0 and only != "later" else None,
        "later": end if end <= file.axis.last and only != "earlier" else None,
        "text_door": reverse("trajectory_steps", args=[file.membership.project.slug, trajectory.pk]),
    }


def cards(file: Dossier, shown: list[Any], start: int, end: int) -> list[dict[str, Any]]:
    """Each step with what was said of it, as trajectories/_step.html shows them."""
    words, scores = file.words(start, end), file.scores(start, end)
    return [
        {
            "turn": replace(turn, number=file.axis.number(turn.index)),
            "stable_id": step.stable_id,
            "words": words.get(turn.index, ()),
            "scores": scores.get(turn.index, ()),
        }
        for step, turn in zip(shown, turns.turns(shown, {}), strict=True)
    ]


def _said(file: Dossier) -> dict[str, Any]:
    return {
        "trajectory": file.trajectory,
        "file": file,
        "findings": findings.of(file),
        "explained": [one for one in file.passes if one.final_explanation],
        "may_return": access.may(file.membership, access.MANAGE),
        "may_see_runs": access.may(file.membership, access.SEE_OTHERS_LABELS),
    }


def _outline(file: Dossier, at: int) -> dict[str, Any]:
    """The lines of the outline around that step."""
    agent, number = file.axis.agent, file.axis.rank(at)
    start = number // LINES * LINES
    chosen = agent[start : start + LINES]
    lines: list[Line] = []
    if chosen:
        first, end = chosen[0], chosen[-1] + 1
        tally = file.tally(first, end)
        steps = sight.steps_of(file.membership, file.trajectory).of_agent().filter(index__gte=first, index__lt=end)
        found = enumerate(gists.read(steps), start=start + 1)
        lines = [Line(number, gist, tally.get(gist.index, [])) for number, gist in found]
    return {
        "trajectory": file.trajectory,
        "lines": lines,
        "lines_before": agent[start - LINES] if start else None,
        "lines_after": agent[start + LINES] if start + LINES < len(agent) else None,
        "steps_in_all": len(agent),
    }
