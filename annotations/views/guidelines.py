"""Guidelines: the version in force, editing with a preview, older versions and what changed; going over to a newer one
while one labels."""

from __future__ import annotations

from typing import Annotated

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from pydantic import BaseModel, ConfigDict, Field

from annotations import access
from annotations.access import Request
from annotations.forms import GuidelineForm
from annotations.http import whole
from annotations.models import Guideline, Project, User
from annotations.rendering import markdown
from annotations.services import changes, guidelines, scheme_texts, seats, threads
from annotations.views.labels import Answer, Door, Nothing, door

PAGE = "projects/guidelines.html"
NEWER = "projects/_newer_guidelines.html"


@login_required
@require_http_methods(["GET", "POST"])
def page(request: Request, slug: str) -> HttpResponse:
    roles = access.MANAGE if request.method == "POST" else access.SEE
    project = access.project_for(request, slug, roles)
    current = project.guidelines.first()
    drafted = _drafted(request, current)
    brought = _brought(request, project)
    form = GuidelineForm(
        request.POST or None, initial={"text": drafted or brought or (current.text if current else "")}
    )
    if request.method == "POST" and form.is_valid():
        stored = guidelines.publish(project, form.cleaned_data["text"], request.user)
        messages.success(request, f"Version {stored.version} is in force. Labels name the version they saw.")
        return redirect("guidelines", slug)
    context = {
        "project": project,
        "current": current,
        "html": markdown.to_html(form["text"].value() or ""),
        "form": form,
        "drafted": bool(drafted),
        "brought": bool(brought),
        "versions": project.guidelines.defer("text").select_related("created_by"),
    }
    return render(request, PAGE, context, status=422 if form.errors else 200)


def _drafted(request: Request, current: Guideline | None) -> str:
    """The guidelines with the thread `?from` as a section at their end; empty where none is asked for."""
    asked = whole(request.GET.get("from", ""))
    if asked is None or not access.may(request.membership, access.MANAGE):
        return ""
    thread = get_object_or_404(threads.visible_to(request.membership).prefetch_related("messages"), pk=asked)
    return guidelines.drafted_from(thread, current.text if current else "")


def _brought(request: Request, project: Project) -> str:
    """The guidelines `?name` that the version `?scheme` of the scheme brings; empty where none is asked for."""
    asked = whole(request.GET.get("scheme", ""))
    if asked is None or not access.may(request.membership, access.MANAGE):
        return ""
    version = get_object_or_404(project.schemes, number=asked)
    texts = scheme_texts.document_of(version).scheme.guidelines
    return next((one.text for one in texts if one.name == request.GET.get("name")), "")


@login_required
@require_POST
def preview(request: Request, slug: str) -> HttpResponse:
    access.project_for(request, slug, access.MANAGE)
    html = markdown.to_html(request.POST.get("text", "")[:200_000])
    return render(request, f"{PAGE}#preview", {"html": html})


@login_required
@require_GET
def version(request: Request, slug: str, number: int) -> HttpResponse:
    """One version, and what changed since the one before it, or since the older one that `?since` names."""
    project = access.project_for(request, slug)
    shown = get_object_or_404(project.guidelines.select_related("created_by"), version=number)
    before = _before(project, shown, request.GET.get("since", ""))
    context = {
        "project": project,
        "shown": shown,
        "before": before,
        "html": markdown.to_html(shown.text),
        "lines": guidelines.difference(before.text, shown.text) if before else [],
    }
    return render(request, "projects/guideline.html", context)


def _before(project: Project, shown: Guideline, since: str) -> Guideline | None:
    older = project.guidelines.filter(version__lt=shown.version)
    return older.filter(version=whole(since) or 0).first() or older.first()


class VersionBody(BaseModel):
    model_config = ConfigDict(extra="forbid")
    version: Annotated[int, Field(strict=True, ge=1, lt=2**31)]


@door(Nothing, "GET")
def newer(body: Nothing, user: User, slug: str, annotation: int) -> Answer:
    """The version a pass shows, and where a newer one is in force that one, with what changed."""
    mine = changes.own(annotation, user, slug)
    found = guidelines.newer(mine) if mine.state in seats.OPEN else None
    shown = mine.guideline.version if mine.guideline else None
    if found is None:
        return {"shown": shown, "newer": None, "html": ""}
    lines = guidelines.difference(mine.guideline.text if mine.guideline else "", found.text)
    context = {"project": mine.rater.project, "shown": shown, "newer": found, "lines": lines}
    return {"shown": shown, "newer": found.version, "html": render_to_string(NEWER, context)}


@door(VersionBody)
def guideline(body: VersionBody, user: User, slug: str, annotation: int) -> Answer:
    """Show that version from now on."""
    mine = guidelines.adopt(annotation, user, body.version, slug=slug)
    text = mine.guideline.text if mine.guideline else ""
    return {"version": body.version, "html": markdown.to_html(text)}


DOORS: tuple[Door, ...] = (newer, guideline)
