"""The door to what is compared: rollouts of the task that the pass compares, and nothing of where they come from."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from annotations.models import Annotation, Trajectory
from annotations.services import around
from tests import make
from tests.db.test_pages import enter

pytestmark = pytest.mark.django_db


def begun(preset: str = "rollout-ranking", **fields: Any) -> tuple[Annotation, list[Trajectory]]:
    annotator = make.user()
    project = make.project(annotator, scheme=make.scheme(preset))
    task = make.task(project)
    made = [
        make.trajectory(project, of=task, policy_model=f"secret-{number}", outcome={"reward": 0.125}, steps=30)
        for number in range(3)
    ]
    return make.lease(made[0], annotator, **fields), made


def ask(mine: Annotation, rollout: int, **query: Any) -> Any:
    assert mine.rater.user
    slug = mine.rater.project.slug
    return enter(mine.rater.user).get(reverse("annotate_candidate", args=[slug, mine.pk, rollout]), query)


def test_every_rollout_of_the_task_is_read_window_by_window():
    mine, made = begun()
    for one in made:
        first, last = ask(mine, one.rollout), ask(mine, one.rollout, **{"from": "last"})
        assert "I try 1." in first.text and "I try 30." not in first.text
        assert "I try 30." in last.text and "Step 30" in last.text


def test_it_says_nothing_of_where_a_rollout_comes_from_in_any_mode():
    for mode in ("blind", "reference", "assisted"):
        mine, made = begun(mode=mode)
        page = enter(mine.rater.user).get(reverse("annotate", args=[mine.rater.project.slug, mine.pk])).text
        told = "".join(ask(mine, one.rollout).text for one in made)
        assert "secret" not in told + page
        assert "0.125" not in told


def test_a_rollout_of_another_task_or_none_is_not_found():
    mine, made = begun()
    other = make.trajectory(made[0].project, of=make.task(made[0].project), rollout=7)
    assert ask(mine, other.rollout).status_code == 404
    assert ask(mine, 99).status_code == 404


def test_a_scheme_that_compares_no_rollouts_has_no_such_door():
    mine, made = begun("agent-process")
    assert ask(mine, made[1].rollout).status_code == 404


def test_a_first_progressive_pass_compares_no_rollouts_for_they_show_the_end():
    mine, made = begun(mode="progressive", frontier=1)
    assert ask(mine, made[1].rollout).status_code == 404


def test_somebody_elses_pass_is_not_found():
    mine, made = begun()
    other = make.user()
    make.member(mine.rater.project, other)
    address = reverse("annotate_candidate", args=[mine.rater.project.slug, mine.pk, made[1].rollout])
    assert enter(other).get(address).status_code == 404


def test_two_raters_see_rollouts_each_in_an_order_of_their_own_that_stays():
    mine, made = begun()
    orders = set()
    for _ in range(12):
        person = make.user()
        make.member(mine.rater.project, person)
        theirs = make.lease(made[0], person, seat=None, state="submitted", lease_until=None)
        assert around.rollouts(theirs) == around.rollouts(theirs)
        orders.add(tuple(around.rollouts(theirs)))
    assert len(orders) > 1
