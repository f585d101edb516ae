"""Pre-scoring: starting it, and how the numbers lie."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from annotations import access, jobs
from annotations.access import Request
from annotations.forms import ScoreForm
from annotations.models import Run
from annotations.services import score_summary


@login_required
@require_http_methods(["GET", "POST"])
def page(request: Request, slug: str) -> HttpResponse:
    roles = access.MANAGE if request.method == "POST" else access.SEE_OTHERS_LABELS
    project = access.project_for(request, slug, roles)
    form = ScoreForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        run = jobs.start(Run.Kind.SCORE, project, request.user, scorer=form.cleaned_data["scorer"])
        return redirect("run", slug, run.pk)
    context = {
        "project": project,
        "form": form,
        "scorers": score_summary.of_project(project),
        "idle": not jobs.is_served(Run.Kind.SCORE),
    }
    return render(request, "scores/page.html", context, status=422 if form.errors else 200)
