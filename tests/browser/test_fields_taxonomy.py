"""Several answers out of a tree, as buttons and as a list that opens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Watch
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SMALL = """
name: small
version: "1"
title: Small
main: flaw
fields:
  - name: flaw
    title: Flaw
    kind: taxonomy
    required: true
    default: [sound]
    key: v
    most: 2
    choices:
      - {value: sound, title: Sound, keys: ["0"], alone: true, tone: right}
      - value: reading
        title: Reading
        choices:
          - {value: misread, title: Misread, keys: ["1"], tone: wrong}
          - {value: skipped, title: Skipped, keys: ["2"], tone: wrong}
      - value: doing
        title: Doing
        choices:
          - {value: slow, title: Slow, keys: ["3"]}
"""
TWELVE = "\n".join(f"      - {{value: v{place}, title: Failure {place}}}" for place in range(1, 12))
LARGE = f"""
name: large
version: "1"
title: Large
main: failures
fields:
  - name: failures
    title: Failures
    kind: taxonomy
    key: v
    required: true
    choices:
{TWELVE}
      - {{value: none, title: Keine Störung, alone: true, tone: right, keys: ["0"]}}
"""


def chosen(desk: Desk, step: int) -> Locator:
    return desk.card(step).locator("[data-choice][aria-pressed=true] .choice-title")


def test_keys_of_the_answers_add_and_take_back_in_the_order_of_the_tree(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(SMALL).press("2", "1")
    expect(chosen(desk, 1)).to_have_text(["Misread", "Skipped"])
    assert desk.saved().stored("flaw") == {1: ["misread", "skipped"]}
    desk.press("2", "j", "1", "1")
    assert desk.saved().stored("flaw") == {1: ["misread"]}
    desk.press("u", "u", "u")
    expect(chosen(desk, 1)).to_have_text(["Misread", "Skipped"])
    desk.press("Control+Shift+z")
    expect(chosen(desk, 1)).to_have_text(["Misread"])
    desk.saved().page.reload()
    expect(chosen(desk.ready(), 1)).to_have_text(["Misread"])


def test_what_goes_with_nothing_else_clears_the_rest_and_is_cleared_by_it(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(SMALL).press("1", "2", "0")
    assert desk.saved().stored("flaw") == {1: ["sound"]}
    desk.card(1).get_by_role("button", name="Slow").click()
    assert desk.saved().stored("flaw") == {1: ["slow"]}


def test_no_more_are_taken_than_the_scheme_takes(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(SMALL).press("1", "2", "3")
    expect(desk.page.locator("[data-says].shown")).to_have_text("Flaw takes up to 2. Take one back first.")
    assert desk.saved().stored("flaw") == {1: ["misread", "skipped"]}


def test_what_is_proposed_counts_only_once_it_is_taken(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(SMALL)
    expect(desk.card(1).locator(".proposed .choice-title")).to_have_text("Sound")
    assert desk.stored("flaw") == {}
    desk.press("Enter", "j", "1", "Enter")
    desk.card(3).get_by_role("button", name="Take Sound").click()
    assert desk.saved().stored("flaw") == {1: ["sound"], 2: ["misread"], 3: ["sound"]}
    expect(desk.card(1).get_by_role("button", name="Take Sound")).to_be_hidden()


def test_the_answers_stand_under_their_headings_and_the_strip_shows_them(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(SMALL).press("1")
    group = desk.card(1).get_by_role("group", name="Reading")
    expect(group.get_by_role("button")).to_have_text(["Misread", "Skipped"])
    expect(desk.page.locator("[data-cell='1']")).to_have_attribute("data-tone", "wrong")
    expect(desk.page.locator("[data-cell='1']")).to_have_attribute("aria-label", "Step 1: Misread")
    expect(desk.page.locator("[data-count]")).to_have_text("1 of 3")


def test_a_long_list_opens_by_its_key_is_searched_and_chosen_from_without_the_mouse(
    desk_of: Callable[..., Desk],
) -> None:
    desk = desk_of(LARGE).press("v")
    picker = desk.card(1).locator("[data-picker]")
    expect(picker.get_by_role("option")).to_have_count(12)
    desk.press("2", "ArrowDown", "Enter", "ArrowDown", "Space")
    desk.page.keyboard.type("storung")  # as in the title, without its accent
    expect(picker.get_by_role("option")).to_have_count(1)
    desk.press("Escape")
    expect(picker).to_be_hidden()
    desk.in_focus(1)
    assert desk.saved().stored("failures") == {1: ["v2", "v3", "v4"]}
    desk.press("j", "v")
    desk.page.keyboard.type("stö")
    desk.press("Enter", "Escape", "j")
    assert desk.saved().stored("failures") == {1: ["v2", "v3", "v4"], 2: ["none"]}
    desk.in_focus(3)


def test_what_is_chosen_from_a_long_list_is_a_chip_that_is_taken_away_by_a_press(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(LARGE)
    desk.card(1).get_by_role("button", name="Choose Failures").click()
    for title in ("Failure 11", "Failure 2"):
        desk.card(1).get_by_role("option", name=title).click()
    expect(desk.card(1).get_by_role("option", selected=True)).to_have_count(2)
    desk.card(1).get_by_role("button", name="Done").click()
    expect(desk.card(1).locator(".chip")).to_have_text(["Failure 2", "Failure 11"])
    desk.card(1).get_by_role("button", name="Remove Failure 2").click()
    assert desk.saved().stored("failures") == {1: ["v11"]}
    desk.press("0")
    assert desk.saved().stored("failures") == {1: ["none"]}


def test_cut_off_the_answers_wait_and_arrive_whole(desk_of: Callable[..., Desk], watch: Watch) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED")
    desk = desk_of(SMALL)
    desk.page.context.set_offline(True)
    desk.press("2", "1")
    expect(chosen(desk, 1)).to_have_text(["Misread", "Skipped"])
    desk.trouble("2 changes are kept")
    desk.page.context.set_offline(False)
    assert desk.saved().stored("flaw") == {1: ["misread", "skipped"]}


def test_two_answers_for_one_place_are_shown_in_words(
    desk_of: Callable[..., Desk], elsewhere_of: Callable[[Desk], Desk], watch: Watch
) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED|status of 409")
    desk = desk_of(SMALL)
    desk.page.context.set_offline(True)
    desk.press("1", "2")
    elsewhere_of(desk).press("3").saved()
    desk.page.context.set_offline(False)
    dialog = desk.page.get_by_role("dialog")
    for text in ("Step 1", "Misread", "Slow"):
        expect(dialog).to_contain_text(text)
    dialog.get_by_role("button", name="Keep what is here").click()
    assert desk.saved().stored("flaw") == {1: ["misread", "skipped"]}
