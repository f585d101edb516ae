"""The heat strip of a trajectory: where its raters differ, as it stands now."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotations import access
from annotations.access import Request
from annotations.models import Adjudication
from annotations.services import heat, projects, sight
from annotations.views.trajectory import trajectory_of


@login_required
@require_GET
def strip(request: Request, slug: str, pk: int) -> HttpResponse:
    """A piece of the trajectory's page, which asks for it again from time to time."""
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    trajectory = trajectory_of(project, pk)
    axis = sight.axis(request.membership, trajectory)
    found = heat.of(projects.scheme_of(project.scheme), trajectory, axis)
    if found.raters < 2:
        return HttpResponse(status=204)  # nothing to compare: the page shows no panel
    context = {
        "project": project,
        "trajectory": trajectory,
        "heat": found,
        "axis": axis,
        "adjudication": Adjudication.objects.filter(trajectory=trajectory).first(),
    }
    return render(request, "trajectories/heat.html", context)
