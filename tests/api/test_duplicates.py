"""Duplicates by the API: asked for by who may, refused in words to the others."""

from __future__ import annotations

import pytest

from annotations.models import Trajectory
from tests import make
from tests.api.conftest import client_of

pytestmark = pytest.mark.django_db
URL = "/api/v1/projects/mine/trajectories/"


@pytest.fixture
def twins(project) -> list[Trajectory]:
    task = make.task(project)
    same = {"of": task, "actions_hash": "a" * 32}
    return [
        make.trajectory(project, turns_hash="1" * 32, **same),
        make.trajectory(project, turns_hash="1" * 32, **same),
        make.trajectory(project, turns_hash="2" * 32, **same),
        make.trajectory(project, turns_hash="3" * 32, actions_hash="b" * 32),
    ]


def found(client, asked: object) -> list[int]:
    return [row["id"] for row in client.get(URL, {"duplicates": asked}).json()["results"]]


def test_equal_ones_and_those_that_did_the_same_are_found(client, twins):
    one, two, three, _ = [each.pk for each in twins]
    assert found(client, "exact") == [one, two]
    assert found(client, "near") == found(client, three) == [one, two, three]


def test_what_is_no_kind_is_refused_with_what_is_accepted(client, twins):
    answer = client.get(URL, {"duplicates": "some"})
    assert (answer.status_code, answer.json()["accepted"]) == (400, "exact, near, or the id of a trajectory")


def test_others_rollouts_are_not_to_be_known_by_it(project, twins):
    answer = client_of(make.member(project, make.user("ann")).user).get(URL, {"duplicates": "exact"})
    assert (answer.status_code, answer.json()["field"]) == (400, "duplicates")
