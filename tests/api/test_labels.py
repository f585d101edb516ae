from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from annotations.models import Annotation, Label, Role
from tests import make
from tests.api.conftest import client_of

pytestmark = pytest.mark.django_db

BASE = "/api/v1/projects/mine"


@pytest.fixture
def ann():
    return make.user("ann")


@pytest.fixture
def project(ann):
    return make.project(ann, slug="mine", overlap=1)


@pytest.fixture
def mine(project, ann):
    return make.lease(make.trajectory(project, steps=3), ann)


@pytest.fixture
def client(ann):
    return client_of(ann)


def store(client, annotation, step, value, field="label", **more):
    body = {"annotation": annotation.pk, "step": step, "field": field, "value": value, **more}
    return client.post(f"{BASE}/labels/", body, format="json")


def deed(client, annotation, verb, **body):
    return client.post(f"{BASE}/annotations/{annotation.pk}/{verb}/", body, format="json")


def current(annotation):
    rows = Label.objects.current().filter(annotation=annotation).order_by("step__index", "field")
    return list(rows.values_list("step__index", "field", "value"))


def test_a_label_is_stored_and_the_answer_says_what_stands(client, mine):
    answer = store(client, mine, 1, 1)
    assert answer.status_code == 200
    assert answer.json()["labels"] == [{"step": 1, "field": "label", "value": 1, "origin": "human", "cause": None}]
    assert (answer.json()["revision"], answer.json()["state"]) == (1, "draft")
    assert current(mine) == [(1, "label", 1)]


def test_the_same_change_sent_again_is_made_once(client, mine):
    change = str(uuid.uuid4())
    first = store(client, mine, 1, -1, change=change, revision=0)
    again = store(client, mine, 1, -1, change=change, revision=0)
    assert first.json()["revision"] == again.json()["revision"] == 1
    assert Label.objects.count() == 1


def test_a_place_that_changed_since_is_a_conflict_and_can_be_forced(client, mine):
    store(client, mine, 1, 1)
    clash = store(client, mine, 1, -1, revision=0)
    assert clash.status_code == 409
    assert clash.json()["error"] == "conflict"
    assert (clash.json()["items"][0]["yours"], clash.json()["items"][0]["theirs"]) == (-1, 1)
    assert store(client, mine, 1, -1, revision=0, force=True).status_code == 200
    assert current(mine) == [(1, "label", -1)]


def test_what_the_scheme_does_not_take_is_refused_with_what_it_does(client, mine):
    answer = store(client, mine, 1, 5)
    assert answer.status_code == 422
    assert answer.json()["accepted"] == [1, 0, -1]
    assert store(client, mine, 1, 1, field="colour").status_code == 422
    assert store(client, mine, 0, 1).status_code == 422
    assert store(client, mine, 1, {"a": 1}).status_code == 422
    assert current(mine) == []


@pytest.mark.parametrize("value", [True, 1.0, "1"])
def test_a_value_of_another_type_is_no_label(client, mine, value):
    assert store(client, mine, 1, value).status_code == 422


def test_anothers_pass_does_not_exist_for_you(project, mine):
    eve = make.user()
    make.member(project, eve)
    client = client_of(eve)
    assert store(client, mine, 1, 1).status_code == 404
    assert client.get(f"{BASE}/annotations/{mine.pk}/").status_code == 404
    for verb in ("accept", "undo", "redo", "submit", "reopen", "lease"):
        assert deed(client, mine, verb).status_code == 404
    assert deed(client, mine, "skip", reason="x").status_code == 404
    bulk = {"changes": [{"annotation": mine.pk, "items": [{"step": 1, "field": "label", "value": 1}]}]}
    answer = client.post(f"{BASE}/labels/bulk/", bulk, format="json").json()
    assert (answer["stored"], answer["results"][0]["status"]) == (0, 404)
    assert current(mine) == []


def test_a_lead_reads_anothers_pass_and_does_not_write_it(project, mine):
    lead = make.user()
    make.member(project, lead, Role.OWNER)
    client = client_of(lead)
    assert client.get(f"{BASE}/annotations/{mine.pk}/").status_code == 200
    assert store(client, mine, 1, 1).status_code == 404
    assert deed(client, mine, "submit").status_code == 404


def test_a_viewer_stores_nothing(project, mine):
    viewer = make.user()
    make.member(project, viewer, Role.VIEWER)
    client = client_of(viewer)
    assert store(client, mine, 1, 1).status_code == 403
    assert client.post(f"{BASE}/next/").status_code == 403


def test_a_pass_of_another_project_is_not_reached_through_ones_own(client, ann):
    elsewhere = make.project(ann, slug="other")
    mine = make.lease(make.trajectory(elsewhere), ann)
    make.project(ann, slug="mine")
    assert store(client, mine, 1, 1).status_code == 404
    assert deed(client, mine, "undo").status_code == 404


def test_in_bulk_each_change_has_its_own_outcome(client, project, ann, mine):
    other = make.lease(make.trajectory(project, steps=1), ann)
    change = str(uuid.uuid4())
    changes = [
        {"annotation": mine.pk, "change": change, "items": [{"step": 1, "field": "label", "value": 1}]},
        {"annotation": mine.pk, "items": [{"step": 2, "field": "label", "value": 9}]},
        {"annotation": 10**9, "items": [{"step": 1, "field": "label", "value": 1}]},
        {
            "annotation": other.pk,
            "items": [{"step": 1, "field": "label", "value": 0}, {"step": None, "field": "final", "value": -1}],
        },
        {"annotation": mine.pk, "revision": 0, "items": [{"step": 1, "field": "label", "value": 0}]},
    ]
    answer = client.post(f"{BASE}/labels/bulk/", {"changes": changes}, format="json").json()
    assert [one["status"] for one in answer["results"]] == [200, 422, 404, 200, 409]
    assert (answer["stored"], answer["refused"]) == (2, 3)
    assert answer["results"][1]["problem"]["accepted"] == [1, 0, -1]
    assert current(mine) == [(1, "label", 1)]
    assert current(other) == [(1, "label", 0), (None, "final", -1)]

    again = client.post(f"{BASE}/labels/bulk/", {"changes": changes[:1]}, format="json").json()
    assert (again["stored"], again["results"][0]["outcome"]["revision"]) == (1, 1)
    assert Label.objects.filter(annotation=mine).count() == 1


def test_a_malformed_bulk_stores_nothing_and_names_the_place(client, mine):
    changes = [
        {"annotation": mine.pk, "items": [{"step": 1, "field": "label", "value": 1}]},
        {"annotation": mine.pk, "items": [{"step": "first", "field": "label", "value": 1}]},
    ]
    answer = client.post(f"{BASE}/labels/bulk/", {"changes": changes}, format="json")
    assert (answer.status_code, answer.json()["field"]) == (400, "changes.1.items.0.step")
    assert current(mine) == []


def test_a_whole_pass_from_lease_to_submission_and_back(client, project):
    trajectory = make.trajectory(project, steps=2)
    leased = client.post(f"{BASE}/next/").json()
    assert leased["trajectory"] == trajectory.pk
    assert client.post(f"{BASE}/next/").json()["id"] == leased["id"]
    mine = Annotation.objects.get(pk=leased["id"])
    store(client, mine, 1, -1)
    missing = deed(client, mine, "submit")
    assert missing.status_code == 422
    assert missing.json()["missing"] == [{"step": 2, "field": "label"}, {"step": None, "field": "final"}]
    assert missing.json()["ghosts"] == 1
    assert deed(client, mine, "accept").json()["labels"][0]["cause"] == 1
    assert deed(client, mine, "undo").json()["labels"][0]["value"] is None
    assert deed(client, mine, "redo").json()["labels"][0]["value"] == -1
    store(client, mine, None, -1, field="final")
    assert deed(client, mine, "submit").json()["state"] == "submitted"
    closed = store(client, mine, 1, 1)
    assert (closed.status_code, closed.json()["error"]) == (409, "closed")
    assert client.post(f"{BASE}/next/").status_code == 204
    assert deed(client, mine, "reopen").json()["state"] == "draft"
    assert deed(client, mine, "skip", reason="unclear").json()["state"] == "skipped"
    state = client.get(f"{BASE}/annotations/{mine.pk}/state/").json()
    assert len(state["labels"]) == 3


def test_submitting_without_a_free_seat_is_refused_and_keeps_the_labels(client, project, mine):
    store(client, mine, 1, 1)
    for step in (2, 3):
        store(client, mine, step, 1)
    store(client, mine, None, 1, field="final")
    Annotation.objects.update(seat=None, lease_until=None)
    make.lease(mine.trajectory, make.user())
    answer = deed(client, mine, "submit")
    assert (answer.status_code, answer.json()["error"]) == (409, "no_seat")
    assert len(current(mine)) == 4


def test_a_lapsed_lease_is_renewed_by_asking(client, mine):
    Annotation.objects.update(lease_until=timezone.now() - timedelta(minutes=5))
    assert deed(client, mine, "lease").status_code == 200
    mine.refresh_from_db()
    assert mine.lease_until > timezone.now()
