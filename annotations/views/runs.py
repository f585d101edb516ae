"""Background work: what runs, how far it is, what came of it; pausing, stopping and repeating it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from annotations import access, jobs
from annotations.access import Request
from annotations.http import whole
from annotations.models import Project, Run
from annotations.services import (
    export_push,
    exports,
    judge_summary,
    progress_counts,
    rubric_writing,
    run_provenance,
    unconverted,
)
from annotations.services import runs as service
from annotations.services.progress_counts import Pace

LIST = "runs/list.html"
PAGE = "runs/page.html"
PER_PAGE = 30
FAST, FAST_LIST, SLOW = 2, 3, 15  # seconds between a page's looks at runs: one that works, a list, one that rests
SHOWN_PROBLEMS = 200
LISTS = ("rejected", "unmatched", "lost", "unconverted", "duplicates")  # of what an import could not do, or found


class Row(NamedTuple):
    run: Run
    pace: Pace


def progress_rows(runs: Iterable[Run]) -> list[Row]:
    return [Row(run, progress_counts.pace(run)) for run in runs]


@login_required
@require_GET
def index(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    found = Run.objects.filter(project=project).listed()
    if "open" in request.GET:
        found = found.open()
    if before := whole(request.GET.get("before", "")):
        found = found.filter(id__lt=before)
    page = list(found[: PER_PAGE + 1])
    context = {
        "project": project,
        "rows": progress_rows(page[:PER_PAGE]),
        "older": page[PER_PAGE - 1].pk if len(page) > PER_PAGE else None,
        "polls": _polls(page, FAST_LIST),
        "idle": _idle(page),
    }
    return render(request, f"{LIST}#rows" if request.htmx else LIST, context)


def _idle(runs: Iterable[Run]) -> bool:
    """Whether one of the runs waits for a worker that is not there."""
    return any(not jobs.is_served(kind) for kind in {run.kind for run in runs if not (run.is_over or run.is_paused)})


def _polls(runs: Iterable[Run], fast: int) -> int | None:
    """How many seconds until the page looks again; None where all are over."""
    waited_for = [run for run in runs if not run.is_over]
    if not waited_for:
        return None
    return SLOW if all(run.is_paused for run in waited_for) else fast


@login_required
@require_GET
def page(request: Request, slug: str, pk: int) -> HttpResponse:
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    run = _run(project, pk)
    return render(request, f"{PAGE}#progress" if request.htmx else PAGE, _context(project, run))


def _run(project: Project, pk: int) -> Run:
    runs = Run.objects.filter(project=project).select_related("created_by", "report", "retry_of")
    return get_object_or_404(runs, pk=pk)


def _listed(run: Run, name: str) -> dict[str, Any]:
    """The beginning of a list of the result, and how many more there are."""
    found = run.result.get(name) or []
    more = max(0, len(found) - SHOWN_PROBLEMS) + run.result.get(f"{name}_more", 0)
    return {name: found[:SHOWN_PROBLEMS], f"more_{name}": more}


def _is_unknown(problem: dict[str, Any]) -> bool:
    """Whether it is said of a file that no format knows, and that holds objects to point at."""
    return str(problem["reason"]).startswith("found an object with the keys")


def _context(project: Project, run: Run) -> dict[str, Any]:
    problems = run.result.get("rejected") or []
    unmatched = run.result.get("unmatched") or []
    return {
        "project": project,
        "run": run,
        "pace": progress_counts.pace(run),
        "polls": _polls([run], FAST),
        "idle": _idle([run]),
        "problems": problems[:SHOWN_PROBLEMS],
        "unknown": run.kind == Run.Kind.IMPORT and bool(run.file) and any(map(_is_unknown, problems)),
        "more_problems": max(0, len(problems) - SHOWN_PROBLEMS) + run.result.get("rejected_more", 0),
        **_listed(run, "lost"),
        "unconverted": unconverted.by_number(run.result.get("unconverted") or []),
        **_listed(run, "duplicates"),
        "unmatched": unmatched[:SHOWN_PROBLEMS],
        "more_unmatched": max(0, len(unmatched) - SHOWN_PROBLEMS),
        **(_export(project, run) if run.kind == Run.Kind.EXPORT else {}),
        **(_scoring(run) if run.kind == Run.Kind.SCORE else {}),
        **({"asked": judge_summary.of_run(run)} if run.kind in (Run.Kind.JUDGE, Run.Kind.RUBRICS) else {}),
        **(rubric_writing.told_of(run) if run.kind == Run.Kind.RUBRICS else {}),
    }


def _scoring(run: Run) -> dict[str, Any]:
    """Where its scores come from, and what it could not score."""
    told = {"provenance": run_provenance.rows(run), "cost": run_provenance.cost(run)}
    return told | _listed(run, "skipped") | {"skipped_count": len(run.result.get("skipped") or [])}


def _export(project: Project, run: Run) -> dict[str, Any]:
    """Its files, why they cannot be sent to the hub, and where they were sent."""
    pushes = Run.objects.filter(project=project, kind=Run.Kind.PUSH, config__export=run.pk).order_by("-pk")[:10]
    return {"files": list(exports.files_of(run).items()), "no_push": export_push.able(), "pushes": pushes}


@login_required
@require_POST
def cancel(request: Request, slug: str, pk: int) -> HttpResponse:
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    run = _run(project, pk)
    _refuse_unless_steering(request, run)
    if service.cancel(run, request.user):
        messages.success(request, "Stopped. What was done stays.")
    return redirect("run", slug, pk)


@login_required
@require_POST
def pause(request: Request, slug: str, pk: int) -> HttpResponse:
    run = _run(access.project_for(request, slug, access.MANAGE), pk)
    if service.pause(run, request.user):
        messages.success(request, "Paused. What was done stays; it goes on from there once it is resumed.")
    return _back(request, slug, pk)


@login_required
@require_POST
def resume(request: Request, slug: str, pk: int) -> HttpResponse:
    run = _run(access.project_for(request, slug, access.MANAGE), pk)
    service.resume(run, request.user)
    return _back(request, slug, pk)


def _back(request: Request, slug: str, pk: int) -> HttpResponse:
    return redirect("runs", slug) if "list" in request.POST else redirect("run", slug, pk)


@login_required
@require_POST
def retry(request: Request, slug: str, pk: int) -> HttpResponse:
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    run = _run(project, pk)
    _refuse_unless_steering(request, run)
    try:
        again = service.retry(run, request.user)
    except ValueError as no:
        messages.error(request, str(no))
        return redirect("run", slug, pk)
    return redirect("run", slug, again.pk)


def _refuse_unless_steering(request: Request, run: Run) -> None:
    if not access.may_steer(request.membership, run):
        raise PermissionDenied(access.NOT_YOURS)


@login_required
@require_GET
def problems(request: Request, slug: str, pk: int, kind: str) -> HttpResponse:
    """All records an import refused, and those it could not match, as CSV or JSON."""
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    run = _run(project, pk)
    found = run.result.get("rejected") or []
    if run.kind != Run.Kind.IMPORT or not any(run.result.get(name) for name in LISTS):
        raise Http404
    response = HttpResponse(content_type="application/json" if kind == "json" else "text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{pk}-rejected.{kind}"'
    if kind == "json":
        kept = {name: run.result.get(name) or [] for name in LISTS}
        response.write(json.dumps(kept, ensure_ascii=False, indent=1))
        return response
    table = csv.writer(response)
    table.writerow(["file", "line", "field", "reason"])
    table.writerows([_cell(row.get(name, "")) for name in ("file", "line", "field", "reason")] for row in found)
    return response


@login_required
@require_GET
def skipped(request: Request, slug: str, pk: int) -> HttpResponse:
    """All trajectories that a run could not score, with the reason: one JSON object a line."""
    run = _run(access.project_for(request, slug, access.SEE_OTHERS_LABELS), pk)
    if run.kind != Run.Kind.SCORE:
        raise Http404
    lines = (json.dumps(one, ensure_ascii=False) + "\n" for one in run.result.get("skipped") or [])
    response = HttpResponse(lines, content_type="application/x-ndjson")
    response["Content-Disposition"] = f'attachment; filename="run-{pk}-not-scored.jsonl"'
    return response


def _cell(value: Any) -> Any:
    """A spreadsheet runs text that begins like a formula; a quote before it keeps it text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
