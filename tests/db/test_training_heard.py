"""Judges and other scorers that have spoken, as what the embedded scorer listens to: who counts, and what is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from annotations import jobs
from annotations.models import Annotation, Label, Project, Rater, Run, Score, ScorerArtefact
from annotations.services import teaching, teaching_heard
from models_service import learning
from tests import make
from tests.db.test_ratings import bring, take
from tests.db.test_scores import labelled, score

pytestmark = pytest.mark.django_db


def judged(project: Project, name: str = "jo", every: int = 7) -> Rater:
    """A judge that says of each step what people say, save of one step in so many."""
    judge = make.rater(project, name)
    gold = Label.objects.current().filter(field="label", annotation__rater__name="gold")
    truth = dict(gold.values_list("step", "value"))
    for number, trajectory in enumerate(project.trajectories.order_by("pk")):
        steps = list(trajectory.steps.of_agent().values_list("pk", flat=True))
        said = [-truth[step] if (number + place) % every == 0 else truth[step] for place, step in enumerate(steps)]
        make.rating(judge, trajectory, said)
    return judge


@pytest.fixture
def project() -> Project:
    made = make.project()
    labelled(made, Rater.Kind.HUMAN)
    return made


def keys(project: Project) -> list[str]:
    return [one.key for one in teaching_heard.voices(project)]


def test_judges_and_done_runs_of_scorers_are_heard(project: Project, settings: Any) -> None:
    judge = judged(project)
    run = Run.objects.create(project=project, kind=Run.Kind.SCORE, config={"scorer": "prm"}, state=Run.State.DONE)
    assert keys(project) == [f"judge:{judge.pk}", f"run:{run.pk}"]


def test_people_the_reference_and_those_that_learn_or_read_it_are_not_heard(project: Project) -> None:
    judge = judged(project)
    Project.objects.filter(pk=project.pk).update(reference=judge)
    for result, state in (({"model": {}}, "done"), ({"reads_reference": True}, "done"), ({}, "running")):
        config = {"scorer": f"one {len(result)} {state} {list(result)}"}
        Run.objects.create(project=project, kind=Run.Kind.SCORE, config=config, state=state, result=result)
    project.refresh_from_db()
    assert keys(project) == []


def test_what_is_heard_is_a_word_for_each_step_and_none_where_nothing_was_said(project: Project) -> None:
    judge = judged(project)
    trajectory = project.trajectories.order_by("pk").first()
    first, *others = list(trajectory.steps.of_agent().values_list("pk", flat=True))
    Label.objects.filter(annotation__rater=judge, step=first).delete()
    [voice] = teaching_heard.voices(project)
    said = teaching_heard.heard(project, voice, trajectory.task.external_id)[trajectory.rollout]
    assert said[0] is None and len(said) == 1 + len(others) and set(said[1:]) <= {-1.0, 0.0, 1.0}
    run = Run.objects.create(project=project, kind=Run.Kind.SCORE, config={"scorer": "prm"}, state=Run.State.DONE)
    Score.objects.create(run=run, trajectory=trajectory, step_id=others[0], value=0.25)
    voice = teaching_heard.voices(project)[-1]
    assert teaching_heard.heard(project, voice, trajectory.task.external_id)[trajectory.rollout][:2] == [None, 0.25]


def test_a_judge_that_was_retired_says_nothing(project: Project) -> None:
    judge = judged(project)
    Annotation.objects.filter(rater=judge).update(state=Annotation.State.DRAFT)
    assert keys(project) == []


def test_a_judge_that_helps_is_listened_to_and_scores_say_so(project: Project) -> None:
    judge = judged(project)
    noisy(project)
    run = jobs.run_here(teaching.start(project, None))
    assert run.state == Run.State.DONE, run.error
    assert run.result["model"]["report"]["stacked"]["extras"] == [f"judge:{judge.pk}"]
    unheard = make.trajectory(project, of=project.trajectories.first().task, steps=2)
    scoring = score(project, "embedded")
    assert scoring.state == Run.State.DONE, scoring.error
    heard = Score.objects.filter(run=scoring, detail__has_key="extras")
    assert not heard.filter(trajectory=unheard).exists()
    assert heard.values("trajectory").distinct().count() == 50


def noisy(project: Project) -> None:
    """Make some wrong steps look like any other, so that the judge knows what features do not."""
    for trajectory in project.trajectories.order_by("pk")[1::3]:
        for place, step in enumerate(trajectory.steps.of_agent()):
            step.tool_calls = [{"name": "look", "arguments": {"at": place}}]
            step.save()


def test_the_figures_held_out_are_of_the_part_that_listens(project: Project) -> None:
    judged(project)
    noisy(project)
    jobs.run_here(teaching.start(project, None))
    artefact = ScorerArtefact.objects.get(project=project)
    assert learning.held_out(artefact).shape == (artefact.report["steps"], 3)


@pytest.mark.data
def test_on_the_shared_trajectories_it_learns_and_listens_to_the_judges_that_help(shared_data: Path) -> None:
    project, base = make.project(), shared_data / "agentprocessbench"
    take(project, base / "trajectories" / "hotpotqa_q00-29.jsonl.gz")
    for judge in ("DeepSeek-V3.2", "Qwen3-4B"):
        [path] = (base / "judges" / judge).glob("hotpotqa__*")
        bring(project, path, rater=judge)
    project.refresh_from_db()
    run = jobs.run_here(teaching.start(project, None))
    assert run.state == Run.State.DONE, run.error
    report = run.result["model"]["report"]
    assert (report["steps"], report["trajectories"], report["tasks"]) == (426, 150, 30)
    assert report["embedded"]["auroc"] > 0.87
    assert [report["titles"][one] for one in report["stacked"]["extras"]] == ["judge DeepSeek-V3.2"]
    assert report["stacked"]["log_loss"] < report["tried"][0]["log_loss"]
    assert run.result["drift"]["moved"] == 0
