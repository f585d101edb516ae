"""Every page by its name. All of a project hangs under /p/<slug>/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from annotations.views import (
    agreement,
    compare,
    exports,
    guidelines,
    imports,
    labels,
    looks,
    members,
    preferences,
    projects,
    queue,
    runs,
    scores,
    threads,
    tokens,
    trajectories,
    trajectory,
    whole,
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
    path("trajectories/<int:pk>/", trajectory.page, name="trajectory"),
    path("trajectories/<int:pk>/steps/", trajectory.steps, name="trajectory_steps"),
    path("trajectories/<int:pk>/steps/<int:index>/<slug:name>/", trajectory.part, name="trajectory_part"),
    path(
        "trajectories/<int:pk>/steps/<int:index>/<slug:name>/image/<int:number>/",
        trajectory.image,
        name="trajectory_image",
    ),
    path("trajectories/<int:pk>/said/", trajectory.said, name="trajectory_said"),
    path("trajectories/<int:pk>/outline/", trajectory.outline, name="trajectory_outline"),
    path("trajectories/<int:pk>/history/", trajectory.history, name="trajectory_history"),
    path("trajectories/<int:pk>/print/", whole.on_paper, name="trajectory_print"),
    path("trajectories/<int:pk>/page.zip", whole.take, name="trajectory_take"),
    path("trajectories/<int:pk>/return/<int:annotation>/", trajectory.give_back, name="trajectory_return"),
    path("compare/", compare.page, name="compare"),
    path("compare/rows/", compare.rows, name="compare_rows"),
    path("label/", queue.label_next, name="label_next"),
    *[
        path(f"label/<int:annotation>/{view.__name__}", view, name=f"label_{view.__name__}")
        for view in (*labels.DOORS, *guidelines.DOORS, *threads.DOORS, looks.looks)
    ],
    path("label/<int:annotation>/", workbench.page, name="annotate"),
    path("label/<int:annotation>/cards", workbench.cards, name="annotate_cards"),
    path("label/<int:annotation>/desk", workbench.desk_of, name="annotate_desk"),
    path("label/<int:annotation>/find", workbench.find, name="annotate_find"),
    path("label/<int:annotation>/text/<int:step>/<slug:part>/", workbench.text, name="annotate_text"),
    path(
        "label/<int:annotation>/text/<int:step>/<slug:part>/image/<int:number>/", workbench.image, name="annotate_image"
    ),
    path("questions/", threads.page, name="questions"),
    path("questions/<int:pk>/", threads.one, name="thread"),
    path("questions/<int:pk>/reply/", threads.answer, name="thread_reply"),
    path("questions/<int:pk>/close/", threads.shut, name="thread_close"),
    path("questions/<int:pk>/seen/", threads.noted, name="thread_seen"),
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
    path("preferences/", preferences.page, name="preferences"),
    path("tokens/", tokens.page, name="tokens"),
    path("tokens/<str:token_key>/revoke/", tokens.revoke, name="token_revoke"),
    path("projects/new/", projects.new, name="project_new"),
    path("p/<slug:slug>/", include(of_project)),
]
