"""Probes of judges: how each stands, probing one, what came of it, and signing for one all the same."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotations import access
from annotations.access import Request
from annotations.http import whole
from annotations.judge_probe_forms import LeaveForm, LimitsForm, ProbeForm
from annotations.judges.probe_limits import TASKS
from annotations.models import Judge, Project, Rater, Report, Run
from annotations.services import judge_budget, judge_probes, judge_probes_gate, judge_probes_kept, judge_probes_words
from annotations.services.judge_probes_gate import LeaveRefused
from annotations.services.judges import JudgeRefused
from annotations.services.run_estimates import Cost
from annotations.views.runs import progress_rows


@login_required
@require_GET
def index(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    return _index(request, project, _limits_form(project))


@login_required
@require_POST
def limits(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.MANAGE)
    form = _limits_form(project, request.POST)
    if not form.is_valid():
        return _index(request, project, form, 422)
    judge_probes_kept.set_limits(project, request.user, form.own(), form.cleaned_data["unprobed"])
    messages.success(request, "The limits are set. Reports of before keep those they were made with.")
    return redirect("judge_probes", slug)


@login_required
@require_http_methods(["GET", "POST"])
def page(request: Request, slug: str, rater: int) -> HttpResponse:
    roles = access.MANAGE if request.method == "POST" else access.SEE_OTHERS_LABELS
    project = access.project_for(request, slug, roles)
    found = _rater(project, rater)
    judge = Judge.objects.select_related("server").filter(rater=found).first()
    form = ProbeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if judge is None:
            raise Http404
        try:
            run = judge_probes.start(judge, request.user, **form.cleaned_data)
        except JudgeRefused as no:
            form.add_error(None, str(no))
        else:
            return redirect("run", slug, run.pk)
    return _page(request, project, found, form, LeaveForm(), 422 if form.errors else 200)


@login_required
@require_GET
def log(request: Request, slug: str, rater: int, report: int) -> HttpResponseBase:
    """Every pair of the report with what was said of it, a JSON line each."""
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    found = get_object_or_404(judge_probes_kept.reports(_rater(project, rater)).select_related("run"), pk=report)
    if found.run is None or not found.run.file or not default_storage.exists(found.run.file):
        raise Http404("The log of this report is no longer kept.")
    name = f"{project.slug}-probes-{found.pk}.jsonl"
    return FileResponse(default_storage.open(found.run.file), as_attachment=True, filename=name)


@login_required
@require_POST
def sign(request: Request, slug: str, rater: int) -> HttpResponse:
    project = access.project_for(request, slug, access.MANAGE)
    found = _rater(project, rater)
    form = LeaveForm(request.POST)
    if form.is_valid():
        try:
            judge_probes_gate.sign(found, request.user, form.cleaned_data["reason"])
        except LeaveRefused as no:
            form.add_error(None, str(no))
        else:
            messages.success(request, f"You have signed for {found.name}. Its labels may be exported.")
            return redirect("judge_probe", slug, rater)
    return _page(request, project, found, ProbeForm(), form, 422)


@login_required
@require_POST
def unsign(request: Request, slug: str, rater: int) -> HttpResponse:
    project = access.project_for(request, slug, access.MANAGE)
    judge_probes_gate.withdraw(_rater(project, rater), request.user)
    messages.success(request, "The signature is taken back.")
    return redirect("judge_probe", slug, rater)


def _rater(project: Project, pk: int) -> Rater:
    return get_object_or_404(Rater.objects.select_related("project"), project=project, pk=pk, kind=Rater.Kind.JUDGE)


def _limits_form(project: Project, data: Any = None) -> LimitsForm:
    unprobed = judge_probes_kept.refuses_unprobed(project)
    return LimitsForm(data, bounds=judge_probes_kept.bounds(project), unprobed=unprobed)


def _index(request: Request, project: Project, form: LimitsForm, status: int = 200) -> HttpResponse:
    raters = project.raters.filter(kind=Rater.Kind.JUDGE).order_by("name")
    context = {
        "project": project,
        "standings": judge_probes_gate.standings(project, raters),
        "form": form,
        "rows": progress_rows(_runs(project).listed()[:5]),
    }
    return render(request, "judges/probes.html", context, status=status)


def _runs(project: Project, rater: Rater | None = None) -> Any:
    found = Run.objects.filter(project=project, kind=Run.Kind.PROBE).exclude(state=Run.State.DONE)
    return found.filter(config__rater=rater.pk) if rater else found


def _page(
    request: Request, project: Project, rater: Rater, form: ProbeForm, leave: LeaveForm, status: int
) -> HttpResponse:
    reports = list(judge_probes_kept.reports(rater).defer("result")[:20])
    report = _chosen(request, rater, reports)
    judge = Judge.objects.select_related("server", "project__scheme").filter(rater=rater).first()
    budget = judge_budget.of(project)
    questions = judge_probes.calls(judge, TASKS) if judge else 0
    context = {
        "project": project,
        "rater": rater,
        "judge": judge,
        "standing": judge_probes_gate.standing(rater),
        "reports": reports,
        "report": report,
        "has_log": bool(report and report.run and report.run.file),
        "verdicts": judge_probes_words.verdicts(report.result["verdicts"], report.result["probes"]) if report else [],
        "probes": judge_probes_words.probes(report.result["probes"]) if report else [],
        "form": form,
        "leave_form": leave,
        "questions": questions,
        "cost": judge_probes.cost(judge, questions) if judge else None,
        "left": Cost(budget.left_micro, budget.currency, "") if budget else None,
        "rows": progress_rows(_runs(project, rater).listed()[:5]),
    }
    return render(request, "judges/probe.html", context, status=status)


def _chosen(request: Request, rater: Rater, reports: list[Report]) -> Report | None:
    """The report that is asked for, else the newest."""
    asked = whole(request.GET.get("report", ""))
    if asked:
        return get_object_or_404(judge_probes_kept.reports(rater).select_related("run"), pk=asked)
    return reports[0] if reports else None
