"""The table of keys: nothing means two things, and a person's own keys count first."""

from __future__ import annotations

import pytest

from annotations import keys, schemes
from annotations.keys import PAGE, Action, clash, collisions, is_key, resolve
from annotations.schemes import keys as scheme_keys

TERNARY = schemes.shipped()["agent-process"]


def named(actions: list[Action]) -> dict[str, tuple[str, ...]]:
    return {action.name: action.keys for action in actions}


@pytest.mark.parametrize("scheme", schemes.shipped().values(), ids=lambda scheme: scheme.name)
def test_no_key_of_the_page_or_of_a_shipped_scheme_means_two_things(scheme):
    assert collisions([*PAGE, *scheme_keys.actions(scheme)]) == []


@pytest.mark.parametrize("action", [*PAGE, *scheme_keys.actions(TERNARY)], ids=lambda action: action.name)
def test_every_key_of_the_table_is_a_key(action):
    assert all(is_key(key) for key in action.keys)


@pytest.mark.parametrize("text", ["", " ", "g  g", "Ctrl+z", "Mod+", "\x1b", "jk", "g g g"])
def test_what_is_no_key_is_told_apart(text):
    assert not is_key(text)


def test_the_names_of_actions_are_unique():
    names = [action.name for action in (*PAGE, *scheme_keys.actions(TERNARY))]
    assert len(set(names)) == len(names)


def test_a_key_that_begins_a_sequence_clashes_with_it():
    assert clash("g", "g g")
    assert clash("g g", "g")
    assert not clash("g", "G")
    assert not clash("Mod+z", "z")


def test_ones_own_keys_count_first_and_the_usual_ones_that_are_left_stay():
    found = resolve(PAGE, {"next": ["k"]})
    assert named(found.actions)["next"] == ("k",)
    assert named(found.actions)["previous"] == ("ArrowUp",)
    assert found.without == []


def test_an_action_whose_every_key_was_taken_is_named():
    assert resolve(PAGE, {"next": ["x"]}).without == ["clear"]


def test_an_action_can_be_left_without_a_key_on_purpose():
    found = resolve(PAGE, {"skip": []})
    assert named(found.actions)["skip"] == ()
    assert found.without == []


def test_the_answers_of_a_scheme_have_their_own_keys_and_settle_with_shift():
    found = named(scheme_keys.actions(TERNARY))
    assert found["agent-process/answer:label:1"] == ("1", "+", "=")
    assert found["agent-process/settle:label:-1"] == ("Shift+-",)
    assert found["agent-process/field:final"] == ("f",)


def test_the_page_takes_no_key_the_browser_needs_for_zooming():
    assert not {"Mod+-", "Mod+0", "Mod+=", "Mod++"} & {key for action in PAGE for key in action.keys}
    assert not keys.PAGE_KEYS & {"0", "1", "-", "+", "="}
