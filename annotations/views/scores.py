"""Pre-scoring: starting it, how the numbers lie, and calibrating them."""

from __future__ import annotations

import csv
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotations import access, jobs
from annotations.access import Request
from annotations.forms import ScoreForm
from annotations.models import Calibration, Project, Run
from annotations.services import (
    calibration,
    calibration_words,
    run_estimates,
    score_summary,
    scorer_entries,
    teaching,
    teaching_summary,
)
from annotations.services.calibration import CalibrationRefused


@login_required
@require_POST
def calibrate(request: Request, slug: str) -> HttpResponse:
    """Begin to calibrate a scorer; back to the page, which says how far it is."""
    project = access.project_for(request, slug, access.BEGIN[Run.Kind.CALIBRATE])
    try:
        run = calibration.start(project, request.user, request.POST.get("scorer", ""), request.POST.get("method", ""))
    except CalibrationRefused as no:
        messages.error(request, str(no))
        return redirect("scores", slug)
    return redirect("run", slug, run.pk)


@login_required
@require_POST
def train(request: Request, slug: str) -> HttpResponse:
    """Have the embedded scorer learn; the run's page says how far it is."""
    project = access.project_for(request, slug, access.BEGIN[Run.Kind.TRAIN])
    return redirect("run", slug, teaching.start(project, request.user).pk)


@login_required
@require_GET
def reliability(request: Request, slug: str, pk: int) -> HttpResponse:
    """The reliability curve of a calibration as CSV."""
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    found = get_object_or_404(Calibration, project=project, pk=pk)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="calibration-{pk}.csv"'
    table = csv.writer(response)
    table.writerow(calibration_words.COLUMNS)
    table.writerows(calibration_words.table(found.report))
    return response


def _started(request: Request, project: Project, scorer: str, limit: int | None) -> HttpResponse:
    """Begin; what takes long or costs something only once somebody has seen how much, and is sure. A try begins."""
    estimate = run_estimates.of(project, [scorer])[scorer]
    if estimate.is_asked_about and not limit and "sure" not in request.POST:
        title = scorer_entries.titles([scorer])[scorer]
        asked = {"project": project, "scorer": scorer, "title": title, "estimate": estimate}
        return render(request, "scores/sure.html", asked)
    only: dict[str, Any] = {"limit": limit} if limit else {}
    run = jobs.start(Run.Kind.SCORE, project, request.user, scorer=scorer, **only)
    return redirect("run", project.slug, run.pk)


@login_required
@require_http_methods(["GET", "POST"])
def page(request: Request, slug: str) -> HttpResponse:
    roles = access.MANAGE if request.method == "POST" else access.SEE_OTHERS_LABELS
    project = access.project_for(request, slug, roles)
    form = ScoreForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _started(request, project, **form.cleaned_data)
    context = {
        "project": project,
        "form": form,
        "scorers": score_summary.of_project(project),
        "teaching": teaching_summary.of_project(project),
        "idle": not jobs.is_served(Run.Kind.SCORE),
    }
    return render(request, "scores/page.html", context, status=422 if form.errors else 200)
