"""Rollouts of one task side by side. For reading only."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotations import access
from annotations.access import Request
from annotations.http import whole
from annotations.models import Project, Trajectory
from annotations.services import compare
from annotations.services.compare import FEWEST, MOST, ROWS, Comparison
from annotations.services.dossier import SIBLINGS
from annotations.views import turns

PAGE = "compare/page.html"
FOLDS = 3  # rows that are the same in all from the start, from which on they are folded


@login_required
@require_GET
def page(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug)
    if len(request.GET.getlist("ids")) > 1:  # as a form of boxes to tick sends them
        return HttpResponseRedirect(f"?{urlencode({'ids': ','.join(request.GET.getlist('ids'))}, safe=',')}")
    ids, complaint = _ids(request.GET.get("ids", ""))
    found = _trajectories(project, ids, all_of_them=not complaint)
    if found and not complaint and len({one.task_id for one in found}) > 1:
        names = ", ".join(f"{one.external_id} ({one.task.external_id})" for one in found)
        complaint = f"Only rollouts of one task can be compared; found {names}."
    context: dict[str, Any] = {
        "project": project,
        "complaint": complaint,
        "ids": ids,
        "task": found[0].task if found else None,
        "siblings": _siblings(found[0]) if found else [],
        "most": MOST,
    }
    if complaint or len(found) < FEWEST:
        return render(request, PAGE, context, status=422 if complaint else 200)
    return render(request, PAGE, context | _compared(request, found))


@login_required
@require_GET
def rows(request: Request, slug: str) -> HttpResponse:
    """More rows, from one on, or with `to` those before it."""
    project = access.project_for(request, slug)
    ids, complaint = _ids(request.GET.get("ids", ""))
    found = _trajectories(project, ids)
    if complaint or len(found) < FEWEST or len({one.task_id for one in found}) > 1:
        raise Http404
    comparison = Comparison(request.membership, found)
    end, start = whole(request.GET.get("to", "")), max(0, whole(request.GET.get("from", "")) or 0)
    first = start if end is None else max(0, end - ROWS)
    way = "later" if end is None else "earlier"
    lowest = 0 if "same" in request.GET or comparison.same < FOLDS else comparison.same
    return render(request, f"{PAGE}#rows", _rows(comparison, project, ids, first, lowest, way))


def _ids(text: str) -> tuple[list[int], str]:
    """The ids an address names, and what is wrong with them."""
    parts = [part for part in text.replace(" ", "").split(",") if part]
    numbers = [whole(part) for part in parts]
    wrong = [part[:40] for part, number in zip(parts, numbers, strict=True) if number is None or number < 0]
    if wrong:
        return [], f"ids: found “{wrong[0]}”; accepted are numbers of trajectories, separated by commas."
    ids = list(dict.fromkeys(number for number in numbers if number is not None))
    if len(ids) > MOST:
        return ids[:MOST], f"ids: found {len(ids)} rollouts; accepted are {FEWEST} to {MOST}."
    return ids, ""


def _trajectories(project: Project, ids: list[int], *, all_of_them: bool = True) -> list[Trajectory]:
    """In that order. Raises Http404 where all are wanted and one is not the project's."""
    found = Trajectory.objects.filter(project=project, pk__in=ids).select_related("task").in_bulk()
    if all_of_them and len(found) < len(ids):
        raise Http404
    return [found[pk] for pk in ids if pk in found]


def _siblings(trajectory: Trajectory) -> list[Trajectory]:
    live = Trajectory.objects.live().filter(task=trajectory.task_id).order_by("rollout")
    return list(live.only("pk", "rollout", "policy_model", "external_id", "task_id")[:SIBLINGS])


def _compared(request: Request, found: list[Trajectory]) -> dict[str, Any]:
    comparison = Comparison(request.membership, found)
    ids = [one.pk for one in found]
    at = max(0, (whole(request.GET.get("at", "")) or 1) - 1)
    shown = "same" in request.GET or comparison.same < FOLDS or 0 < at < comparison.same
    lowest = 0 if shown else comparison.same
    first = min(max(lowest, at // ROWS * ROWS), max(0, comparison.alignment.rows - 1))
    return _rows(comparison, request.membership.project, ids, first, lowest) | {
        "heads": [_head(one, ids) for one in comparison.columns],
        "same_shown": shown and comparison.same >= FOLDS,
    }


def _rows(
    comparison: Comparison, project: Project, ids: list[int], first: int, lowest: int, only: str = ""
) -> dict[str, Any]:
    """A window of rows, and where the windows around it begin. `only`: the way the reader is going."""
    last = min(first + ROWS, comparison.alignment.rows)
    before, after = comparison.divergence_before(first), comparison.divergence_after(last)
    return {
        "project": project,
        "comparison": comparison,
        "rows": comparison.rows(max(first, lowest), last),
        "here": f"?{urlencode({'ids': ','.join(map(str, ids))}, safe=',')}" + ("" if lowest else "&same=shown"),
        "folded": lowest if lowest and only != "later" and first <= lowest else 0,
        "earlier": first if first > lowest and only != "later" else None,
        "later": last if last < comparison.alignment.rows and only != "earlier" else None,
        "divergence_before": None if before is None else before + 1,
        "divergence_after": None if after is None else after + 1,
    }


def _head(column: compare.Column, ids: list[int]) -> dict[str, Any]:
    """What stands over a column, and the comparisons without it and with it first."""
    pk, outcome = column.trajectory.pk, column.trajectory.outcome
    others = [one for one in ids if one != pk]
    return {
        "column": column,
        "outcome": turns.shown_json(outcome) if column.visible.outcome and outcome is not None else None,
        "parts": None if column.parts is None else column.parts + 1,
        "without": ",".join(map(str, others)) if len(others) >= FEWEST else "",
        "first": ",".join(map(str, [pk, *others])),
    }
