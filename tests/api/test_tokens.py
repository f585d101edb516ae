from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from annotations.models import ApiToken, Role, SchemeVersion
from tests import make
from tests.api.conftest import client_of, client_with_token

pytestmark = pytest.mark.django_db

TOKENS = "/api/v1/tokens/"


@pytest.fixture
def ann():
    return make.user("ann")


@pytest.fixture
def project(ann):
    return make.project(ann, slug="mine")


def test_without_a_session_or_token_nothing_is_answered(anonymous, project):
    answer = anonymous.get("/api/v1/projects/mine/")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Token"
    assert answer.json()["error"] == "Authentication credentials were not provided."


@pytest.mark.parametrize("header", ["Token", "Token a b", "Token wrong", "Token \xff\xfe", "Token " + "0" * 64])
def test_a_token_that_is_none_is_refused(anonymous, project, header):
    assert anonymous.get("/api/v1/projects/", HTTP_AUTHORIZATION=header).status_code == 401


def test_a_token_opens_what_its_person_may_see(ann, project):
    make.project(slug="other")
    answer = client_with_token(ann).get("/api/v1/projects/")
    assert [one["slug"] for one in answer.json()["results"]] == ["mine"]


def test_a_reading_token_writes_nothing(ann, project):
    client = client_with_token(ann, scope=ApiToken.Scope.READ)
    assert client.get("/api/v1/projects/mine/").status_code == 200
    for path in ("projects/", "tokens/", "projects/mine/next/", "projects/mine/labels/"):
        assert client.post(f"/api/v1/{path}", {}, format="json").status_code == 403
    assert client.delete(f"{TOKENS}abc/").status_code == 403


def test_a_token_for_one_project_knows_no_other(ann, project):
    make.member(make.project(slug="other"), ann, Role.OWNER)
    client = client_with_token(ann, project=project)
    assert [one["slug"] for one in client.get("/api/v1/projects/").json()["results"]] == ["mine"]
    assert client.get("/api/v1/projects/mine/").status_code == 200
    for path in ("", "trajectories/", "labels/", "runs/", "members/"):
        refused, absent = client.get(f"/api/v1/projects/other/{path}"), client.get(f"/api/v1/projects/absent/{path}")
        assert (refused.status_code, refused.json()) == (404, absent.json())
    assert client.patch("/api/v1/projects/other/", {"title": "Taken"}, format="json").status_code == 404
    assert client.post("/api/v1/projects/", {"slug": "third"}, format="json").status_code == 403
    assert client.post(TOKENS, {"name": "wider"}, format="json").status_code == 403


def test_a_token_for_one_project_lists_no_token_and_no_scheme_of_another(ann, project):
    ApiToken.objects.create(user=ann, name="everything")
    other = make.project(ann, slug="other")
    client = client_with_token(ann, project=project)
    assert [one["name"] for one in client.get(TOKENS).json()] == ["test"]
    other.scheme = SchemeVersion.objects.create(name="other", version="1", document={}, sha256="f" * 64)
    other.save()
    assert len(client.get("/api/v1/schemes/").json()["results"]) == 1
    assert len(client_with_token(ann).get("/api/v1/schemes/").json()["results"]) == 2


def test_a_token_dies_with_its_date_its_revocation_and_its_persons_account(ann, project):
    client = client_with_token(ann, expiry=timedelta(days=1))
    assert client.get("/api/v1/projects/").status_code == 200
    ApiToken.objects.update(expiry=timezone.now())
    assert client.get("/api/v1/projects/").status_code == 401
    ApiToken.objects.update(expiry=None)
    ann.is_active = False
    ann.save()
    assert client.get("/api/v1/projects/").status_code == 401
    ann.is_active = True
    ann.save()
    ApiToken.objects.all().delete()
    assert client.get("/api/v1/projects/").status_code == 401


def test_a_member_who_leaves_takes_their_tokens_rights_along(ann, project):
    client = client_with_token(ann, project=project)
    project.memberships.all().delete()
    assert client.get("/api/v1/projects/mine/").status_code == 404


def test_a_token_is_made_shown_once_and_revoked(ann, project):
    client = client_of(ann)
    made = client.post(TOKENS, {"name": "cron", "scope": "read", "project": "mine", "days": 7}, format="json")
    assert made.status_code == 201
    with_it = APIClient()
    with_it.credentials(HTTP_AUTHORIZATION=f"Token {made.json()['token']}")
    assert with_it.get("/api/v1/projects/mine/").status_code == 200
    assert with_it.post("/api/v1/projects/mine/next/").status_code == 403
    (listed,) = client.get(TOKENS).json()
    assert (listed["name"], listed["scope"], listed["project"]) == ("cron", "read", "mine")
    assert "token" not in listed
    assert client.delete(f"{TOKENS}{listed['id']}/").status_code == 204
    assert with_it.get("/api/v1/projects/mine/").status_code == 401


def test_a_token_for_a_project_one_is_not_in_cannot_be_made(ann, project):
    make.project(slug="other")
    answer = client_of(ann).post(TOKENS, {"name": "x", "project": "other"}, format="json")
    assert (answer.status_code, answer.json()["field"]) == (400, "project")


def test_another_persons_token_cannot_be_revoked(ann, project):
    client_with_token(make.user())
    other = ApiToken.objects.get()
    assert client_of(ann).delete(f"{TOKENS}{other.token_key}/").status_code == 404
    assert ApiToken.objects.exists()


def test_a_session_needs_the_csrf_token_to_write(ann):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(ann)
    answer = client.post("/api/v1/projects/", {"slug": "new"}, format="json")
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["error"]


def test_a_token_costs_one_query(ann, project, django_assert_num_queries):
    client = client_with_token(ann)
    for _ in range(5):
        ApiToken.objects.create(user=ann, name="more")
    with django_assert_num_queries(2):
        assert client.get("/api/v1/projects/").status_code == 200
