"""What a scoring run takes: kept with it, added up over its holds, and the ground of what the next one would take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from annotations import jobs
from annotations.models import Project, Run, Score, Trajectory
from annotations.records import TrajectoryRecord
from annotations.services import run_estimates, runs, scores
from annotations.services.run_estimates import Cost
from models_service.scorers.base import Scored
from tests import make
from tests.slow import SlowScorer

pytestmark = pytest.mark.django_db

PRICE = {"prompt": 3_000_000, "completion": 15_000_000, "currency": "USD", "version": "2026-11"}


class AskingScorer(SlowScorer):
    """Says that it asked once a step, whatever run it is of; pauses its run after so many calls."""

    at_once = 2
    asked = 0
    after: int | None = None

    @property
    def usage(self) -> dict[str, float]:
        return {"calls": self.asked, "prompt_tokens": 100 * self.asked, "completion_tokens": 10 * self.asked}

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        said: list[Scored] = super().score(records)
        type(self).asked += sum(len(one) for one in said if isinstance(one, tuple))
        return said


@pytest.fixture(autouse=True)
def asking(settings: Any) -> None:
    settings.SCORERS = settings.SCORERS | {
        "asking": {
            "title": "Asking",
            "class": "tests.db.test_runs_estimates.AskingScorer",
            "options": {},
            "price": PRICE,
        }
    }


@pytest.fixture
def project() -> Project:
    """Four tasks of three rollouts; each rollout has two steps of the agent's."""
    project = make.project()
    for _ in range(4):
        task = make.task(project)
        for _ in range(3):
            make.trajectory(project, of=task, steps=2)
    return project


def scored(project: Project, **config: Any) -> Run:
    return jobs.run_here(jobs.start(Run.Kind.SCORE, project, None, scorer="asking", **config))


def test_a_run_keeps_what_it_took(project: Project) -> None:
    scored(project)  # the scorer has answered for another run before
    spent = scored(project).result["spent"]
    assert (spent["trajectories"], spent["steps"]) == (12, 24)
    assert spent["usage"] == {"calls": 24, "prompt_tokens": 2400, "completion_tokens": 240}
    assert spent["seconds"] > 0
    assert spent["octets"] == run_estimates.size(project).octets > 0


def test_a_run_that_is_paused_adds_up(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    store = scores.store

    def stored_and_paused(run: Run, said: Any) -> None:
        store(run, said)
        if Score.objects.filter(run=run).count() == 12:
            runs.pause(run, None)

    monkeypatch.setattr(scores, "store", stored_and_paused)
    run = scored(project)
    assert (run.state, run.result["spent"]["trajectories"]) == (Run.State.PAUSED, 6)
    runs.resume(run, None)
    run = jobs.run_here(run)
    assert (run.state, run.error) == (Run.State.DONE, "")
    spent = run.result["spent"]
    assert (spent["trajectories"], spent["steps"]) == (12, 24)
    assert spent["octets"] == run_estimates.size(project).octets
    # What was asked ahead for trajectories that the pause came before is asked again.
    assert spent["usage"]["calls"] >= 24
    assert Score.objects.filter(run=run).count() == 24


def test_nothing_is_known_of_a_scorer_that_has_not_run(project: Project) -> None:
    estimate = run_estimates.of(project, ["asking"])["asking"]
    assert (estimate.size.trajectories, estimate.size.steps) == (12, 24)
    assert (estimate.runs, estimate.seconds, estimate.usage, estimate.cost) == (0, None, {}, None)
    assert not estimate.is_asked_about


def test_time_and_cost_are_told_by_what_earlier_runs_took(project: Project) -> None:
    """By hand: two runs took 10 s + 20 s over 1000 + 2000 octets and 10 + 20 steps, and asked 10 and 20 times."""
    for share in (1, 2):
        spent = {"seconds": 10.0, "trajectories": 5, "steps": 10, "octets": 1000}
        usage = {"calls": 10, "prompt_tokens": 5000, "completion_tokens": 100}
        told = {name: n * share for name, n in spent.items()} | {
            "usage": {name: n * share for name, n in usage.items()}
        }
        Run.objects.create(
            project=make.project(), kind="score", state="done", config={"scorer": "asking"}, result={"spent": told}
        )
    estimate = run_estimates._estimate(run_estimates.Size(60, 120, 6000), run_estimates._taken()["asking"], PRICE)
    assert (estimate.runs, estimate.seconds) == (2, pytest.approx(60))
    assert estimate.usage == {"calls": 120, "prompt_tokens": 30_000, "completion_tokens": 1200}
    # 30 000 tokens at 3 USD a million are 0.09, 1 200 at 15 USD are 0.018.
    assert estimate.cost == Cost(108_000, "USD", "2026-11")
    assert estimate.cost.amount == 0.108
    assert estimate.is_asked_about


def test_without_a_price_there_is_no_cost() -> None:
    assert run_estimates.cost({"prompt_tokens": 10}, None) is None
    assert run_estimates.cost({}, PRICE) is None


def test_a_try_takes_few_trajectories_of_many_tasks_and_is_shown_nowhere(project: Project) -> None:
    run = scored(project, limit=5)
    assert (run.state, run.done, run.total) == (Run.State.DONE, 5, 5)
    tried = Score.objects.filter(run=run).values_list("trajectory", flat=True).distinct()
    assert Trajectory.objects.filter(pk__in=tried).values("task").distinct().count() == 4
    assert scores.latest(project.pk) == {}
    assert run_estimates.of(project, ["asking"])["asking"].runs == 1
    whole = scored(project)
    assert scores.latest(project.pk) == {"asking": whole.pk}
    scored(project, limit=2)
    assert scores.latest(project.pk) == {"asking": whole.pk}


def test_a_try_takes_the_same_trajectories_for_the_same_seed(project: Project) -> None:
    first, again, other = (run_estimates.sample(project, 12, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert sorted(first) == sorted(other)


def test_the_steps_of_large_projects_are_told_by_some_of_them(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = run_estimates.size(project)
    monkeypatch.setattr(run_estimates, "LOOKED_AT", 4)
    about = run_estimates.size(project)
    assert about.trajectories == exact.trajectories
    assert about.steps == exact.steps
    assert about.octets == pytest.approx(exact.octets, rel=0.3)
