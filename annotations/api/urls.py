"""The addresses of /api/v1/. Everything about a project lies below /projects/<slug>/."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from annotations.api import (
    docs,
    exports,
    gold,
    judges,
    labels,
    members,
    projects,
    queue,
    rubrics,
    runs,
    schemes,
    scores,
    threads,
    trajectories,
)
from annotations.api.errors import problem


@csrf_exempt  # it does nothing
def missing(request: HttpRequest, rest: str) -> JsonResponse:
    return JsonResponse(problem("There is nothing at this address."), status=404)


everywhere = SimpleRouter(use_regex_path=False)
everywhere.register("projects", projects.Projects, basename="api-projects")
everywhere.register("schemes", projects.Schemes, basename="api-schemes")
everywhere.register("presets", schemes.Presets, basename="api-presets")
everywhere.register("tokens", members.Tokens, basename="api-tokens")

in_project = SimpleRouter(use_regex_path=False)
in_project.register("schemes", schemes.ProjectSchemes, basename="api-project-schemes")
for prefix, view in {
    "tasks": trajectories.Tasks,
    "trajectories": trajectories.Trajectories,
    "steps": trajectories.Steps,
    "annotations": queue.Annotations,
    "labels": labels.Labels,
    "threads": threads.Threads,
    "raters": projects.Raters,
    "guidelines": projects.Guidelines,
    "rubrics": rubrics.Rubrics,
    "gold": gold.GoldItems,
    "members": members.Members,
    "scores": scores.Scores,
    "calibrations": scores.Calibrations,
    "reports": scores.Reports,
    "runs": runs.Runs,
    "judges": judges.Judges,
    "judge-calls": judges.JudgeCalls,
    "exports": exports.Exports,
}.items():
    in_project.register(prefix, view, basename=f"api-{prefix}")

one = projects.OneProject.as_view({"get": "retrieve", "patch": "partial_update"})
budget = judges.Budget.as_view({"get": "retrieve", "put": "update"})
file = exports.Exports.as_view({"get": "file"})
plan = gold.Plan.as_view({"get": "retrieve", "patch": "partial_update"})
trains = gold.TrainingView
v1: list[URLPattern | URLResolver] = [
    path("", include(everywhere.urls)),
    path("projects/<slug:slug>/", one, name="api-project"),
    path("projects/<slug:slug>/queue/", queue.Queue.as_view({"get": "retrieve", "post": "order"}), name="api-queue"),
    path("projects/<slug:slug>/judge-budget/", budget, name="api-judge-budget"),
    path("projects/<slug:slug>/next/", queue.Next.as_view({"post": "create"}), name="api-next"),
    path("projects/<slug:slug>/gold/plan/", plan, name="api-gold-plan"),
    path("projects/<slug:slug>/training/", trains.as_view({"get": "retrieve"}), name="api-training"),
    path("projects/<slug:slug>/training/again/", trains.as_view({"post": "again"}), name="api-training-again"),
    path("projects/<slug:slug>/training/pass/", trains.as_view({"post": "let_pass"}), name="api-training-pass"),
    path("projects/<slug:slug>/training/<int:pk>/", trains.as_view({"get": "feedback"}), name="api-training-feedback"),
    path("projects/<slug:slug>/exports/<int:pk>/files/<path:name>", file, name="api-export-file"),
    path("projects/<slug:slug>/", include(in_project.urls)),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", docs.Docs.as_view(url_name="api-schema"), name="api-docs"),
    path("<path:rest>", missing, name="api-missing"),
]
urlpatterns = [path("v1/", include(v1))]
