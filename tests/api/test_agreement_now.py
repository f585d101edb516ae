"""Agreement as it stands now, through the API."""

from __future__ import annotations

import pytest
from django.urls import reverse

from annotations.models import Role
from annotations.services import standing
from models_service import counting
from tests import make
from tests.api.conftest import client_of

pytestmark = pytest.mark.django_db


def test_it_is_read_with_what_is_still_being_counted():
    lead = make.user("lead")
    project = make.project(owner=make.user())
    make.member(project, lead, Role.MANAGER)
    address = reverse("api-reports-now", args=[project.slug])
    assert client_of(lead).get(address).json() == {"at": None, "waiting": 0, "figures": {}}

    trajectory = make.trajectory(project, steps=2)
    for values in ([1, 1], [1, -1]):
        make.rating(make.rater(project), trajectory, values)
    standing.touch(project, [trajectory.pk])
    assert client_of(lead).get(address).json()["waiting"] == 1

    counting.count(project.pk)
    said = client_of(lead).get(address).json()
    assert (said["waiting"], said["figures"]["main"]["all"]["percent"]) == (0, 0.5)
    assert [pair["n"] for pair in said["figures"]["main"]["pairs"]] == [2]
