"""One judge in a leaderboard: its confusion, how sure it may be, where it errs, how it moved; and the steps behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotations.access import Request
from annotations.models import Judge, Rater, Report
from annotations.services import leaderboard, leaderboard_drift, leaderboard_steps, leaderboard_words
from annotations.views.leaderboard import compared_with, found, row_of, taken

BY = {
    "position": ("By the step’s place", "Where in the trajectory"),
    "length": ("By length", "Steps of the trajectory"),
    "tool": ("By tool", "Tool that the step calls"),
    "source": ("By source", "Source of the task"),
    "model": ("By policy model", "Who made the trajectory"),
}
OF_CHANCES = {
    "log_loss": "Log-loss",
    "brier": "Brier score",
    "ece_spans": "Calibration error, equal spans of P(wrong)",
    "ece_counts": "Calibration error, bins of equally many steps",
    "auroc": "AUROC of the wrong steps",
    "average_precision": "Average precision of the wrong steps",
}
OF_TOP = {
    "ece": "Calibration error of the likeliest value, equal spans",
    "brier": "Brier score over all values",
    "accuracy": "The likeliest value is the reference’s",
    "confidence": "How sure it is of it, on average",
}
COLUMNS = ("of", "bins", "from", "to", "steps", "said", "seen", "low", "high")


@login_required
@require_GET
def page(request: Request, slug: str, pk: int, key: str) -> HttpResponse:
    project, one = found(request, slug, pk)
    row, result = row_of(one, key), one.result
    judge = Judge.objects.filter(project=project, pk=(row.get("judge") or {}).get("id", 0)).first()
    context = {
        "project": project,
        "report": one,
        "result": result,
        "row": row,
        "stale": leaderboard.is_stale(one),
        "figures": _figures(row["figures"]),
        "asked": _figures(row["asked"]) if row["asked"] else [],
        "spent": leaderboard_words.spent(row),
        "confusion": _confusion(row),
        "is_rater": key.isdigit(),
        "where": [(*BY[each["by"]], each["groups"]) for each in row["where"]],
        "chances": _chances(row["chances"]),
        "moved": leaderboard_drift.of(result, judge) if judge else [],
        **compared_with(request, result, row),
    }
    return render(request, "judges/leaderboard_judge.html", context)


def _figures(figures: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(one.title, one.about, figures[one.name]) for one in leaderboard_words.FIGURES]


def _confusion(row: dict[str, Any]) -> list[tuple[str, list[tuple[str, int]]]]:
    table = row["confusion"]
    if not table:
        return []
    return [
        (title, list(zip(table["columns"], counts, strict=True)))
        for title, counts in zip(table["rows"], table["table"], strict=True)
    ]


def _chances(said: dict[str, Any] | None) -> dict[str, Any] | None:
    if said is None:
        return None
    wrong = said["wrong"]
    found = [(title, wrong["figures"][name]) for name, title in OF_CHANCES.items()] if wrong else []
    found += [(title, said["top"]["figures"][name]) for name, title in OF_TOP.items()]
    drawn = {"bins": {"after": wrong["bins"]}} if wrong else None
    return {**said, "figures": found, "drawn": drawn, "table": list(_bins(said))}


def _bins(said: dict[str, Any]) -> Iterator[list[Any]]:
    """The rows of COLUMNS."""
    for one in said["wrong"]["bins"] if said["wrong"] else ():
        numbers = [one[name] for name in ("from", "to", "n", "said", "seen", "low", "high")]
        yield ["P(not wrong)", "equally many", *numbers]
    for one in said["wrong"]["spans"] if said["wrong"] else ():
        yield ["P(wrong)", "equal spans", *(one[name] for name in ("from", "to", "n", "said", "seen")), None, None]
    for one in said["top"]["bins"]:
        numbers = [one[name] for name in ("from", "to", "n", "said", "seen")]
        yield ["the likeliest value", "equal spans", *numbers, None, None]


@login_required
@require_GET
def calibration(request: Request, slug: str, pk: int, key: str) -> HttpResponse:
    """The bins of a judge's chances as CSV."""
    _, one = found(request, slug, pk)
    said = row_of(one, key)["chances"]
    return taken(f"leaderboard-{pk}-{key}-calibration.csv", [COLUMNS, *(_bins(said) if said else ())])


@login_required
@require_GET
def steps(request: Request, slug: str, pk: int, key: str) -> HttpResponse:
    """The steps behind a cell of the confusion, as the labels are now."""
    project, one = found(request, slug, pk)
    row, (reference, judge) = row_of(one, key), _raters(one, key)
    values = leaderboard_steps.spelled(project)
    right, said = request.GET.get("reference", ""), request.GET.get("said", "")
    if right not in values or said not in {*values, leaderboard_steps.NOTHING}:
        raise Http404("There is no such cell.")
    number = max(1, int(request.GET["page"])) if request.GET.get("page", "").isdecimal() else 1
    told = values.get(said, leaderboard_steps.NOTHING)
    cell = leaderboard_steps.of_cell(project, reference, judge, (values[right], told), min(number, 10**6))
    context = {
        "project": project,
        "report": one,
        "row": row,
        "right": right,
        "said": said,
        "cell": cell,
        "page": number,
        "reference": reference,
        "judge": judge,
    }
    return render(request, "judges/leaderboard_steps.html", context)


def _raters(one: Report, key: str) -> tuple[Rater, Rater]:
    """The reference and the judge; Http404 where one is no rater of the project."""
    raters = Rater.objects.filter(project=one.project_id).in_bulk(
        [int(pk) for pk in (one.result["reference_key"], key) if pk.isdigit()]
    )
    pair = [raters.get(int(pk)) for pk in (one.result["reference_key"], key) if pk.isdigit()]
    if len(pair) != 2 or pair[0] is None or pair[1] is None:
        raise Http404("Its labels were not given by anybody: there are no steps to show.")
    return pair[0], pair[1]
