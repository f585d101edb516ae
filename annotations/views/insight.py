"""Insight into rollouts: asking for it, reading it, taking its tables away."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from annotations import access
from annotations.access import Request
from annotations.forms import raters_of
from annotations.http import table_file
from annotations.models import Report, Run
from annotations.services import insight, insight_words
from annotations.services.insight import InsightRefused


@login_required
@require_http_methods(["GET", "POST"])
def index(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.BEGIN[Run.Kind.INSIGHT])
    problem = insight.unfit(project)
    if request.method == "POST":
        try:
            return redirect("run", slug, insight.start(project, request.user, request.POST.get("rater", "")).pk)
        except InsightRefused as no:
            problem = str(no)
    context = {
        "project": project,
        "problem": problem,
        "unfit": insight.unfit(project),
        "raters": raters_of(project),
        "reference": project.reference and f"{project.reference.kind}:{project.reference.name}",
        "reports": insight.reports(project),
    }
    return render(request, "insight/list.html", context, status=422 if request.method == "POST" else 200)


@login_required
@require_GET
def report(request: Request, slug: str, pk: int) -> HttpResponse:
    found = _found(request, slug, pk)
    context = {
        "project": found.project,
        "report": found,
        "result": found.result,
        "command": f"python manage.py insight {found.project.slug} --rater {found.config.get('rater') or 'NAME'}",
    }
    return render(request, "insight/report.html", context | insight_words.context(found.result))


@login_required
@require_GET
def as_csv(request: Request, slug: str, pk: int) -> HttpResponse:
    """The tables in one file: what each row is about, its name, a figure, its value."""
    found = _found(request, slug, pk)
    return table_file(f"insight-{pk}.csv", insight_words.lines(found.result))


def _found(request: Request, slug: str, pk: int) -> Report:
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    rows = Report.objects.select_related("project", "run__created_by")
    return get_object_or_404(rows, project=project, kind=insight.KIND, pk=pk)
