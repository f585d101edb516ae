"""How far to rely on each person: everybody's figures for those who lead, one's own for the rest."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotations import access
from annotations.access import Request
from annotations.services import projects, quality


@login_required
@require_GET
def page(request: Request, slug: str) -> HttpResponse:
    project = access.project_for(request, slug, access.LABEL)
    unfit = quality.unfit(projects.scheme_of(project.scheme))
    context = {
        "project": project,
        "unfit": unfit,
        "people": [] if unfit else quality.figures(request.membership),
        "sees_all": access.may(request.membership, access.SEE_OTHERS_LABELS),
        "enough": quality.ENOUGH,
    }
    return render(request, "pace/quality.html", context)
