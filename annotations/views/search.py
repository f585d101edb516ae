"""Searching the texts of all steps, and keeping views of the list of trajectories."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from annotations import access
from annotations.access import Request
from annotations.http import whole
from annotations.models import Project, SavedView, Step
from annotations.services import setup, views, words
from annotations.services.outcomes import NotAccepted

LONGEST = 300


@login_required
@require_GET
def page(request: Request, slug: str) -> HttpResponse:
    """Steps that hold the words. Only for those who may see everything: others may not see all steps yet."""
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    asked = request.GET.get("q", "").strip()[:LONGEST]
    source = request.GET.get("in", "")
    source = source if source in Step.Source.values else ""
    after = whole(request.GET.get("after", "")) or 0
    context = {
        "project": project,
        "q": asked,
        "source": source,
        "sources": Step.Source.choices,
        "found": words.search(project, asked, source=source, after=after) if asked else None,
        "later": bool(after),
    }
    return render(request, "trajectories/search.html", context)


@login_required
@require_POST
def save(request: Request, slug: str) -> HttpResponse:
    """Keep the list as it is filtered and sorted."""
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    query = request.POST.get("query", "")
    try:
        made = views.save(project, request.user, request.POST.get("name", ""), query)
    except NotAccepted as no:
        messages.error(request, str(no))
        return redirect(f"{reverse('trajectories', args=[slug])}?{query}")
    messages.success(request, f"“{made.name}” is kept.")
    return redirect(f"{reverse('trajectories', args=[slug])}?{made.query}")


@login_required
@require_POST
def remove(request: Request, slug: str, pk: int) -> HttpResponse:
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    try:
        views.remove(get_object_or_404(SavedView, project=project, pk=pk), request.user)
    except NotAccepted as no:
        messages.error(request, str(no))
    else:
        messages.success(request, "The view is gone; what it showed is not.")
    return redirect("trajectories", slug)


@login_required
@require_POST
def follow(request: Request, slug: str, pk: int) -> HttpResponse:
    """Let the queue give out what the view shows, first."""
    project = access.project_for(request, slug, access.MANAGE)
    view = get_object_or_404(SavedView, project=project, pk=pk)
    setup.change(project, request.user, queue_policy=Project.Queue.VIEW, queue_view=view.name)
    messages.success(request, f"The queue follows “{view.name}” as soon as it is ordered.")
    return redirect("queue", slug)
