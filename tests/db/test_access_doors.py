"""Every address, asked by everybody."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from annotations.models import Role
from tests.doors import ACCOUNT, DOORS, Door, World, addresses, world

pytestmark = pytest.mark.django_db

PEOPLE = ["anonymous", "stranger", *(role.value for role in Role)]
SHUT = {302, 401, 403, 404, 405}


@pytest.fixture
def walked(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    return world()


def arguments_of(route: str) -> list[str]:
    return [part.split(":")[1].split(">")[0] for part in route.split("<")[1:]]


def ask(walked: World, who: str, name: str, method: str, body: dict[str, Any] | None, route: str) -> HttpResponse:
    """The answer; whatever it did is undone."""
    client = Client(raise_request_exception=True)
    if who != "anonymous":
        client.force_login(walked.people[who])
    url = reverse(name, kwargs=walked.arguments(name, arguments_of(route)))
    as_json = name.startswith(("api-", "label_")) and name != "label_next"
    body = walked.filled(body)
    form = {"csrfmiddlewaretoken": "as a browser sends it", **body}
    sent = {"data": body, "content_type": "application/json"} if as_json else {"data": form}
    with transaction.atomic():
        answer = getattr(client, method)(url, **({} if method == "get" else sent))
        if answer.streaming:
            b"".join(answer.streaming_content)
        transaction.set_rollback(True)
    return answer


def declared(door: Door, who: str) -> int:
    if door.open:
        return door.ok
    if who == "anonymous":
        return 401 if door.json else 302
    if door.person:
        return door.ok
    if who == "stranger":
        return 404
    if who == Role.VIEWER and door.viewer:
        return door.viewer
    return door.ok if Role(who) in door.who else door.no


def named(route: str, pattern: Any) -> str:
    assert pattern.name, f"{route} has no name"
    return str(pattern.name)


def test_every_address_is_in_the_table_and_the_table_names_no_other():
    names = {named(route, pattern) for route, pattern in addresses()}
    assert names - ACCOUNT == set(DOORS)


@pytest.mark.parametrize("who", PEOPLE)
def test_every_door_answers_as_declared(walked, who):
    wrong = []
    for route, pattern in addresses():
        for door in DOORS.get(named(route, pattern), []):
            answer = ask(walked, who, pattern.name, door.method, door.body, route)
            if answer.status_code != declared(door, who):
                wrong.append(f"{door.method} {route}: {answer.status_code}, not {declared(door, who)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("who", ["owner", "stranger", "anonymous"])
def test_no_door_takes_a_method_that_is_not_declared(walked, who):
    wrong = []
    for route, pattern in addresses():
        doors = DOORS.get(named(route, pattern), [])
        for method in {"get", "post", "put", "patch", "delete"} - {door.method for door in doors}:
            if not doors or doors[0].open:
                continue
            answer = ask(walked, who, pattern.name, method, {}, route)
            if answer.status_code not in SHUT:
                wrong.append(f"{method} {route}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)
