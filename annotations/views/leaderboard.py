"""Judges against people: asking for a leaderboard, reading one, and one judge in it."""

from __future__ import annotations

import csv
import math
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotations import access
from annotations.access import Request
from annotations.forms import LeaderboardForm
from annotations.models import Project, Report, Run
from annotations.services import leaderboard, leaderboard_drift, leaderboard_words, setup, suggestions
from annotations.services.leaderboard import KIND, LeaderboardRefused
from annotations.services.projects import scheme_of
from annotations.views.runs import progress_rows

LISTED = 30


@login_required
@require_http_methods(["GET", "POST"])
def index(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.BEGIN[Run.Kind.LEADERBOARD])
    form = LeaderboardForm(request.POST or None, project=project)
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        try:
            run = leaderboard.start(project, request.user, asked["reference"], official=bool(asked["official"]))
        except LeaderboardRefused as no:
            form.add_error(None, str(no))
        else:
            return redirect("run", slug, run.pk)
    reports = list(Report.objects.filter(project=project, kind=KIND).defer("result").order_by("-pk")[:LISTED])
    context = {
        "project": project,
        "form": form,
        "unfit": leaderboard.unfit(project),
        "reports": reports,
        "stale": bool(reports) and leaderboard.is_stale(reports[0]),
        "rows": progress_rows(leaderboard_words.under_way(project).listed()[:5]),
    }
    return render(request, "judges/leaderboard_list.html", context, status=422 if form.errors else 200)


def found(request: Request, slug: str, pk: int) -> tuple[Project, Report]:
    """The report for somebody who may see others' labels."""
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    reports = Report.objects.select_related("project", "run__created_by")
    return project, get_object_or_404(reports, project=project, kind=KIND, pk=pk)


@login_required
@require_GET
def report(request: Request, slug: str, pk: int) -> HttpResponse:
    project, one = found(request, slug, pk)
    result, sort = one.result, request.GET.get("sort", "")
    context = {
        "project": project,
        "report": one,
        "result": result,
        "stale": leaderboard.is_stale(one),
        "heads": leaderboard_words.heads(sort),
        "rows": [
            {
                **row,
                "cells": leaderboard_words.cells(row),
                "spent": leaderboard_words.spent(row),
                "what": leaderboard_words.KINDS.get(row["kind"], ""),
            }
            for row in leaderboard_words.sorted_rows(result, sort)
        ],
        "plot": leaderboard_words.plot(leaderboard_words.sorted_rows(result, sort)),
        "warnings": list(leaderboard_words.warnings(result)),
        "command": leaderboard_words.command(one),
        "chosen": _chosen(request, project, result),
        **_two(request, result),
    }
    return render(request, "judges/leaderboard.html", context)


def _chosen(request: Request, project: Project, result: dict[str, Any]) -> dict[str, Any] | None:
    """Who was chosen to vote, and whether that can be, or is, what assisted passes are offered. `votes` of them have to
    agree for that."""
    found = leaderboard_words.chosen(result)
    if found is None:
        return None
    many = len(found["whole"])
    offered = many > 1 and scheme_of(project.scheme).main_field.of_step
    return {
        **found,
        "offered": offered and access.may(request.membership, access.MANAGE),
        "now": offered and project.prefill == _prefill(found),
        "votes": max(1, math.ceil(round(project.prefill_confidence * many, 6))),
    }


def _prefill(chosen: dict[str, Any]) -> str:
    return suggestions.together(int(one["key"]) for one in chosen["whole"])


@login_required
@require_POST
def suggest(request: Request, slug: str, pk: int) -> HttpResponse:
    """Offer assisted passes what the judges that were chosen say together."""
    project = access.project_for(request, slug, access.MANAGE)
    one = get_object_or_404(Report, project=project, kind=KIND, pk=pk)
    chosen = _chosen(request, project, one.result)
    if chosen is None or not chosen["offered"]:
        messages.error(request, "Here are no judges that could be asked together for suggestions.")
    else:
        setup.change(project, request.user, prefill=_prefill(chosen))
        later = "" if project.mode == Project.Mode.ASSISTED else " once the project’s mode is assisted"
        messages.success(request, f"What {len(chosen['whole'])} judges say together is suggested{later}.")
    return redirect("leaderboard_report", slug, pk)


def _two(request: Request, result: dict[str, Any]) -> dict[str, Any]:
    """The two rows that are to be compared, and how they compare."""
    rows = {row["key"]: row for row in [*result["rows"], *result["baselines"]]}
    one, other = request.GET.get("a", ""), request.GET.get("b", "")
    if one not in rows or other not in rows or one == other:
        return {"two": None, "pick": list(rows.values())}
    pair = leaderboard_drift.pair(result, one, other)
    return {
        "two": (rows[one], rows[other]),
        "pair": pair,
        "compared": _compared(pair),
        "pick": list(rows.values()),
    }


def _compared(pair: dict[str, Any] | None) -> list[tuple[str, dict[str, Any]]]:
    figures = (pair or {}).get("figures", {})
    return [(one.title, figures[one.name]) for one in leaderboard_words.FIGURES if one.name in figures]


@login_required
@require_GET
def as_json(request: Request, slug: str, pk: int) -> HttpResponse:
    _, one = found(request, slug, pk)
    response = JsonResponse(one.result, json_dumps_params={"ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="leaderboard-{pk}.json"'
    return response


@login_required
@require_GET
def as_csv(request: Request, slug: str, pk: int) -> HttpResponse:
    _, one = found(request, slug, pk)
    return taken(f"leaderboard-{pk}.csv", leaderboard_words.table(one.result))


def taken(name: str, rows: Any) -> HttpResponse:
    """Rows as a CSV file."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    csv.writer(response).writerows(rows)
    return response


def row_of(one: Report, key: str) -> dict[str, Any]:
    """The row of that key; Http404 where the report has none."""
    for row in one.result["rows"]:
        if row["key"] == key:
            return dict(row)
    raise Http404("This leaderboard has no such row.")


def compared_with(request: Request, result: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """The row beside the one that the address names, else the best there is, else the commonest constant answer."""
    others = [each for each in [*result["rows"], *result["baselines"]] if each["key"] != row["key"]]
    names = {each["key"]: each for each in others}
    asked = request.GET.get("with", "")
    chosen = names.get(asked) or names.get(result["best"] or "") or next(iter(result["baselines"]), None)
    pair = leaderboard_drift.pair(result, row["key"], chosen["key"]) if chosen else None
    return {"others": others, "other": chosen, "pair": pair, "compared": _compared(pair)}
