"""Every page by its name. All of a project hangs under /p/<slug>/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from annotations.views import (
    agreement,
    exports,
    guidelines,
    imports,
    labels,
    members,
    projects,
    queue,
    runs,
    scores,
    tokens,
    trajectories,
    workbench,
)

of_project: list[URLPattern] = [
    path("", projects.page, name="project"),
    path("settings/", projects.settings_page, name="settings"),
    path("guidelines/", guidelines.page, name="guidelines"),
    path("guidelines/preview/", guidelines.preview, name="guideline_preview"),
    path("guidelines/<int:number>/", guidelines.version, name="guideline"),
    path("members/", members.page, name="members"),
    path("members/add/", members.add, name="member_add"),
    path("members/new/", members.make_account, name="member_new"),
    path("members/<int:pk>/", members.change, name="member_change"),
    path("members/<int:pk>/remove/", members.remove, name="member_remove"),
    path("trajectories/", trajectories.index, name="trajectories"),
    path("trajectories/choices/<slug:of>/", trajectories.choices, name="trajectory_choices"),
    path("trajectories/<int:pk>/", trajectories.page, name="trajectory"),
    path("trajectories/<int:pk>/steps/", trajectories.steps, name="trajectory_steps"),
    path("trajectories/<int:pk>/steps/<int:index>/<slug:name>/", trajectories.part, name="trajectory_part"),
    path("trajectories/<int:pk>/return/<int:annotation>/", trajectories.give_back, name="trajectory_return"),
    path("label/", queue.label_next, name="label_next"),
    *[path(f"label/<int:annotation>/{view.__name__}", view, name=f"label_{view.__name__}") for view in labels.DOORS],
    path("label/<int:annotation>/", workbench.page, name="annotate"),
    path("label/<int:annotation>/find", workbench.find, name="annotate_find"),
    path("label/<int:annotation>/text/<int:step>/<slug:part>/", workbench.text, name="annotate_text"),
    path("import/", imports.page, name="imports"),
    path("runs/", runs.index, name="runs"),
    path("runs/<int:pk>/", runs.page, name="run"),
    path("runs/<int:pk>/cancel/", runs.cancel, name="run_cancel"),
    path("runs/<int:pk>/retry/", runs.retry, name="run_retry"),
    path("runs/<int:pk>/rejected.csv", runs.problems, {"kind": "csv"}, name="run_problems_csv"),
    path("runs/<int:pk>/rejected.json", runs.problems, {"kind": "json"}, name="run_problems_json"),
    path("scores/", scores.page, name="scores"),
    path("agreement/", agreement.index, name="agreement"),
    path("agreement/<int:pk>/", agreement.report, name="report"),
    path("exports/", exports.page, name="exports"),
    path("exports/<int:pk>/all.zip", exports.archive, name="export_zip"),
    path("exports/<int:pk>/files/<path:name>", exports.download, name="export_file"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", projects.home, name="home"),
    path("help/", projects.help_page, name="help"),
    path("tokens/", tokens.page, name="tokens"),
    path("tokens/<str:token_key>/revoke/", tokens.revoke, name="token_revoke"),
    path("projects/new/", projects.new, name="project_new"),
    path("p/<slug:slug>/", include(of_project)),
]
