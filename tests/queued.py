"""Projects with scores, and their queues ordered by them."""

from __future__ import annotations

from typing import Any

from annotations import jobs
from annotations.models import Project, Run, Score, Trajectory, User
from annotations.services import setup
from tests import make


def scored(project: Project, rows: list[list[float]], **fields: Any) -> list[Trajectory]:
    """One trajectory a row, of which each agent step has that P(not wrong) from one run that is done."""
    made = [make.trajectory(project, steps=len(row)) for row in rows]
    score(project, made, rows, **fields)
    return made


def score(project: Project, made: list[Trajectory], rows: list[list[float]], **fields: Any) -> Run:
    fields = {"config": {"scorer": "embedded"}, "state": "done"} | fields
    calibrated = fields.pop("calibrated", True)
    run = Run.objects.create(project=project, kind="score", **fields)
    Score.objects.bulk_create(
        Score(run=run, trajectory=one, step=step, value=value, probability=value if calibrated else None)
        for one, row in zip(made, rows, strict=True)
        for step, value in zip(one.steps.of_agent(), row, strict=True)
    )
    return run


def ordered(project: Project, by: User, **settings: Any) -> Run:
    """The run that ordered the queue after the settings were changed."""
    setup.change(project, by, **settings)
    return work()


def work() -> Run:
    run = Run.objects.filter(kind="queue").latest("pk")
    return run if run.is_over else jobs.run_here(run)
