"""Traces that came in over OTLP: what became of each, and how to send some here."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from annotations import access, jobs
from annotations.access import Request
from annotations.http import whole
from annotations.models import Run
from annotations.services import traces, traces_kept
from annotations.services.traces_kept import PER_PAGE, STATES, UNUSABLE, WAITING

LIST = "traces/list.html"


@login_required
@require_GET
def page(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.MANAGE)
    state, session, before = _asked(request)
    found = traces_kept.of(project, state, session)
    if before:
        found = found.filter(pk__lt=before)
    listed = list(found[: PER_PAGE + 1])
    rows = traces_kept.rows(project, listed[:PER_PAGE])
    waits = any(row.state == WAITING for row in rows)
    context = {
        "project": project,
        "rows": rows,
        "waits": waits,
        "idle": waits and not jobs.is_served(Run.Kind.IMPORT),
        "state": state,
        "session": session,
        "before": before,
        "query": _query(state, session),
        "of_session": _query(session=session),
        "older": _query(state, session, listed[PER_PAGE - 1].pk) if len(listed) > PER_PAGE else "",
        "quiet": settings.TRACE_QUIET_SECONDS,
    }
    if request.htmx:
        return render(request, f"{LIST}#rows", context)
    counts = traces_kept.counts(project)
    context |= {
        "counts": [(name, STATES[name], counts[name], _query(name, session)) for name in STATES],
        "any": any(counts.values()),
        "unusable": counts[UNUSABLE],
        "endpoint": request.build_absolute_uri(reverse("api-traces")),
        "keep": settings.TRACE_KEEP_DAYS,
    }
    return render(request, LIST, context)


@login_required
@require_POST
def hurry(request: Request, slug: str, pk: int) -> HttpResponse:
    """Make a trajectory of it now, or try it again."""
    project = access.project_for(request, slug, access.MANAGE)
    if traces_kept.hurry(project, pk):
        traces.send()
        messages.success(request, "It is made in a few seconds, of the spans that are here.")
    else:
        messages.info(request, "It does not wait any more.")
    return _back(request, slug)


@login_required
@require_POST
def delete(request: Request, slug: str, pk: int | None = None) -> HttpResponse:
    """Delete one unusable trace, or all of them."""
    project = access.project_for(request, slug, access.MANAGE)
    if count := traces_kept.delete_unusable(project, request.user, pk):
        messages.success(request, f"{count:,} trace{'s' if count > 1 else ''} deleted, with all spans.")
    else:
        messages.info(request, "There was nothing to delete.")
    return _back(request, slug)


def _asked(request: Request) -> tuple[str, str, int | None]:
    state, session = request.GET.get("state", ""), request.GET.get("session", "").replace("\x00", "")[:300]
    return (state if state in STATES else ""), session, whole(request.GET.get("before", ""))


def _query(state: str = "", session: str = "", before: int | None = None) -> str:
    told = {"state": state, "session": session, "before": before}
    return "?" + urlencode({name: value for name, value in told.items() if value}, errors="replace")


def _back(request: Request, slug: str) -> HttpResponse:
    return redirect(reverse("traces", args=[slug]) + _query(*_asked(request)))
