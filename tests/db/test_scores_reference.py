"""Scorers that read the reference: they alone get it, and what they say reaches nobody who may not see it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotations import jobs
from annotations.models import Project, Role, Run, Score, Trajectory, User
from annotations.services import scores, suggestions, visibility
from models_service import scorers
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def deployment(settings: Any) -> Any:
    settings.SCORERS = settings.SCORERS | {
        name: {"title": name, "class": f"tests.slow.{name}"} for name in ("PeekingScorer", "HonestScorer")
    }
    scorers.load.cache_clear()
    yield
    scorers.load.cache_clear()


@pytest.fixture
def person() -> User:
    return make.user()


def scored(person: User, scorer: str, **fields: Any) -> tuple[Project, Trajectory, Run]:
    fields = {"mode": "assisted", "prefill": f"scorer:{scorer}", "blind_share": 0} | fields
    project = make.project(person, **fields)
    trajectory = make.trajectory(project, of=make.task(project, reference="forty-two"))
    run = jobs.run_here(Run.objects.create(project=project, kind=Run.Kind.SCORE, config={"scorer": scorer}))
    assert (run.state, run.error) == (Run.State.DONE, "")
    return project, trajectory, run


@pytest.mark.parametrize(("scorer", "given"), [("PeekingScorer", 1), ("HonestScorer", 0)])
def test_the_reference_is_given_only_to_a_scorer_that_asks_for_it(person: User, scorer: str, given: int) -> None:
    _, _, run = scored(person, scorer)
    assert set(Score.objects.filter(run=run).values_list("value", flat=True)) == {given}


def test_rollouts_hold_no_reference_unless_it_is_asked_for(person: User) -> None:
    project, trajectory, _ = scored(person, "HonestScorer")
    [without] = scores.rollouts(project, [trajectory.task_id])
    [with_it] = scores.rollouts(project, [trajectory.task_id], with_reference=True)
    assert (without.record.task.reference, with_it.record.task.reference) == (None, "forty-two")


def test_such_scores_say_what_was_read(person: User) -> None:
    _, _, run = scored(person, "PeekingScorer")
    assert run.result["reads_reference"] is True
    assert all(one.detail["flags"] == ["reads the reference"] for one in Score.objects.filter(run=run))


def test_such_scores_are_never_suggested(person: User) -> None:
    _, trajectory, _ = scored(person, "PeekingScorer")
    assert suggestions.of(make.lease(trajectory, person)) == {}
    _, other, _ = scored(person, "HonestScorer")
    assert suggestions.of(make.lease(other, person)) != {}


@pytest.mark.parametrize("mode", Project.Mode.values)
def test_no_mode_shows_such_scores_to_who_labels(person: User, client: Client, mode: str) -> None:
    project, trajectory, _ = scored(person, "PeekingScorer", mode=mode)
    membership = project.memberships.get(user=person)
    mine = make.lease(trajectory, person, mode=mode)
    assert not visibility.scores_visible_to(membership).exists()
    assert scores.latest(project.pk) == {}
    client.force_login(person)
    pages = [
        reverse("annotate", args=[project.slug, mine.pk]),
        reverse("trajectory", args=[project.slug, trajectory.pk]),
    ]
    for page in pages:
        said = client.get(page)
        assert said.status_code == 200
        assert "PeekingScorer" not in said.content.decode()
    assert client.get(reverse("api-scores-list", args=[project.slug])).json()["results"] == []


def test_who_sees_everything_sees_them_too(person: User) -> None:
    project, trajectory, run = scored(person, "PeekingScorer")
    lead = make.member(project, make.user(), Role.OWNER)
    assert visibility.scores_visible_to(lead).filter(run=run).exists()
    assert scores.latest(project.pk, with_reference=True) == {"PeekingScorer": run.pk}
