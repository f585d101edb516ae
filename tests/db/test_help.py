"""The help page lists the keys of the label page as the person who reads it has them."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from annotations import schemes
from annotations.keys import PAGE, Action
from annotations.models import User
from annotations.schemes import keys as scheme_keys
from annotations.services import preferences, projects
from annotations.templatetags.keys import presses
from tests import make

pytestmark = pytest.mark.django_db

ACTIONS = [*PAGE, *scheme_keys.actions(schemes.shipped()["agent-process"])]


def listed(person: User) -> dict[str, list[str]]:
    """Title of an action → what the page says to press for it, one after the other."""
    client = Client()
    client.force_login(person)
    text = client.get(reverse("help")).content.decode()
    rows = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", text, re.S)
    return {title: re.findall(r"<kbd>(.*?)</kbd>", pressed) for pressed, title in rows}


def shown(action: Action) -> list[str]:
    return [escape(one) for key in action.keys for one in presses(key)]


def test_each_action_is_there_with_its_keys():
    found = listed(make.user())
    for action in ACTIONS:
        assert found[escape(action.title)] == shown(action), action.name


def test_they_stand_in_the_groups_of_the_list_behind_the_question_mark():
    (sheet,) = preferences.sheets(make.user())
    assert list(sheet.groups) == ["Move", "Label", "Read", "Item"]
    assert sum(map(len, sheet.groups.values())) == len(ACTIONS)


def test_a_key_of_ones_own_shows_instead_of_the_usual_one():
    person = make.user()
    preferences.change(person, own={"next": ["d"], "skip": []}, advance=False)
    found = listed(person)
    assert found["next step"] == ["d"]
    assert found["skip, with a reason"] == []


def test_who_works_under_two_schemes_finds_the_keys_of_each_under_its_name():
    person = make.user()
    usual = schemes.shipped()["agent-process"]
    fields = [field.model_copy(update={"key": "v"}) if field.name == "note" else field for field in usual.fields]
    other = usual.model_copy(update={"name": "other", "title": "Another scheme", "fields": tuple(fields)})
    make.project(person)
    make.project(person, scheme=projects.freeze(other))
    client = Client()
    client.force_login(person)
    text = client.get(reverse("help")).content.decode()
    one, two = (text.index(f"<h3>{escape(scheme.title)}</h3>") for scheme in (usual, other))
    note = re.compile(r"<dt>\s*<kbd>(\w)</kbd>\s*</dt>\s*<dd>Note: write</dd>")
    assert note.findall(text[one:two]) == ["n"]
    assert note.findall(text[two:]) == ["v"]


def test_it_leads_to_where_keys_are_changed():
    client = Client()
    client.force_login(make.user())
    assert f'href="{reverse("preferences")}"' in client.get(reverse("help")).content.decode()


@pytest.mark.parametrize(
    ("key", "pressed"),
    [
        ("j", ["j"]),
        ("g g", ["g", "g"]),
        ("+", ["+"]),
        ("-", ["−"]),
        ("Mod+z", ["Ctrl+Z"]),
        ("Mod+Shift+Enter", ["Ctrl+Shift+Enter"]),
        ("Shift+1", ["Shift+1"]),
        ("Shift+-", ["Shift+−"]),
        ("Mod++", ["Ctrl++"]),
        ("ArrowDown", ["↓"]),
        (" ", ["Space"]),
    ],
)
def test_a_key_is_written_as_people_read_it(key, pressed):
    assert presses(key) == pressed
