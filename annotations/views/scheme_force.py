"""Putting a version of the scheme in force: what it would change first, then doing it, and what could not go along."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from annotations import access
from annotations.access import Request
from annotations.models import Project, ProjectScheme, Run
from annotations.services import projects, scheme_changes, scheme_lost, scheme_texts
from annotations.services.outcomes import NotAccepted
from annotations.services.scheme_plan import Plan

LOG = 20  # changes that the scheme's page tells of


@login_required
@require_http_methods(["GET", "POST"])
def page(request: Request, slug: str, number: int) -> HttpResponse:
    """What would become of the labels; sent, the version comes into force, at once or by a run."""
    project, version = _version(request, slug, number)
    if request.method == "POST":
        return _put(request, project, version)
    current = scheme_texts.in_force(project)
    context = {
        "project": project,
        "shown": version,
        "current": current,
        "in_force": current == version,
        "in_the_way": scheme_texts.in_the_way(project, version),
        "plan": scheme_changes.preview(project, projects.scheme_of(version.scheme)),
    }
    return render(request, "schemes/force.html", context)


@login_required
@require_GET
def unmapped(request: Request, slug: str, number: int) -> HttpResponseBase:
    """Every label that would not go along to the version, as a table."""
    project, version = _version(request, slug, number)
    rows = scheme_changes.unmapped(project, projects.scheme_of(version.scheme))
    return _table(scheme_lost.as_csv(rows), f"{slug}-scheme-{number}-unmapped")


@login_required
@require_GET
def lost(request: Request, slug: str, change: UUID) -> HttpResponseBase:
    """Every label that did not go along in a change that was made, as a table."""
    project = access.project_for(request, slug, access.MANAGE)
    get_object_or_404(project.events, verb=scheme_changes.IN_FORCE, change=change)
    return _table(scheme_lost.as_csv(scheme_lost.of_change(project, change)), f"{slug}-scheme-unmapped")


def log(project: Project) -> list[Any]:
    """The last changes of what is in force, the newest first."""
    events = project.events.filter(verb=scheme_changes.IN_FORCE).select_related("actor")
    return list(events.order_by("-pk")[:LOG])


def _put(request: Request, project: Project, version: ProjectScheme) -> HttpResponse:
    try:
        made = scheme_changes.change(project, version, request.user)
    except NotAccepted as no:
        messages.error(request, str(no))
        return redirect("scheme_version", project.slug, version.number)
    if isinstance(made, Run):
        return redirect("run", project.slug, made.pk)
    messages.success(request, f"Version {version.number} is in force. {_said(made.plan)}")
    return redirect("scheme", project.slug)


def _said(plan: Plan) -> str:
    """What came of it, in a sentence; nothing where nobody had labelled."""
    found = [
        f"{_many(plan.passes, 'pass', 'passes')} went along with {_many(plan.kept, 'label')}" if plan.passes else "",
        f"{_many(plan.restored, 'pass is', 'passes are')} as before" if plan.restored else "",
        f"{_many(plan.gone, 'label')} could not, and can be read in the passes of before" if plan.gone else "",
        f"{_many(plan.returned, 'pass', 'passes')} came back for an answer that is new" if plan.returned else "",
    ]
    return "; ".join(filter(None, found)) + "." * any(found)


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def _version(request: Request, slug: str, number: int) -> tuple[Project, ProjectScheme]:
    project = access.project_for(request, slug, access.MANAGE)
    return project, get_object_or_404(project.schemes.select_related("scheme", "created_by"), number=number)


def _table(lines: Any, name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
