from __future__ import annotations

import uuid

import pytest

from annotations.models import ApiToken, Role, Thread
from annotations.services import asking
from tests import make
from tests.api.conftest import client_of, client_with_token

pytestmark = pytest.mark.django_db

BASE = "/api/v1/projects/mine/threads/"


@pytest.fixture
def ann():
    return make.user("ann")


@pytest.fixture
def mine(project, ann):
    make.member(project, ann)
    return make.lease(make.trajectory(project), ann)


def ask(client, annotation, **more):
    body = {"annotation": annotation.pk, "step": 1, "kind": "ask", "text": "Right?", **more}
    return client.post(BASE, body, format="json")


def test_somebody_asks_a_lead_answers_and_the_thread_is_closed(client, mine, ann):
    own = client_of(ann)
    made = ask(own, mine)
    assert made.status_code == 201
    thread = made.json()
    assert (thread["state"], thread["step"], thread["begun_by"], thread["annotation"]) == ("open", 1, "ann", mine.pk)
    answered = client.post(f"{BASE}{thread['id']}/reply/", {"text": "It is."}, format="json")
    assert answered.status_code == 201
    assert answered.json()["state"] == "answered"
    assert [(one["author"], one["text"]) for one in answered.json()["messages"]] == [
        ("ann", "Right?"),
        ("lead", "It is."),
    ]
    closed = own.post(f"{BASE}{thread['id']}/close/")
    assert (closed.status_code, closed.json()["state"]) == (200, "closed")


def test_a_message_with_a_key_of_its_own_is_said_once(client, mine, ann):
    own, key = client_of(ann), str(uuid.uuid4())
    assert ask(own, mine, key=key).json()["id"] == ask(own, mine, key=key).json()["id"]
    assert Thread.objects.count() == 1


def test_the_list_filters_by_state_kind_step_and_trajectory(client, mine, lead):
    first, second = make.thread(mine), make.thread(mine, step=2, kind="flag")
    make.answer(first, lead)
    third = make.thread(mine, step=None)
    asking.close(third, lead)

    def found(query):
        return [one["id"] for one in client.get(f"{BASE}?{query}").json()["results"]]

    assert found("") == [third.pk, second.pk, first.pk]
    assert found("state=answered") == [first.pk]
    assert found("state=open") == [second.pk]
    assert found("kind=flag") == [second.pk]
    assert found("step=1") == [first.pk]
    assert found(f"trajectory={mine.trajectory_id}&begun_by=ann&state=closed") == [third.pk]
    assert found("trajectory=999") == []
    refused = client.get(f"{BASE}?state=asleep")
    assert (refused.status_code, refused.json()["accepted"]) == (400, ["open", "answered", "closed"])


def test_a_colleague_finds_none_and_takes_part_in_none(project, mine):
    asked = make.thread(mine)
    other = make.user()
    make.member(project, other)
    client = client_of(other)
    assert client.get(BASE).json()["results"] == []
    assert client.get(f"{BASE}{asked.pk}/").status_code == 404
    assert client.post(f"{BASE}{asked.pk}/reply/", {"text": "Me too."}, format="json").status_code == 404
    assert client.post(f"{BASE}{asked.pk}/close/").status_code == 404


def test_one_asks_in_a_pass_of_ones_own_about_a_step_it_shows(client, mine, ann, project):
    assert ask(client, mine).status_code == 404, "the lead's own it is not"
    mine.frontier = 1
    mine.save()
    hidden, none = (ask(client_of(ann), mine, step=step) for step in (2, 99))
    assert (hidden.status_code, none.status_code) == (422, 422)
    assert hidden.json() == {**none.json(), "error": "There is no agent step 2."}
    viewer = make.user()
    make.member(project, viewer, Role.VIEWER)
    assert ask(client_of(viewer), mine).status_code == 403


def test_what_cannot_be_said_is_refused_by_field(ann, mine):
    own = client_of(ann)
    for more, field in (({"text": ""}, "text"), ({"text": "x" * 10_001}, "text"), ({"kind": "shout"}, "kind")):
        refused = ask(own, mine, **more)
        assert (refused.status_code, refused.json()["field"]) == (400, field)


def test_a_token_for_reading_asks_nothing(ann, mine):
    reader = client_with_token(ann, scope=ApiToken.Scope.READ)
    assert reader.get(BASE).status_code == 200
    assert ask(reader, mine).status_code == 403


def test_the_list_costs_the_same_however_many_there_are(client, mine, count_queries):
    make.thread(mine)
    client.get(BASE)
    _, few = count_queries(lambda: client.get(BASE))
    for step in (1, 2, 3):
        make.thread(mine, step=step)
    found, many = count_queries(lambda: client.get(BASE))
    assert len(found.json()["results"]) == 4
    assert many == few


def test_a_label_names_the_version_of_the_guidelines_that_was_shown_with_it(ann, project):
    make.member(project, ann)
    held = make.lease(make.trajectory(project), ann, guideline=project.guidelines.get())
    own = client_of(ann)
    item = {"annotation": held.pk, "step": 1, "field": "label", "value": 1}
    assert own.post("/api/v1/projects/mine/labels/", item, format="json").status_code == 200
    assert own.get("/api/v1/projects/mine/labels/").json()["results"][0]["guideline"] == 1
