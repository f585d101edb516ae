"""A project's judges: which there are, making a version, asking it, what that costs."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotations import access, jobs
from annotations.access import Request
from annotations.http import whole
from annotations.judge_forms import ANSWERS, METHODS, READINGS, SIGHTS, BudgetForm, JudgeForm, RunForm, initial
from annotations.judges import prompts
from annotations.models import Judge, Project, Rater, Run
from annotations.services import (
    judge_budget,
    judge_calls,
    judge_corrections,
    judge_servers,
    judge_starts,
    judge_summary,
    judges,
    projects,
)
from annotations.services.answers import Voices
from annotations.services.judge_starts import Wanted
from annotations.services.judges import JudgeRefused
from annotations.views.runs import progress_rows

TRIED = judges.TRIED


@login_required
@require_GET
def index(request: Request, slug: str) -> HttpResponse:
    """The judges that were made here, with how they stand; those whose labels came from files."""
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    runs = Run.objects.filter(project=project, kind=Run.Kind.JUDGE).exclude(state=Run.State.DONE)
    context = {
        "project": project,
        "judges": judge_summary.of_project(project),
        "imported": Rater.objects.filter(project=project, kind=Rater.Kind.JUDGE, judge=None).order_by("name"),
        "servers": judge_servers.there(),
        "budget": judge_budget.of(project),
        "rows": progress_rows(runs.listed()[:5]),
        "idle": not jobs.is_served(Run.Kind.JUDGE),
    }
    return render(request, "judges/list.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def new(request: Request, slug: str) -> HttpResponse:
    """A judge, or the next version of one (?from=)."""
    project = access.project_for(request, slug, access.MANAGE)
    before = None
    if pk := whole(request.GET.get("from", "")):
        before = get_object_or_404(Judge.objects.select_related("server"), project=project, pk=pk)
    start = initial(project, before)
    if before and (chosen := [pk for one in request.GET.getlist("label") if (pk := whole(one))]):
        shown = judge_corrections.examples(before, chosen)
        start["examples"] = json.dumps([one.model_dump(mode="json") for one in shown])
    form = JudgeForm(request.POST or None, project=project, initial=start)
    if request.method == "POST" and form.is_valid() and form.settings:
        said = form.cleaned_data
        told = {name: said[name] for name in ("name", "server", "model", "prompt", "guideline")}
        try:
            made = judges.make(project, request.user, prompt_name=form.prompt_name, settings=form.settings, **told)
        except JudgeRefused as no:
            form.add_error("name", str(no))
        else:
            messages.success(request, f"{made} is made. Try it on a few before you believe it.")
            return redirect("judge", slug, made.pk)
    scheme = projects.scheme_of(project.scheme)
    context = {
        "project": project,
        "form": form,
        "before": before,
        "examples": len(json.loads(start.get("examples") or "[]")),
        "servers": judge_servers.there(),
        "prompts": prompts.fitting(scheme),
        "places": prompts.PLACES,
    }
    return render(request, "judges/new.html", context, status=422 if form.errors else 200)


@login_required
@require_GET
def corrections(request: Request, slug: str, pk: int) -> HttpResponse:
    """Where people say otherwise than the judge, to be chosen from for its next version."""
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    judge = _judge(project, pk)
    main = Voices(projects.scheme_of(project.scheme)).main
    found = judge_corrections.of(judge)
    context = {
        "project": project,
        "judge": judge,
        "rows": [(one, main.mark(one.said), main.mark(one.label.value)) for one in found],
        "most": judge_corrections.MOST,
        "as_rows": judge_corrections.as_rows(judge, found),
    }
    return render(request, "judges/corrections.html", context)


@login_required
@require_GET
def prompt(request: Request, slug: str, name: str) -> HttpResponse:
    """The text of one of the prompts that come with Stepmark, for the form."""
    project = access.project_for(request, slug, access.MANAGE)
    found = {one.name: one for one in prompts.fitting(projects.scheme_of(project.scheme))}.get(name)
    return HttpResponse(
        found.text if found else "", content_type="text/plain; charset=utf-8", status=200 if found else 404
    )


@login_required
@require_GET
def page(request: Request, slug: str, pk: int) -> HttpResponse:
    """One version: what it is, what it has said, and what asking it takes."""
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    judge = _judge(project, pk)
    settings: dict[str, Any] = judge.settings
    context = {
        "project": project,
        "judge": judge,
        "standing": judge_summary.of_judge(judge),
        "reading": READINGS[settings["reading"]],
        "sight": SIGHTS[settings["sight"]],
        "method": METHODS[settings["method"]],
        "answer": ANSWERS[settings["answer"]],
        "settings": settings,
        "examples": len(settings["examples"]),
        "estimate": judges.estimate(judge),
        "people": judge_starts.labelled_by_people(project),
        "failed": judges.failed(judge).select_related("trajectory")[:20],
        "runs": Run.objects.filter(project=project, kind=Run.Kind.JUDGE, config__judge=judge.pk).listed()[:10],
        "tried": TRIED,
    }
    return render(request, "judges/page.html", context)


@login_required
@require_POST
def run(request: Request, slug: str, pk: int) -> HttpResponse:
    """Begin to ask. What costs something, or whose cost is not known, begins once somebody has seen how much that is,
    and is sure; a try begins at once."""
    project = access.project_for(request, slug, access.BEGIN[Run.Kind.JUDGE])
    judge = _judge(project, pk)
    form = RunForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say what it is to be asked about: a try, those people have labelled, or all.")
        return redirect("judge", slug, pk)
    wanted = Wanted(form.cleaned_data["what"], again=form.cleaned_data["again"])
    if wanted.needs_a_word and "sure" not in request.POST:
        context = {"project": project, "judge": judge, "estimate": judge_starts.estimate(judge, wanted)}
        return render(request, "judges/sure.html", context | vars(wanted))
    try:
        begun = judge_starts.start(judge, request.user, wanted)
    except JudgeRefused as no:
        messages.error(request, str(no))
        return redirect("judge", slug, pk)
    return redirect("run", slug, begun.pk)


@login_required
@require_POST
def retire(request: Request, slug: str, pk: int) -> HttpResponse:
    project = access.project_for(request, slug, access.MANAGE)
    judge = _judge(project, pk)
    judges.retire(judge, request.user)
    messages.success(request, f"{judge} is retired. What it said stays.")
    return redirect("judges", slug)


@login_required
@require_http_methods(["GET", "POST"])
def budget(request: Request, slug: str) -> HttpResponse:
    """What the project's judges may spend, and what they have spent."""
    roles = access.MANAGE if request.method == "POST" else access.SEE_OTHERS_LABELS
    project = access.project_for(request, slug, roles)
    judge_calls.let_go(project)
    found = judge_budget.of(project)
    start = {"limit": f"{found.limit_micro / 1_000_000:.2f}", "currency": found.currency} if found else None
    form = BudgetForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            judge_budget.set_limit(project, request.user, form.micro, form.cleaned_data["currency"])
        except ValueError as no:
            form.add_error("currency", str(no))
        else:
            messages.success(request, "The budget is set.")
            return redirect("judge_budget", slug)
    context = {
        "project": project,
        "form": form,
        "budget": found,
        "days": judge_summary.spent_by_day(project),
        "events": project.events.filter(verb="judge_budget.set").select_related("actor").order_by("-pk")[:30],
    }
    return render(request, "judges/budget.html", context, status=422 if form.errors else 200)


def _judge(project: Project, pk: int) -> Judge:
    rows = Judge.objects.select_related("server", "guideline", "project__scheme", "rater", "made_by")
    return get_object_or_404(rows, project=project, pk=pk)
