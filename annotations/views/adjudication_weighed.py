"""How far raters agreed before it was decided, and with what was decided."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotations import access, jobs
from annotations.access import Request
from annotations.http import table_file, whole
from annotations.models import Run
from annotations.services import adjudication_shown
from annotations.services.adjudication_shown import ONLY, TABLES
from annotations.views.agreement import MORE, OVERALL

LISTED = 50


@login_required
@require_GET
def page(request: Request, slug: str) -> HttpResponse:
    """The tables, and the settled trajectories behind them."""
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    only = request.GET.get("only", "")
    before = whole(request.GET.get("before", ""))
    found = adjudication_shown.settled(project, only)
    listed = list((found.filter(pk__lt=before) if before else found)[: LISTED + 1])
    weighed = adjudication_shown.weighed(project)
    context = {
        "project": project,
        "weighed": weighed,
        "idle": weighed.now.waiting and not jobs.is_served(Run.Kind.AGREEMENT),
        "before": [(title, weighed.before[name]) for name, title in (*OVERALL, *MORE) if weighed.before],
        "only": only if only in ONLY else "",
        "choices": ONLY.items(),
        "rows": [adjudication_shown.row(one) for one in listed[:LISTED]],
        "older": listed[LISTED - 1].pk if len(listed) > LISTED else None,
    }
    return render(request, "adjudicate/weighed.html", context)


@login_required
@require_GET
def as_csv(request: Request, slug: str, table: str) -> HttpResponse:
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    if table not in TABLES:
        raise Http404
    return table_file(f"adjudication-{table}.csv", TABLES[table](project))
