"""A project's consensus: asking for one, reading it, adopting its labels and taking them back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotations import access
from annotations.access import Request
from annotations.consensus_forms import PICKED, AdoptForm, ConsensusForm
from annotations.http import table_file
from annotations.models import Rater, Report, Run
from annotations.services import consensus, consensus_adopt, consensus_words
from annotations.services.consensus import KIND, ConsensusRefused
from annotations.services.consensus_adopt import AdoptionRefused
from annotations.views.runs import progress_rows

LISTED = 30


@login_required
@require_http_methods(["GET", "POST"])
def index(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.BEGIN[Run.Kind.CONSENSUS])
    form = ConsensusForm(request.POST or None, project=project)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("run", slug, consensus.start(project, request.user, **form.config()).pk)
        except ConsensusRefused as no:
            form.add_error(None, str(no))
    reports = list(Report.objects.filter(project=project, kind=KIND).defer("result").order_by("-pk")[:LISTED])
    runs = Run.objects.filter(project=project, kind__in=[Run.Kind.CONSENSUS, Run.Kind.ADOPT])
    context = {
        "project": project,
        "form": form,
        "unfit": not consensus.fields(project),
        "reports": [
            {"report": one, "asked": consensus_words.raters_of(one.config), "glance": one.inputs["glance"]}
            for one in reports
        ],
        "stale": bool(reports) and consensus.is_stale(reports[0]),
        "adopted": consensus_adopt.adopted(project),
        "rows": progress_rows(runs.exclude(state=Run.State.DONE).listed()[:5]),
    }
    return render(request, "consensus/list.html", context, status=422 if form.errors else 200)


def found(request: Request, slug: str, pk: int, roles: set[Any] = access.SEE_OTHERS_LABELS) -> Report:
    project = access.project_for(request, slug, roles)
    reports = Report.objects.select_related("project__scheme", "run__created_by")
    return get_object_or_404(reports, project=project, kind=KIND, pk=pk)


@login_required
@require_GET
def report(request: Request, slug: str, pk: int) -> HttpResponse:
    one = found(request, slug, pk)
    result, picked = one.result, isinstance(one.config["raters"], list)
    shown = consensus_words.shown(result, request.GET.get("method", ""))
    one_unit, unit = consensus_words.unit(result)
    context = {
        "project": one.project,
        "report": one,
        "result": result,
        "stale": consensus.is_stale(one),
        "methods": consensus_words.rows(result),
        "alone": consensus_words.alone(result),
        "figures": [title for _, title in consensus_words.FIGURES],
        "shown": shown,
        "drawn": {"bins": {"after": shown["calibration"]["bins"]}},
        "one_unit": one_unit,
        "unit": unit,
        "raters": [] if shown["reason"] else [a | b for a, b in zip(result["raters"], shown["quality"], strict=True)],
        "with_right": any(rater["right"] is not None for rater in shown["quality"]),
        "with_trust": any(rater["trust"] is not None for rater in shown["quality"]),
        "again": {
            "raters": PICKED if picked else one.config["raters"],
            "picked": one.config["raters"] if picked else [],
        },
        "asked": consensus_words.raters_of(one.config),
        "warnings": list(consensus_words.warnings(result)),
        "command": consensus_words.command(one),
        "adopted": [each for each in consensus_adopt.adopted(one.project) if each.report == one],
    }
    return render(request, "consensus/report.html", context)


@login_required
@require_GET
def as_json(request: Request, slug: str, pk: int) -> HttpResponse:
    response = JsonResponse(found(request, slug, pk).result, json_dumps_params={"ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="consensus-{pk}.json"'
    return response


@login_required
@require_GET
def as_csv(request: Request, slug: str, pk: int) -> HttpResponse:
    one = found(request, slug, pk)
    return table_file(f"consensus-{pk}.csv", consensus_words.table(one.result))


@login_required
@require_GET
def steps(request: Request, slug: str, pk: int) -> FileResponse:
    """What every method says of every step, as the run wrote it."""
    run = found(request, slug, pk).run
    if run is None or not run.file or not default_storage.exists(run.file):
        raise Http404("The file with its steps is not there any more.")
    return FileResponse(default_storage.open(run.file), as_attachment=True, filename=f"consensus-{pk}-steps.csv")


@login_required
@require_http_methods(["GET", "POST"])
def adopt(request: Request, slug: str, pk: int) -> HttpResponse:
    one = found(request, slug, pk, access.BEGIN[Run.Kind.ADOPT])
    form = AdoptForm(request.POST if request.method == "POST" else request.GET)
    estimate, problem = None, ""
    if form.is_valid():
        asked = form.cleaned_data["method"], form.cleaned_data["at"]
        try:
            estimate = consensus_adopt.estimate(one, *asked)
            if request.method == "POST":
                return redirect("run", slug, consensus_adopt.start(one, request.user, *asked).pk)
        except AdoptionRefused as no:
            problem = str(no)
    else:
        problem = "Choose a method and how sure its labels must be."
    context = {
        "project": one.project,
        "report": one,
        "estimate": estimate,
        "too_sure": estimate is not None and consensus_words.too_sure(estimate.row, estimate.method["is_probability"]),
        "problem": problem,
        "title": consensus_words.title(str(form.data.get("method", ""))),
    }
    return render(request, "consensus/adopt.html", context, status=422 if problem else 200)


@login_required
@require_POST
def take_back(request: Request, slug: str, pk: int) -> HttpResponse:
    project = access.project_for(request, slug, access.BEGIN[Run.Kind.ADOPT])
    rater = get_object_or_404(Rater, project=project, kind=Rater.Kind.CONSENSUS, pk=pk)
    try:
        many = consensus_adopt.take_back(rater, request.user)
    except AdoptionRefused as no:
        messages.error(request, str(no))
    else:
        messages.success(request, f"{many:,} passes of {rater.name} are taken back. They stay as history.")
    return redirect("consensus", slug)
