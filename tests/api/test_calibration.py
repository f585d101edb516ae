"""Calibrating through the API: begun by who may, refused with the reason, its report read."""

from __future__ import annotations

import pytest
from django.urls import reverse

from annotations import jobs
from annotations.models import Calibration, Role, Run
from tests import make
from tests.api.conftest import client_of
from tests.db.test_calibration import project as scored

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    return make.user("lead")


@pytest.fixture
def client(lead):
    return client_of(lead)


@pytest.fixture
def project(lead):
    made = scored()
    make.member(made, lead, Role.MANAGER)
    return made


def start(client, project, **asked):
    return client.post(reverse("api-runs-start-calibrate", args=[project.slug]), asked, format="json")


def test_it_is_begun_done_and_read(client, project, lead):
    answer = start(client, project, scorer="embedded", method="platt")
    assert (answer.status_code, answer.json()["kind"]) == (201, "calibrate")
    jobs.run_here(Run.objects.get(pk=answer.json()["id"]))
    [row] = client.get(reverse("api-calibrations-list", args=[project.slug])).json()["results"]
    assert (row["scorer"], row["method"], row["run"]) == ("embedded", "platt", answer.json()["id"])
    assert "report" not in row
    one = client.get(reverse("api-calibrations-detail", args=[project.slug, row["id"]])).json()
    assert one["report"]["tasks"] == 6
    assert one["parameters"]["scale"] > 0
    assert Calibration.objects.get().created_by == lead


def test_a_scorer_that_has_scored_nothing_is_refused_with_what_to_do(client, project):
    answer = start(client, project, scorer="nobody")
    assert answer.status_code == 400
    assert "has no run here that is done: score the project first" in answer.content.decode()
    assert not Run.objects.filter(kind=Run.Kind.CALIBRATE).exists()


def test_a_method_there_is_not_is_refused_with_those_there_are(client, project):
    answer = start(client, project, scorer="embedded", method="magic")
    assert answer.status_code == 400
    assert "isotonic" in answer.content.decode()
