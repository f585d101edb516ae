"""The way into the queue."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotations.models import Trajectory, User
from annotations.services import queue

NOTHING_LEFT = "Nothing is left for you to label here: every trajectory has its annotators."
NOTHING_YET = "There is nothing to label here yet: no trajectories have been imported."


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def label_next(request: HttpRequest, slug: str) -> HttpResponse:
    """Lease what this person should label now and go there. Asking again leads to the same place."""
    leased = queue.lease_next(slug, cast(User, request.user))  # which lets in only members whose role labels
    if leased is None:
        messages.info(request, NOTHING_LEFT if Trajectory.objects.filter(project__slug=slug).exists() else NOTHING_YET)
        return redirect("project", slug=slug)
    return redirect("annotate", slug=slug, annotation=leased.pk)
