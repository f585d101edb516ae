"""Insight into rollouts: asking for it, reading it, taking its tables away."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from annotations import access
from annotations.access import Request
from annotations.forms import raters_of
from annotations.models import Report, Run
from annotations.services import insight
from annotations.services.insight import InsightRefused

GRADES = (("1", "right"), ("0", "neutral"), ("-1", "wrong"))
FIGURES = (
    ("right", "Right"),
    ("neutral", "Neutral"),
    ("wrong", "Wrong"),
    ("full", "Right, of the longest"),
    ("common", "Right, in the shortest"),
    ("with_error", "With an error"),
    ("recovery", "Recover"),
    ("success", "Succeed"),
)


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
    result = found.result
    context = {
        "project": found.project,
        "report": found,
        "result": result,
        "figures": [title for _, title in FIGURES],
        "groups": [
            (title, [_row(one) for one in result[name]])
            for name, title in (("models", "Policy model"), ("sources", "Source"))
        ],
        "moves": [
            (word, [result["transitions"][which][grade][then] for then, _ in GRADES])
            for which in ("after",)
            for grade, word in GRADES
        ],
        "grades": [word for _, word in GRADES],
        "positions": [
            {**one, "share": one["wrong"] / one["steps"] if one["steps"] else None} for one in result["positions"]
        ],
        "tools": [{**one, "share": one["wrong"] / one["steps"]} for one in result["tools"]],
        "lists": [
            (
                "They succeed although a step is wrong",
                result["outcomes"]["lists"]["miracles"],
                result["outcomes"]["miracles"],
            ),
            (
                "They fail although no step is wrong",
                result["outcomes"]["lists"]["unlucky"],
                result["outcomes"]["unlucky"],
            ),
        ],
        "command": f"python manage.py insight {found.project.slug} --rater {found.config.get('rater') or 'NAME'}",
    }
    return render(request, "insight/report.html", context)


@login_required
@require_GET
def as_csv(request: Request, slug: str, pk: int) -> HttpResponse:
    """The tables in one file: what each row is about, its name, a figure, its value."""
    found = _found(request, slug, pk)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="insight-{pk}.csv"'
    table = csv.writer(response)
    table.writerow(("table", "row", "figure", "value", "low", "high", "n"))
    table.writerows(_lines(found.result))
    return response


def _found(request: Request, slug: str, pk: int) -> Report:
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    rows = Report.objects.select_related("project", "run__created_by")
    return get_object_or_404(rows, project=project, kind=insight.KIND, pk=pk)


def _row(one: dict[str, Any]) -> dict[str, Any]:
    """A group with its figures in the order of FIGURES."""
    shares = {word: one["shares"][grade] for grade, word in GRADES}
    return {**one, "cells": [shares[name] if name in shares else one[name] for name, _ in FIGURES]}


def _lines(result: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    for name in ("models", "sources"):
        for one in result[name]:
            for (_, title), cell in zip(FIGURES, _row(one)["cells"], strict=True):
                yield name, _inert(one["name"]), title, cell["value"], cell["low"], cell["high"], cell["n"]
    for before, then in result["transitions"]["all"].items():
        yield from (("transitions", before, after, count, "", "", "") for after, count in then.items())
    for place in result["positions"]:
        yield from (("positions", place["from"], name, place[name], "", "", "") for name in ("steps", "wrong", "first"))
    for tool in result["tools"]:
        yield from (("tools", _inert(tool["tool"]), name, tool[name], "", "", "") for name in ("steps", "wrong"))


def _inert(text: str) -> str:
    """A text of somebody else's that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
