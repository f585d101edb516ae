"""A lead frees the seat of an open pass, or gives a trajectory to somebody."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from annotations import access
from annotations.access import Request
from annotations.forms import GiveForm
from annotations.services import assigning
from annotations.services.assigning import NotGiven
from annotations.services.outcomes import Closed


@login_required
@require_POST
def release(request: Request, slug: str, pk: int, annotation: int) -> HttpResponse:
    access.project_for(request, slug, access.MANAGE)
    try:
        freed = assigning.release(annotation, request.user, request.POST.get("reason", "")[:2000], slug=slug)
        messages.success(request, f"The seat of {freed.rater.name} is free for others. Their labels stay.")
    except Closed:
        messages.error(request, "Only an open pass of a person can be released.")
    return redirect("trajectory", slug, pk)


@login_required
@require_POST
def give(request: Request, slug: str, pk: int) -> HttpResponse:
    project = access.project_for(request, slug, access.MANAGE)
    form = GiveForm(request.POST)
    if not form.is_valid():
        for field, errors in form.errors.items():
            messages.error(request, f"{field}: {' '.join(map(str, errors))}")
        return redirect("trajectory", slug, pk)
    data = form.cleaned_data
    try:
        given = assigning.give(
            pk, data["to"], request.user, instead_of=data["instead_of"], reason=data["reason"], slug=project.slug
        )
        messages.success(request, f"Given to {given.rater.name}, who gets it first at “Label next”, for a day.")
    except NotGiven as no:
        messages.error(request, str(no))
    return redirect("trajectory", slug, pk)
