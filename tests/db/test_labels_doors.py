"""The JSON doors of the label page: what they answer, and to whom."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotations.models import Annotation, Role
from tests import make
from tests.db.test_labels import begun, held

pytestmark = pytest.mark.django_db

ALL = ("change", "accept", "undo", "redo", "submit", "skip", "reopen", "lease")


class Page:
    """A label page as its scripts see it: the doors of one annotation, and the revision last seen."""

    def __init__(self, annotation: Annotation, client: Client) -> None:
        self.annotation = annotation
        self.client = client
        self.revision = 0

    def url(self, door: str) -> str:
        return reverse(f"label_{door}", args=[self.annotation.rater.project.slug, self.annotation.pk])

    def post(self, door: str, status: int = 200, **body: Any) -> Any:
        answer = self.client.post(self.url(door), json.dumps(body), content_type="application/json")
        assert answer.status_code == status, answer.content
        found = answer.json()
        self.revision = found.get("revision", self.revision)
        return found

    def do(self, door: str, status: int = 200, **body: Any) -> Any:
        return self.post(door, status, **({"change": str(uuid.uuid4()), "revision": self.revision} | body))

    def say(self, step: int | None, field: str, value: Any, status: int = 200, **body: Any) -> Any:
        return self.do("change", status, items=[{"step": step, "field": field, "value": value}], **body)


@pytest.fixture
def page(client: Client) -> Page:
    mine = begun(steps=3)
    client.force_login(mine.rater.user)
    return Page(mine, client)


def test_the_urls_are_the_ones_the_page_was_promised(page):
    assert page.url("change") == f"/p/{page.annotation.rater.project.slug}/label/{page.annotation.pk}/change"


def test_a_change_answers_with_everything_that_changed(page):
    found = page.say(2, "label", -1, time_ms=1200)
    until = found.pop("lease_until")
    assert until.startswith("20")
    assert found == {
        "revision": 1,
        "state": "draft",
        "labels": [{"step": 2, "field": "label", "value": -1, "origin": "human", "cause": None}],
        "undo": True,
        "redo": False,
        "frontier": None,
    }
    page.annotation.refresh_from_db()
    assert page.annotation.time_spent_ms == 1200


def test_a_whole_pass_through_the_doors(page, client):
    page.say(1, "label", -1)
    page.do("accept")
    page.do("undo")
    page.do("redo")
    page.say(None, "final", -1)
    assert held(page.annotation) == {1: -1, 2: (-1, 1), 3: (-1, 1)}
    slug = page.annotation.rater.project.slug
    assert page.do("submit", accept_ghosts=False)["next"] == reverse("label_next", args=[slug])
    assert page.post("reopen")["state"] == "draft"
    assert page.post("lease")["seat"] is True
    assert page.post("skip", reason="Twice the same.")["state"] == "skipped"


def test_the_state_is_all_a_page_needs_to_start_again(page, client):
    page.say(1, "label", -1)
    page.say(2, "note", "Why?")
    found = client.get(page.url("state")).json()
    assert [(one["step"], one["field"], one["value"]) for one in found["labels"]] == [
        (1, "label", -1),
        (2, "note", "Why?"),
    ]
    assert set(found) == {"revision", "state", "labels", "undo", "redo", "lease_until", "frontier"}
    assert (found["revision"], found["undo"], found["redo"]) == (2, True, False)


def test_a_value_the_scheme_refuses_is_422_with_what_it_takes(page):
    found = page.say(1, "label", 5, 422)
    assert found == {"error": "label takes one of 1, 0, -1, not 5", "field": "value", "accepted": [1, 0, -1]}


def test_a_conflict_is_409_with_both_sides(page):
    page.say(1, "label", 1)
    found = page.say(1, "label", 0, 409, revision=0)
    assert found["error"] == "conflict"
    assert found["revision"] == 1
    assert (found["items"][0]["yours"], found["items"][0]["theirs"]) == (0, 1)
    assert page.say(1, "label", 0, revision=0, force=True)["labels"][0]["value"] == 0


def test_submitting_too_early_is_422_and_names_what_is_missing(page):
    page.say(1, "label", -1)
    found = page.do("submit", 422)
    assert found["missing"] == [
        {"step": 2, "field": "label"},
        {"step": 3, "field": "label"},
        {"step": None, "field": "final"},
    ]
    assert found["ghosts"] == 2


def test_a_lost_seat_is_409_on_submitting_and_the_labels_stay(page):
    page.do("change", items=[{"step": step, "field": "label", "value": 1} for step in (1, 2, 3)])
    page.say(None, "final", 1)
    Annotation.objects.filter(pk=page.annotation.pk).update(seat=None, lease_until=None)
    for seat in (0, 1):
        make.lease(page.annotation.trajectory, make.user(), seat=seat)
    assert page.do("submit", 409)["error"] == "no_seat"
    assert page.post("lease") == {"lease_until": None, "seat": False}
    assert held(page.annotation) == {1: 1, 2: 1, 3: 1}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"revision": 0, "items": []}, "change"),
        ({"change": "no", "revision": 0, "items": []}, "change"),
        ({"change": str(uuid.uuid4()), "items": [{"step": 1, "field": "label", "value": 1}]}, "revision"),
        ({"change": str(uuid.uuid4()), "revision": -1, "items": []}, "revision"),
        ({"change": str(uuid.uuid4()), "revision": 0, "items": []}, "items"),
        (
            {"change": str(uuid.uuid4()), "revision": 0, "items": [{"step": "1", "field": "a", "value": 1}]},
            "items.0.step",
        ),
        (
            {"change": str(uuid.uuid4()), "revision": 0, "items": [{"step": True, "field": "a", "value": 1}]},
            "items.0.step",
        ),
        ({"change": str(uuid.uuid4()), "revision": 0, "items": [{"step": 1, "field": "a"}]}, "items.0.value"),
    ],
)
def test_a_body_of_the_wrong_shape_is_422_naming_the_field(page, body, field):
    found = page.post("change", 422, **body)
    assert found["field"] == field
    assert found["error"]


@pytest.mark.parametrize("text", ["{", "[]", "\xff", ""])
def test_a_body_that_is_no_json_object_is_422(page, client, text):
    answer = client.post(page.url("change"), text.encode("latin-1"), content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["error"]


@pytest.mark.parametrize("door", ALL)
def test_who_is_not_logged_in_gets_401_through_every_door(page, client, door):
    client.logout()
    assert client.post(page.url(door), "{}", content_type="application/json").status_code == 401
    assert client.get(page.url("state")).status_code == 401


@pytest.mark.parametrize("who", ["stranger", "colleague", "lead"])
def test_nobody_else_has_a_door_to_the_annotation(page, who):
    other = make.user()
    if who != "stranger":
        make.member(page.annotation.rater.project, other, Role.OWNER if who == "lead" else Role.ANNOTATOR)
    theirs = Page(page.annotation, Client())
    theirs.client.force_login(other)
    theirs.say(1, "label", 1, 404)
    for door in ("accept", "undo", "redo", "submit"):
        theirs.do(door, 404)
    theirs.post("skip", 404, reason="Mine now.")
    theirs.post("reopen", 404)
    theirs.post("lease", 404)
    assert theirs.client.get(page.url("state")).status_code == 404
    page.annotation.refresh_from_db()
    assert (page.annotation.revision, page.annotation.state) == (0, "leased")


def test_the_project_in_the_address_must_be_the_annotations_own(page, client):
    elsewhere = make.project(page.annotation.rater.user)
    url = reverse("label_state", args=[elsewhere.slug, page.annotation.pk])
    assert client.get(url).status_code == 404


def test_a_member_who_may_only_look_gets_403(page):
    page.annotation.rater.project.memberships.update(role=Role.VIEWER)
    page.say(1, "label", 1, 403)


def test_a_post_without_the_csrf_token_is_refused(page):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(page.annotation.rater.user)
    body = json.dumps(
        {"change": str(uuid.uuid4()), "revision": 0, "items": [{"step": 1, "field": "label", "value": 1}]}
    )
    assert strict.post(page.url("change"), body, content_type="application/json").status_code == 403
    assert held(page.annotation) == {}


@pytest.mark.parametrize("door", ALL)
def test_a_door_that_changes_something_is_no_get(page, client, door):
    assert client.get(page.url(door)).status_code == 405


def test_the_way_into_the_queue_leads_to_the_label_page_and_again_to_the_same(page, client):
    slug = page.annotation.rater.project.slug
    where = reverse("label_next", args=[slug])
    here = reverse("annotate", args=[slug, page.annotation.pk])
    for ask in (client.get, client.post):
        assert ask(where).headers["Location"] == here


def test_when_nothing_is_left_the_way_leads_back_to_the_project_and_says_so(page, client):
    slug = page.annotation.rater.project.slug
    page.post("skip", reason="Enough.")
    answer = client.get(reverse("label_next", args=[slug]), follow=True)
    assert answer.redirect_chain == [(reverse("project", args=[slug]), 302)]
    assert "Nothing is left for you" in answer.text


def test_where_nothing_was_imported_nobody_is_said_to_have_labelled_it(client):
    user = make.user()
    project = make.project(user)
    client.force_login(user)
    answer = client.get(reverse("label_next", args=[project.slug]), follow=True)
    assert "nothing to label here yet" in answer.text
    assert "Nothing is left" not in answer.text


def test_the_queue_is_closed_to_strangers_and_to_who_only_looks(page, client):
    where = reverse("label_next", args=[page.annotation.rater.project.slug])
    client.force_login(make.user())
    assert client.get(where).status_code == 404
    client.force_login(make.member(page.annotation.rater.project, make.user(), Role.VIEWER).user)
    assert client.get(where).status_code == 403
    client.logout()
    assert client.get(where).headers["Location"].startswith(reverse("account_login"))
