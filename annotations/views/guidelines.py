"""Guidelines: the version in force, editing with a preview, older versions and what changed."""

from __future__ import annotations

import difflib

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotations import access
from annotations.access import Request
from annotations.forms import GuidelineForm
from annotations.models import Guideline
from annotations.rendering import markdown
from annotations.services import setup

PAGE = "projects/guidelines.html"


@login_required
@require_http_methods(["GET", "POST"])
def page(request: Request, slug: str) -> HttpResponse:
    roles = access.MANAGE if request.method == "POST" else access.SEE
    project = access.project_for(request, slug, roles)
    current = project.guidelines.first()
    form = GuidelineForm(request.POST or None, initial={"text": current.text if current else ""})
    if request.method == "POST" and form.is_valid():
        stored = setup.publish(project, form.cleaned_data["text"], request.user)
        messages.success(request, f"Version {stored.version} is in force. Labels name the version they saw.")
        return redirect("guidelines", slug)
    context = {
        "project": project,
        "current": current,
        "html": markdown.to_html(current.text) if current else "",
        "form": form,
        "versions": project.guidelines.defer("text").select_related("created_by"),
    }
    return render(request, PAGE, context, status=422 if form.errors else 200)


@login_required
@require_POST
def preview(request: Request, slug: str) -> HttpResponse:
    access.project_for(request, slug, access.MANAGE)
    html = markdown.to_html(request.POST.get("text", "")[:200_000])
    return render(request, f"{PAGE}#preview", {"html": html})


@login_required
@require_GET
def version(request: Request, slug: str, number: int) -> HttpResponse:
    project = access.project_for(request, slug)
    shown = get_object_or_404(project.guidelines.select_related("created_by"), version=number)
    before = project.guidelines.filter(version__lt=number).first()
    context = {
        "project": project,
        "shown": shown,
        "before": before,
        "html": markdown.to_html(shown.text),
        "lines": _changes(before, shown) if before else [],
    }
    return render(request, "projects/guideline.html", context)


def _changes(before: Guideline, after: Guideline) -> list[tuple[str, str]]:
    """Lines with what became of them: "+" came, "-" went, " " stayed, "@" a gap."""
    lines = difflib.unified_diff(before.text.splitlines(), after.text.splitlines(), lineterm="", n=2)
    return [(line[0], line[1:]) for line in list(lines)[2:]]
