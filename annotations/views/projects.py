"""Home, a new project, the project's own page and settings, help."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from annotations import access, jobs
from annotations.access import Request
from annotations.forms import SettingsForm
from annotations.models import Project, Report, Run
from annotations.scheme_forms import ProjectForm
from annotations.services import (
    agreement_live,
    agreement_words,
    preferences,
    progress_counts,
    progressive,
    projects,
    queue_policies_shown,
    setup,
    standing,
    threads,
    todo,
)
from annotations.services.answers import Voice
from annotations.views.runs import progress_rows
from annotations.views.schemes import presets

MOST_SHIFTS = 12  # of what hindsight changed, the most frequent


@login_required
@require_GET
def home(request: Request) -> HttpResponse:
    return render(request, "projects/home.html", {"mine": progress_counts.my_projects(request.user)})


@login_required
@require_GET
def help_page(request: Request) -> HttpResponse:
    return render(request, "projects/help.html", {"sheets": preferences.sheets(request.user)})


@login_required
@require_http_methods(["GET", "POST"])
def new(request: Request) -> HttpResponse:
    form = ProjectForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and (made := _create(form, request)):
        messages.success(request, f"{made.title} is ready. Next, import trajectories.")
        return redirect("imports", made.slug)
    context = {
        "form": form,
        "presets": presets(),
        "chosen": form.data.get("scheme_name") or request.GET.get("scheme") or "agent-process",
        "guideline": form.guideline,
        "text": form.written,
    }
    return render(request, "projects/new.html", context, status=422 if form.errors else 200)


def _create(form: ProjectForm, request: Request) -> Project | None:
    """The project, or None with the form telling that somebody took its name in this very moment."""
    data = form.cleaned_data
    fields = {name: data[name] for name in ("slug", "title", "overlap")}
    scheme = {"text": data["text"]} if data["text"] else {"scheme": data["scheme_name"], "guideline": form.guideline}
    try:
        with transaction.atomic():
            return projects.create(**fields, **scheme, owner=request.user)
    except IntegrityError:
        form.add_error("slug", "Another project has this name.")
        return None


@login_required
@require_GET
def page(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug)
    context: dict[str, Any] = {"project": project, "news": threads.news(request.membership)}
    progress = progress_counts.of_project(project)
    context["todo"] = todo.of(request.membership, progress)
    if access.may(request.membership, access.LABEL):
        context["passes"] = progress_counts.my_passes(project, request.user)[:12]
        context["my_count"] = progress_counts.my_count(project, request.user)
    if access.may(request.membership, access.SEE_OTHERS_LABELS):
        context |= _overview(project) | {"progress": progress}
    return render(request, "projects/page.html", context)


def _overview(project: Project) -> dict[str, Any]:
    """What leads and reviewers see of everybody's work."""
    runs = Run.objects.open().filter(project=project).listed()[:10]
    report = Report.objects.filter(project=project, kind="agreement").order_by("-id").first()
    return {
        "people": progress_counts.by_person(project),
        "raters": progress_counts.raters(project),
        "rows": progress_rows(runs),
        "idle": any(run.state == Run.State.QUEUED and not jobs.is_served(run.kind) for run in runs),
        **_hindsight(project),
        "report": report,
        "glance": agreement_words.glance(report.result) if report else [],
        "live": agreement_live.now(project),
        "alike": standing.alike(project),
    }


def _hindsight(project: Project) -> dict[str, Any]:
    main = projects.scheme_of(project.scheme).main_field
    found, voice = progressive.tally(project, main.name), Voice(main)
    shifts = [
        (voice.mark(one.before), None if one.after is None else voice.mark(one.after), one.steps)
        for one in found.shifts[:MOST_SHIFTS]
    ]
    return {"hindsight": found, "shifts": shifts, "more_shifts": len(found.shifts) - len(shifts)}


@login_required
@require_http_methods(["GET", "POST"])
def settings_page(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.MANAGE)
    form = SettingsForm(request.POST or None, instance=Project.objects.get(pk=project.pk))
    if request.method == "POST" and form.is_valid():
        changed = setup.change(project, request.user, **form.cleaned_data)
        messages.success(request, "Settings saved." if changed else "Nothing was different.")
        return redirect("settings", slug)
    events = project.events.filter(verb="project.changed").select_related("actor").order_by("-id")[:20]
    status = queue_policies_shown.status(project)
    context = {"project": project, "form": form, "events": events, "status": status}
    return render(request, "projects/settings.html", context, status=422 if form.errors else 200)
