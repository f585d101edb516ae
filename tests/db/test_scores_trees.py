"""Scores of trees, from the database and back: a step is judged behind what it was tried after, and by nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annotations import jobs
from annotations.models import Project, Run, Score, Step, Trajectory
from annotations.services import scores
from models_service import scorers
from tests import make, tiny

pytestmark = pytest.mark.django_db

LEFT, RIGHT, ON = 2, 3, 4
PARENTS = {LEFT: 1, RIGHT: 1, ON: RIGHT}


@pytest.fixture(autouse=True)
def engine(settings: Any, tmp_path: Path) -> Iterator[None]:
    options = {"model": str(tiny.classifier(tmp_path / "prm")), "family": "trl", "device": "cpu"}
    settings.SCORERS = settings.SCORERS | {
        "tiny": {"title": "Tiny", "class": "models_service.scorers.engine.Engine", "options": options}
    }
    scorers.load.cache_clear()
    yield
    scorers.load.cache_clear()


def grown(project: Project, parents: dict[int, int], drop: tuple[int, ...] = ()) -> Trajectory:
    """Four steps of the agent, whose words their number is; without those that are dropped."""
    made = make.trajectory(project, steps=4)
    steps = {step.index: step for step in made.steps.all()}
    for index, step in steps.items():
        step.message = f"Step {index} looks."
        step.parent = steps[parents[index]] if index in parents else None
    Step.objects.bulk_update(steps.values(), ["message", "parent"])
    made.steps.filter(index__in=drop).delete()
    return made


def said(project: Project, scorer: str) -> dict[tuple[int, str], float]:
    run = jobs.run_here(Run.objects.create(project=project, kind=Run.Kind.SCORE, config={"scorer": scorer}))
    assert run.state == Run.State.DONE, run.error
    rows = Score.objects.filter(run=run).values_list("trajectory", "step__message", "value")
    return {(trajectory, message): value for trajectory, message, value in rows}


def test_scorers_are_given_the_tree() -> None:
    project = make.project()
    tree = grown(project, PARENTS)
    [rollout] = scores.rollouts(project, [tree.task_id])
    assert {place: step.parent for place, step in enumerate(rollout.record.steps) if step.parent is not None} == PARENTS


def test_a_step_of_a_tree_is_scored_as_if_its_siblings_were_not_there() -> None:
    project = make.project()
    task = make.task(project)
    tree, way = grown(project, PARENTS), grown(project, {}, drop=(LEFT,))
    Trajectory.objects.filter(pk=tree.pk).update(task=task, rollout=0)
    Trajectory.objects.filter(pk=way.pk).update(task=task, rollout=1)
    found = said(project, "tiny")
    assert len([one for one in found if one[0] == tree.pk]) == 4
    for message in ("Step 1 looks.", "Step 3 looks.", "Step 4 looks."):
        assert found[tree.pk, message] == pytest.approx(found[way.pk, message], abs=1e-5)


def test_the_embedded_scorer_scores_each_step_of_a_tree_once() -> None:
    project = make.project()
    tree = grown(project, PARENTS)
    assert sorted(message for _, message in said(project, "embedded")) == [f"Step {n} looks." for n in range(1, 5)]
    assert tree.steps.of_agent().count() == 4
