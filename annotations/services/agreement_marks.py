"""Marking the tasks whose labels have changed, so that agreement is counted anew for them alone."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from annotations.models import Project

_MARK = """
    INSERT INTO annotations_agreementmark (project_id, task_id)
    SELECT DISTINCT trajectory.project_id, trajectory.task_id
      FROM annotations_trajectory trajectory
     WHERE {which} AND EXISTS (SELECT FROM annotations_annotation one WHERE one.trajectory_id = trajectory.id)"""


def mark(trajectories: Collection[int]) -> None:
    """Mark the tasks of these trajectories, where anybody has said anything of them. In the caller's transaction, so
    that there is a mark wherever there is a change."""
    if trajectories:
        _run("trajectory.id = ANY(%s)", list(trajectories))


def mark_all(project: Project) -> None:
    """Mark every task of the project that anybody has said anything of."""
    _run("trajectory.project_id = %s", project.pk)


def _run(which: str, value: int | list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_MARK.format(which=which), [value])
