"""Putting a version of the scheme in force: what it would change first, then doing it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from annotations import access
from annotations.access import Request
from annotations.services import scheme_texts
from annotations.services.outcomes import NotAccepted


@login_required
@require_http_methods(["GET", "POST"])
def page(request: Request, slug: str, number: int) -> HttpResponse:
    project = access.project_for(request, slug, access.MANAGE)
    version = get_object_or_404(project.schemes.select_related("scheme"), number=number)
    try:
        scheme_texts.put_in_force(project, version, request.user)
    except NotAccepted as no:
        messages.error(request, str(no))
        return redirect("scheme_version", slug, number)
    messages.success(request, f"Version {number} is in force.")
    return redirect("scheme", slug)
