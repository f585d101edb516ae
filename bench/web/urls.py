"""What the same stack does at least: log-in checked, one row written; log-in checked, the empty frame rendered."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import include, path

from annotations.models import Event


@login_required
def write(request: HttpRequest, project: int) -> HttpResponse:
    """One row, in a transaction of its own, with a foreign key or two and a little JSON, as most rows of ours."""
    entry = [{"step": 1, "field": "label", "value": 1, "origin": "human", "cause": None}]
    event = Event.objects.create(
        project_id=project, actor_id=request.user.pk, verb="bare", revision=1, before=[], after=entry
    )
    return JsonResponse({"id": event.pk})


@login_required
def page(request: HttpRequest) -> HttpResponse:
    return render(request, "base.html")


urlpatterns = [
    path("bare/write/<int:project>/", write),
    path("bare/page/", page),
    path("", include("app.urls")),
]
