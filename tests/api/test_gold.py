"""Gold items and training by token, as on the pages; and never a word of which item is gold to who labels."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from annotations.models import Annotation, Gold, Project, User
from annotations.services import gold
from tests import gilded, make
from tests.api.conftest import client_of

pytestmark = pytest.mark.django_db

URL = "/api/v1/projects/mine"


@pytest.fixture
def ann(project: Project) -> APIClient:
    user = make.user("ann")
    make.member(project, user)
    gilded.live(project, 4)
    return client_of(user)


def given(client: APIClient) -> dict[str, Any]:
    told: dict[str, Any] = client.post(f"{URL}/next/").json()
    return told


def test_a_lead_marks_lists_and_takes_back(client: APIClient, project: Project) -> None:
    [item] = gilded.known(project, 1)
    gold.unmark(item, None)
    body = {"trajectory": item.trajectory_id, "use": "training", "explanation": "Because."}
    made = client.post(f"{URL}/gold/", body, format="json")
    assert made.status_code == 201
    assert (made.json()["rater"], made.json()["use"], made.json()["explanation"]) == ("gold", "training", "Because.")
    assert [one["id"] for one in client.get(f"{URL}/gold/").json()["results"]] == [made.json()["id"]]
    assert client.delete(f"{URL}/gold/{made.json()['id']}/").status_code == 204
    assert not Gold.objects.exists()


def test_what_cannot_be_right_is_refused_with_what_can(client: APIClient, project: Project) -> None:
    bare = make.trajectory(project)
    refused = client.post(f"{URL}/gold/", {"trajectory": bare.pk}, format="json")
    assert (refused.status_code, refused.json()["field"]) == (422, "reference")
    many = client.post(f"{URL}/gold/many/", {"rater": 1, "view": "none such"}, format="json")
    assert many.status_code == 422


def test_the_plan_is_read_and_changed(client: APIClient, project: Project) -> None:
    first = {"every": 0, "again": 0, "again_after": 7, "shown": "totals", "training": 0, "mark": 80}
    assert client.get(f"{URL}/gold/plan/").json() == first
    changed = client.patch(f"{URL}/gold/plan/", {"every": 5, "mark": 70}, format="json")
    assert (changed.json()["every"], changed.json()["mark"]) == (5, 70)
    for name in ("every", "again"):
        assert client.patch(f"{URL}/gold/plan/", {name: 1}, format="json").status_code == 400


def test_who_labels_is_never_told_what_is_gold_and_the_lead_is(
    client: APIClient, ann: APIClient, project: Project
) -> None:
    gilded.filled(project, *gilded.known(project, 3))
    gilded.planned(project, every=2)
    for _ in range(2):
        told = given(ann)
        assert told["purpose"] == ""
        assert ann.get(f"{URL}/annotations/{told['id']}/").json()["purpose"] == ""
        gilded.answer(Annotation.objects.get(pk=told["id"]), gilded.RIGHT)
    assert {one["purpose"] for one in ann.get(f"{URL}/annotations/").json()["results"]} == {""}
    mine = client.get(f"{URL}/annotations/?page_size=100").json()["results"]
    assert [one["purpose"] for one in mine if one["rater"] == "ann"].count("gold") == 1
    for door in ("gold/", "gold/plan/"):
        assert ann.get(f"{URL}/{door}").status_code == 403


def test_a_newcomer_trains_by_token_as_on_the_pages(client: APIClient, project: Project) -> None:
    gilded.filled(project, *gilded.known(project, 2, Gold.Use.TRAINING))
    gilded.planned(project, training=2, mark=90)
    user: User = make.user("new")
    make.member(project, user)
    new = client_of(user)
    for values in (gilded.RIGHT, [1, 1]):
        told = given(new)
        assert told["purpose"] == "training"
        assert new.get(f"{URL}/training/{told['id']}/").status_code == 409
        gilded.answer(Annotation.objects.get(pk=told["id"]), values)
        feedback = new.get(f"{URL}/training/{told['id']}/").json()
        assert [one["right"] for one in feedback["places"]] == [True, values == gilded.RIGHT, True]
    assert new.post(f"{URL}/next/").status_code == 409  # the round is below the mark
    now = new.get(f"{URL}/training/").json()
    assert (now["over"], now["passed"], now["stuck"], round(now["score"])) == (True, False, True, 83)
    assert new.post(f"{URL}/training/pass/", {"user": "new"}, format="json").status_code == 403
    assert client.post(f"{URL}/training/pass/", {"user": "new"}, format="json").status_code == 204
    gilded.live(project, 1)
    assert given(new)["purpose"] == ""


def test_who_has_no_training_is_told_there_is_none(ann: APIClient) -> None:
    assert ann.get(f"{URL}/training/").status_code == 404
    assert ann.post(f"{URL}/training/again/").status_code == 409
