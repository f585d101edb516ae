"""A lead frees seats and gives work by token, as on the pages."""

from __future__ import annotations

import pytest

from annotations.models import Annotation
from annotations.services import queue
from tests import make
from tests.api.conftest import client_of

pytestmark = pytest.mark.django_db

URL = "/api/v1/projects/mine"


@pytest.fixture
def mine(project) -> Annotation:
    project.overlap = 1
    project.save()
    ann = make.user("ann")
    make.member(project, ann)
    make.member(project, make.user("bob"))
    make.trajectory(project)
    leased = queue.lease_next(project, ann)
    assert leased
    return leased


def test_a_seat_is_freed_and_given_to_somebody_else(client, mine):
    freed = client.post(f"{URL}/annotations/{mine.pk}/release/", {"reason": "away"}, format="json")
    assert (freed.status_code, freed.json()["id"], freed.json()["lease_until"]) == (200, mine.pk, None)
    given = client.post(f"{URL}/trajectories/{mine.trajectory_id}/assign/", {"to": "bob"}, format="json")
    assert given.status_code == 200
    assert (given.json()["rater"], given.json()["state"], given.json()["trajectory"]) == (
        "bob",
        "leased",
        mine.trajectory_id,
    )
    bob = client_of(make.User.objects.get(username="bob"))
    assert bob.post(f"{URL}/next/").json()["id"] == given.json()["id"]


def test_in_place_of_somebody(client, mine):
    body = {"to": "bob", "instead_of": mine.pk}
    assert client.post(f"{URL}/trajectories/{mine.trajectory_id}/assign/", body, format="json").status_code == 200
    mine.refresh_from_db()
    assert mine.seat is None


def test_what_cannot_be_given_says_why_and_where(client, mine):
    door = f"{URL}/trajectories/{mine.trajectory_id}/assign/"
    full = client.post(door, {"to": "bob"}, format="json")
    assert (full.status_code, full.json()["field"]) == (409, "to")
    assert "at work on it ann" in full.json()["error"]
    nobody = client.post(door, {"to": "zoe"}, format="json")
    assert (nobody.status_code, nobody.json()["field"], nobody.json()["accepted"]) == (
        400,
        "to",
        ["ann", "bob", "lead"],
    )


def test_a_closed_pass_is_not_released(client, mine):
    Annotation.objects.filter(pk=mine.pk).update(state="submitted")
    answer = client.post(f"{URL}/annotations/{mine.pk}/release/", format="json")
    assert (answer.status_code, answer.json()["error"], answer.json()["state"]) == (409, "closed", "submitted")
