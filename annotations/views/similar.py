"""Steps like another one, and the run that takes down what steps mean."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from annotations import access
from annotations.access import Request
from annotations.models import Run, Step
from annotations.services import gists, similar


@login_required
@require_GET
def page(request: Request, slug: str, pk: int, index: int) -> HttpResponse:
    """Steps of other rollouts that are like this one. Only for those who may see everything: what others say of such
    steps is beside them."""
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    steps = Step.objects.select_related("trajectory")
    step = get_object_or_404(steps, trajectory__project=project, trajectory=pk, index=index)
    found = similar.find(request.membership, step)
    context = {"project": project, "step": step, "trajectory": step.trajectory, "gist": gists.of(step), "found": found}
    return render(request, "trajectories/similar.html", context)


@login_required
@require_POST
def begin(request: Request, slug: str) -> HttpResponse:
    """Take down the meanings that are missing."""
    project = access.project_for(request, slug, access.BEGIN[Run.Kind.MEANINGS])
    return redirect("run", slug, similar.start(project, request.user).pk)
