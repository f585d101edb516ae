"""Items whose answer is known, for those who lead: which they are, what the project does with them, how people do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from annotations import access
from annotations.access import Request
from annotations.gold_forms import ManyForm, MarkForm, PlanForm
from annotations.http import whole
from annotations.models import Gold, Project, User
from annotations.services import gold, gold_compared, gold_results, projects, repeats, training_people
from annotations.services.answers import Voice
from annotations.services.outcomes import NotAccepted
from annotations.views.trajectory import trajectory_of

PAGE = "gold/page.html"
PER_PAGE = 50


@login_required
@require_http_methods(["GET", "POST"])
def page(request: Request, slug: str) -> HttpResponse:
    """Everything there is; a POST changes what the project does with it."""
    roles = access.MANAGE if request.method == "POST" else access.SEE_OTHERS_LABELS
    project = access.project_for(request, slug, roles)
    plan = gold.plan_of(project)
    form = PlanForm(request.POST or None, initial={name: getattr(plan, name) for name in gold.SETTINGS})
    if request.method == "POST" and form.is_valid():
        changed = gold.change(project, request.user, **form.cleaned_data)
        messages.success(request, "Saved." if changed else "Nothing was different.")
        return redirect("gold", slug)
    context = _context(request, project) | {"form": form, "plan": plan, "many": ManyForm(project=project)}
    return render(request, PAGE, context, status=422 if form.errors else 200)


def _context(request: Request, project: Project) -> dict[str, Any]:
    scheme = projects.scheme_of(project.scheme)
    unfit, voice = gold_compared.unfit(scheme), Voice(scheme.main_field)
    golden = {} if unfit else gold_results.figures(request.membership)
    again = gold_results.again(request.membership)
    after = max(0, whole(request.GET.get("after", "")) or 0)
    rows = list(gold.items(project)[after : after + PER_PAGE + 1])
    counts = {use: Gold.objects.filter(project=project, use=use).count() for use in Gold.Use.values}
    return {
        "project": project,
        "unfit": unfit,
        "main": scheme.main_field.title,
        "people": _told(golden, voice),
        "again": _told(again, voice),
        "unfit_again": repeats.unfit(scheme),
        "newcomers": training_people.newcomers(project),
        "items": [(one, gold.stands(one)) for one in rows[:PER_PAGE]],
        "following": after + PER_PAGE if len(rows) > PER_PAGE else None,
        "after": after,
        "counts": counts,
        "total": sum(counts.values()),
    }


def _told(people: Mapping[int, gold_results.Person], voice: Voice) -> list[tuple[gold_results.Person, list[Any]]]:
    """The people by name, each with their answers as they are drawn."""
    found = sorted(people.values(), key=lambda one: one.name)
    return [(one, [(voice.mark(at.value), at.right, at.n) for at in one.answers]) for one in found]


@login_required
@require_POST
def mark_many(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.MANAGE)
    form = ManyForm(request.POST, project=project)
    if not form.is_valid():
        for field, errors in form.errors.items():
            messages.error(request, f"{form.fields[field].label}: {' '.join(map(str, errors))}")
        return redirect("gold", slug)
    try:
        made = gold.mark_many(project, request.user, **form.cleaned_data)
        marked = f"{made} trajector{'y is' if made == 1 else 'ies are'} marked."
        messages.success(request, marked if made else "None of these is left to mark.")
    except NotAccepted as no:
        messages.error(request, str(no))
    return redirect("gold", slug)


@login_required
@require_http_methods(["GET", "POST"])
def of_trajectory(request: Request, slug: str, pk: int) -> HttpResponse:
    """The panel on a trajectory's page: whether its answer is known, and a form to say so."""
    roles = access.MANAGE if request.method == "POST" else access.SEE_OTHERS_LABELS
    project = access.project_for(request, slug, roles)
    trajectory = trajectory_of(project, pk)
    held = gold.of(trajectory)
    passes = list(gold.references(project).filter(trajectory=trajectory).select_related("rater"))
    if request.method == "POST":
        return _mark(request, project, pk, MarkForm(request.POST, passes=passes))
    usual = gold.usual(project, passes)
    first = {
        "reference": held.reference_id if held else usual and usual.pk,
        "use": held.use if held else Gold.Use.QUEUE,
        "explanation": held.explanation if held else "",
    }
    form = MarkForm(initial=first, passes=passes)
    context = {"project": project, "trajectory": trajectory, "held": held, "form": form, "passes": passes}
    return render(request, "gold/_mark.html", context | {"stands": gold.stands(held) if held else ""})


def _mark(request: Request, project: Project, pk: int, form: MarkForm) -> HttpResponse:
    if not form.is_valid():
        for field, errors in form.errors.items():
            messages.error(request, f"{form.fields[field].label}: {' '.join(map(str, errors))}")
        return redirect("trajectory", project.slug, pk)
    try:
        made = gold.mark(project, pk, request.user, **form.cleaned_data)
        messages.success(request, f"Its answer is known now: {made.get_use_display().lower()}.")
    except NotAccepted as no:
        messages.error(request, str(no))
    return redirect("trajectory", project.slug, pk)


@login_required
@require_POST
def unmark(request: Request, slug: str, pk: int) -> HttpResponse:
    project = access.project_for(request, slug, access.MANAGE)
    held = get_object_or_404(Gold.objects.select_related("project"), project=project, trajectory=pk)
    gold.unmark(held, request.user)
    messages.success(request, "It is given to nobody as gold or in training any more. What was labelled stays.")
    return redirect("trajectory", slug, pk) if request.POST.get("back") == "trajectory" else redirect("gold", slug)


@login_required
@require_POST
def let_pass(request: Request, slug: str, user: int) -> HttpResponse:
    """A newcomer is let into the queue, whatever their score."""
    project = access.project_for(request, slug, access.MANAGE)
    found = get_object_or_404(User, pk=user, memberships__project=project)
    training_people.let_pass(project, found, request.user)
    messages.success(request, f"{found.username} labels from the queue now.")
    return redirect("gold", slug)
