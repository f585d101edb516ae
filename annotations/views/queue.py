"""The way into the queue, and what leads see of it."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotations import access, jobs
from annotations.access import Request
from annotations.http import whole
from annotations.models import Run, Trajectory, User
from annotations.services import queue, queue_policies_run, queue_policies_shown, training
from annotations.services.queue_policies_shown import PER_PAGE

NOTHING_LEFT = "Nothing is left for you to label here: every trajectory has its annotators."
NOTHING_YET = "There is nothing to label here yet: no trajectories have been imported."


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def label_next(request: HttpRequest, slug: str) -> HttpResponse:
    """Lease what this person should label now and go there. Asking again leads to the same place. Who trains sees what
    came of an item before the next."""
    user = cast(User, request.user)
    if unseen := training.unseen(slug, user):
        return redirect("training_feedback", slug, unseen)
    leased = queue.lease_next(slug, user)  # which lets in only members whose role labels
    if leased is None and training.asked(access.membership_for(user, slug)):
        return redirect("training", slug)
    if leased is None:
        messages.info(request, NOTHING_LEFT if Trajectory.objects.filter(project__slug=slug).exists() else NOTHING_YET)
        return redirect("project", slug=slug)
    return redirect("annotate", slug=slug, annotation=leased.pk)


@login_required
@require_http_methods(["GET", "POST"])
def upcoming(request: Request, slug: str) -> HttpResponse:
    """What comes next and why; a POST orders the queue anew."""
    roles = access.MANAGE if request.method == "POST" else access.SEE_OTHERS_LABELS
    project = access.project_for(request, slug, roles)
    if request.method == "POST":
        begun = queue_policies_run.start(project, request.user)
        messages.info(request, f"Run {begun.pk} orders the queue." if begun else "It is in the order of import.")
        return redirect("queue", slug)
    after = max(0, whole(request.GET.get("after", "")) or 0)
    rows = queue_policies_shown.upcoming(project, after, PER_PAGE + 1)
    drawn, status = queue_policies_shown.drawn(project), queue_policies_shown.status(project)
    context = {
        "project": project,
        "status": status,
        "rows": rows[:PER_PAGE],
        "placed": project.queue_ranking_id is not None,
        "after": after,
        "following": rows[PER_PAGE - 1].place if len(rows) > PER_PAGE else None,
        "drawn": drawn | {"other": drawn[""]},
        "idle": status.working is not None and not jobs.is_served(Run.Kind.QUEUE),
    }
    return render(request, "queue/page.html", context)
