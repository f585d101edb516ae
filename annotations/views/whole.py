"""The whole of a trajectory at once: on one page for paper, and as a page to take away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.template.loader import get_template, render_to_string
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET

from annotations import access
from annotations.access import Request
from annotations.http import zipped
from annotations.services import originals
from annotations.services.dossier import Dossier
from annotations.views import paper, standalone, turns
from annotations.views.trajectory import doors, said_of, shows, trajectory_of

PRINT = "trajectories/print.html"


@login_required
@require_GET
def on_paper(request: Request, slug: str, pk: int) -> StreamingHttpResponse:
    """All of it on one page made for paper, sent as it is made."""
    project = access.project_for(request, slug)
    file = Dossier(request.membership, trajectory_of(project, pk))
    context = said_of(file) | {
        "project": project,
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
    step, door = get_template(f"{PRINT}#step"), doors(file)["text_door"]
    for card in paper.steps(file, cut):
        yield step.render({"card": card, "alone": True, "text_door": door})
    yield between + render_to_string(f"{PRINT}#end", {"cut": cut}) + after


@login_required
@require_GET
def take(request: Request, slug: str, pk: int) -> StreamingHttpResponse:
    """All of it as a page that stands alone, in a zip archive."""
    project = access.project_for(request, slug, access.TAKE_DATA)
    site = standalone.Site(project, [trajectory_of(project, pk)])
    response = StreamingHttpResponse(zipped(site.files()), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="trajectory-{pk}.zip"'
    return response


@login_required
@require_GET
def original(request: Request, slug: str, pk: int) -> HttpResponse:
    """The record it was made of, byte for byte as it stood in the file."""
    project = access.project_for(request, slug, access.TAKE_DATA)
    kept = trajectory_of(project, pk).original
    if kept is None:
        raise Http404("It came in before originals were kept, or was made here.")
    content = originals.content(kept)
    response = HttpResponse(content, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{originals.download_name(kept, content)}"'
    return response
