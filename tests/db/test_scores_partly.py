"""Scorers that leave out single steps, and scorers that are told what came of a trajectory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotations import jobs
from annotations.models import Project, Role, Run, Score
from annotations.services import rankable, scores
from models_service import scorers, scoring
from models_service.scorers.base import CannotScore, Partly, checked
from tests import make
from tests.contract.test_scorers import RECORDS
from tests.slow import PartlyScorer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def deployment(settings: Any) -> Iterator[None]:
    settings.SCORERS = settings.SCORERS | {
        name: {"title": name, "class": f"tests.slow.{name}"} for name in ("PartlyScorer", "LearnsOutcomeScorer")
    }
    scorers.load.cache_clear()
    yield
    scorers.load.cache_clear()


def score(project: Project, scorer: str) -> Run:
    run = jobs.run_here(Run.objects.create(project=project, kind=Run.Kind.SCORE, config={"scorer": scorer}))
    assert run.state == Run.State.DONE, run.error
    return run


def test_a_step_without_a_number_has_no_score_and_its_reason_is_counted() -> None:
    project = make.project()
    for _ in range(2):
        make.trajectory(project, steps=3)
    run = score(project, "PartlyScorer")
    assert sorted(Score.objects.filter(run=run).values_list("step__index", flat=True)) == [2, 2, 3, 3]
    assert run.result["unscored"] == {"nothing came before": 2}
    assert "skipped" not in run.result


def test_a_trajectory_of_which_no_step_has_a_number_is_listed_with_the_reason() -> None:
    project = make.project()
    alone = make.trajectory(project, steps=1)
    run = score(project, "PartlyScorer")
    assert not Score.objects.filter(run=run).exists()
    assert [(one["trajectory"], one["reason"]) for one in run.result["skipped"]] == [(alone.pk, "nothing came before")]
    assert scores.left(run) == []


def test_of_very_many_reasons_the_rare_ones_are_counted_together() -> None:
    many = Counter({f"{number} tokens are too many": 1 for number in range(500)} | {"undefined": 9})
    pooled = scoring._pooled(many)
    assert (pooled["undefined"], sum(pooled.values()), len(pooled)) == (9, 509, 51)
    again = scoring._pooled(Counter(pooled) + many)
    assert (again["undefined"], sum(again.values())) == (18, 1018) and len(again) <= 51


def test_a_rollout_that_is_scored_in_part_takes_no_part_in_choosing() -> None:
    project = make.project()
    make.trajectory(project, steps=3)
    assert [one.scores for one in rankable.of_run(score(project, "PartlyScorer"))] == [()]
    assert [len(one.scores) for one in rankable.of_run(score(project, "embedded"))] == [3]


def test_a_score_for_a_step_that_has_a_reason_too_is_not_let_through() -> None:
    [said] = PartlyScorer().score(RECORDS[:1])
    assert checked(RECORDS[0], said) == said
    assert isinstance(said, Partly)
    for unscored in ({}, {2: ""}, {2: "why", 5: "why"}, {2: "why", 1: "no step of the agent"}):
        with pytest.raises(AssertionError):
            checked(RECORDS[0], Partly(said, unscored))
    assert isinstance(checked(RECORDS[1], Partly((), {2: "why"})), CannotScore)


def test_what_came_of_it_is_told_only_to_a_scorer_that_asks_and_kept_from_who_may_not_see_it() -> None:
    project = make.project()
    made = make.trajectory(project, steps=2, outcome={"correct": True}, extra={"secret": 1})
    made.steps.filter(index=2).update(extra={"values": {"reward": 1, "q": 0.3}, "fields": {"note": "hindsight"}})
    run = score(project, "LearnsOutcomeScorer")
    assert list(Score.objects.filter(run=run).order_by("step__index").values_list("value", flat=True)) == [1, 2]
    assert all(one.detail["flags"] == ["reads the outcome"] for one in Score.objects.filter(run=run))
    assert scores.latest(project.pk) == {}
    assert scores.latest(project.pk, with_reference=True) == {"LearnsOutcomeScorer": run.pk}


def test_rollouts_hold_no_outcome_unless_it_is_asked_for_and_of_a_steps_numbers_only_the_reward() -> None:
    project = make.project()
    made = make.trajectory(project, steps=2, outcome={"correct": True})
    made.steps.filter(index=2).update(extra={"values": {"reward": 1, "q": 0.3}, "fields": {"note": "hindsight"}})
    [without] = scores.rollouts(project, [made.task_id])
    [with_it] = scores.rollouts(project, [made.task_id], with_outcome=True)
    assert without.record.outcome is None and all(step.extra == {} for step in without.record.steps)
    assert with_it.record.outcome == {"correct": True}
    assert [step.extra for step in with_it.record.steps] == [{}, {}, {"values": {"reward": 1}}]


def test_a_trajectory_that_is_scored_in_part_is_shown_with_its_gap(client: Client) -> None:
    project = make.project(mode="assisted")
    lead = make.user()
    make.member(project, lead, Role.OWNER)
    made = make.trajectory(project, steps=3)
    run = score(project, "PartlyScorer")
    client.force_login(lead)
    for name, key in (
        ("trajectory", made.pk),
        ("annotate", make.lease(made, lead, mode="assisted").pk),
        ("run", run.pk),
    ):
        said = client.get(reverse(name, args=[project.slug, key]))
        assert said.status_code == 200, name
    assert "1 step: nothing came before" in client.get(reverse("run", args=[project.slug, run.pk])).content.decode()
    assert client.get(reverse("scores", args=[project.slug])).status_code == 200
    rows = client.get(reverse("api-scores-list", args=[project.slug])).json()["results"]
    assert len(rows) == 2
