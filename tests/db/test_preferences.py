"""A person's own keys: chosen on a page, checked when saved, theirs on every device."""

from __future__ import annotations

import pytest
from django.test import Client

from annotations import schemes
from annotations.models import User
from annotations.services import preferences
from annotations.services.preferences import Refused
from tests import make

pytestmark = pytest.mark.django_db

TERNARY = schemes.shipped()["agent-process"]


@pytest.fixture
def person() -> User:
    return make.user()


def keys_of(person: User) -> dict[str, tuple[str, ...]]:
    return {action.name: action.keys for action in preferences.keys_for(person, TERNARY).actions}


def test_nobody_has_to_choose_anything(person):
    assert keys_of(person)["next"] == ("j", "ArrowDown")
    assert not preferences.of(person).advance


def test_own_keys_are_kept_and_what_is_the_usual_is_not_stored(person):
    preferences.change(person, own={"next": ["n"], "agent-process/field:note": ["N"], "skip": ["s"]}, advance=True)
    person.refresh_from_db()
    assert person.preferences == {"keys": {"next": ["n"], "agent-process/field:note": ["N"]}, "advance": True}
    assert keys_of(person)["next"] == ("n",)
    assert keys_of(person)["agent-process/field:note"] == ("N",)


def test_two_chosen_actions_cannot_share_a_key(person):
    with pytest.raises(Refused) as refused:
        preferences.change(person, own={"next": ["n"], "skip": ["n"]}, advance=False)
    assert "n is also" in str(refused.value)
    person.refresh_from_db()
    assert person.preferences == {}


def test_a_key_that_leaves_another_action_without_one_is_refused(person):
    with pytest.raises(Refused, match="“clear the step's labels” would be left without a key"):
        preferences.change(person, own={"next": ["x"]}, advance=False)


def test_what_is_no_key_is_named(person):
    with pytest.raises(Refused, match="Ctrl.z is no key"):
        preferences.change(person, own={"undo": ["Ctrl+z"]}, advance=False)


def test_the_page_saves_says_what_is_wrong_and_keeps_what_was_typed(person, client: Client):
    client.force_login(person)
    answer = client.post("/preferences/", {"key:next": "x", "key:first": "g_h", "advance": "1"})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "would be left without a key" in text
    assert 'value="g_h"' in text
    answer = client.post(
        "/preferences/", {"key:next": "n ArrowDown", "key:agent-process/field:note": "N", "advance": "1"}
    )
    assert answer.status_code == 302
    person.refresh_from_db()
    assert keys_of(person)["next"] == ("n", "ArrowDown")
    assert keys_of(person)["first"] == ("g g",)
    assert 'value="n ArrowDown"' in client.get("/preferences/").content.decode()


def test_the_label_page_gets_the_persons_keys(person, client: Client):
    project = make.project(person)
    mine = make.lease(make.trajectory(project), person)
    preferences.change(person, own={"next": ["n"], "agent-process/field:note": ["N"]}, advance=True)
    client.force_login(person)
    page = client.get(f"/p/{project.slug}/label/{mine.pk}/").content.decode()
    assert '"name": "next", "group": "Move", "title": "next step", "keys": ["n"]' in page
    assert '"advance": true' in page
