"""All rollouts of a task in one graph of the states they go through. For reading only."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from annotations import access
from annotations.access import Request
from annotations.http import table_file
from annotations.models import Task
from annotations.services import paths_read, paths_words
from annotations.services.paths import Paths
from annotations.services.paths_labels import Labels


@login_required
@require_GET
def page(request: Request, slug: str, task: int) -> HttpResponse:
    paths, labels = _found(request, slug, task)
    conflicts = labels.conflicts()
    context = {
        "project": paths.task.project,
        "task": paths.task,
        "paths": paths,
        "figures": paths_words.figures(paths),
        "rows": paths_words.shown(paths, labels),
        "rollouts": paths_words.rollouts(paths, labels),
        "conflicts": [paths_words.told(paths, one) for one in conflicts[: paths_words.SHOWN]],
        "conflict_count": len(conflicts),
        "own_count": sum(bool(one.own) for one in conflicts),
    }
    return render(request, "compare/paths.html", context)


@login_required
@require_GET
def as_csv(request: Request, slug: str, task: int, table: str) -> HttpResponse:
    paths, labels = _found(request, slug, task)
    if table not in paths_words.TABLES:
        raise Http404
    return table_file(f"paths-{task}-{table}.csv", paths_words.TABLES[table](paths, labels))


def _found(request: Request, slug: str, task: int) -> tuple[Paths, Labels]:
    project = access.project_for(request, slug, access.SEE_OTHERS_LABELS)
    paths = paths_read.of(get_object_or_404(Task.objects.select_related("project"), project=project, pk=task))
    return paths, Labels(paths)
