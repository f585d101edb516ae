"""Counting anew the tasks whose labels have changed, and nothing else."""

from __future__ import annotations

from django.db import transaction

from annotations.models import Project
from annotations.services import agreement_live
from models_service.statistics import running


def count_all() -> int:
    """Count what waits, in every project. Returns how many tasks that were."""
    return sum(count(project) for project in agreement_live.waiting())


def count(project: int) -> int:
    """Count the tasks of a project that wait; what comes to wait meanwhile is left for the next time. How many these
    were."""
    found = Project.objects.select_related("scheme").filter(pk=project).first()
    left = agreement_live.ready(found) if found else 0
    done = 0
    while found and done < left:
        some = _some(found)
        if not some:
            break
        done += some
    return done


@transaction.atomic
def _some(project: Project) -> int:
    """Count some tasks; how many these were."""
    counting = agreement_live.take(project)
    if counting is None:
        return 0
    table = counting.table()
    sums = counting.add(running.counted(table))
    counting.finish(running.figures_of(sums, table, counting.raters()))
    return len(counting.tasks)
