"""What the agent wrote, rewritten: only what is changed is stored, and never what the page made of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watch
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

REWRITE = """
name: rewrite
version: "1"
title: Rewrite
main: label
fields:
  - name: label
    title: Label
    kind: choice
    required: true
    choices: [{value: 1, title: Right, keys: ["1"]}, {value: -1, title: Wrong, keys: ["-"]}]
  - {name: better, title: Better, kind: correction, key: c, required: true, when: {field: label, values: [-1]}}
"""


def test_it_is_asked_where_its_condition_holds_and_opens_with_what_was_written(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(REWRITE, messages=["So 7 + 5 = **13**."]).press("c")
    expect(desk.page.locator("[data-says]")).to_have_text("Better is not asked here.")
    desk.press("-")
    expect(desk.page.locator("[data-says]")).to_have_text("Step 1: Wrong Now asked: Better.")
    desk.press("c")
    box = desk.card(1).get_by_role("textbox", name="Better of step 1")
    expect(box).to_have_value("So 7 + 5 = **13**.")
    box.fill("So 7 + 5 = **12**.")
    expect(desk.card(1).locator("del")).to_have_text("13")
    desk.press("Escape")
    assert desk.saved().stored("better") == {1: "So 7 + 5 = **12**."}
    desk.page.reload()
    expect(desk.ready().card(1).locator("ins")).to_have_text("12")
    desk.press("g", "g", "1")
    expect(box).to_be_hidden()
    desk.press("u")
    expect(box).to_have_value("So 7 + 5 = **12**.")


def test_what_stays_as_it_was_is_not_stored(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(REWRITE, steps=1, messages=["As it is."]).press("-", "c", "Escape")
    assert desk.saved().stored("better") == {}
    desk.press("Control+Enter")
    expect(desk.page.locator("[data-says]")).to_contain_text("Still missing: Step 1, Better")
    expect(desk.card(1).get_by_role("textbox", name="Better of step 1")).to_be_focused()


def test_a_text_that_the_page_shows_cut_or_drawn_is_rewritten_as_it_was_imported(desk_of: Callable[..., Desk]) -> None:
    long = "A\u200bline with a hidden character.\n" + "word " * 5000 + "end"
    desk = desk_of(REWRITE, messages=[long]).press("-", "c")
    box = desk.card(1).get_by_role("textbox", name="Better of step 1")
    expect(box).to_have_value(long)
    desk.press("Control+End")
    desk.page.keyboard.type("!")
    desk.press("Escape")
    assert desk.saved().stored("better") == {1: long + "!"}


def test_the_arguments_of_a_call_are_rewritten_as_they_were_imported(desk_of: Callable[..., Desk]) -> None:
    scheme = REWRITE.replace("kind: correction, key: c, required: true, when: {field: label, values: [-1]}", "kind: correction, target: tool_call, key: c")  # fmt: skip  # noqa: E501
    desk = desk_of(scheme)
    desk.press("c")
    box = desk.card(1).locator("[data-field=better] textarea")
    expect(box).to_have_value('{"at": 1}')
    box.fill('{"at": 2}')
    desk.press("Escape")
    assert desk.saved().stored("better@call-0") == {1: '{"at": 2}'}


def test_cut_off_a_correction_waits_and_arrives(desk_of: Callable[..., Desk], watch: Watch) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED")
    desk = desk_of(REWRITE, messages=["One."])
    desk.page.context.set_offline(True)
    desk.press("-", "c")
    desk.card(1).get_by_role("textbox", name="Better of step 1").fill("Two.")
    desk.press("Escape")
    desk.trouble("2 changes are kept")
    desk.page.context.set_offline(False)
    assert desk.saved().stored("better") == {1: "Two."}


def test_two_corrections_are_both_shown(
    desk_of: Callable[..., Desk], elsewhere_of: Callable[[Desk], Desk], watch: Watch
) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED|status of 409")
    desk = desk_of(REWRITE, steps=1, messages=["One."]).press("-").saved()
    desk.page.context.set_offline(True)
    other = elsewhere_of(desk)
    for one, text in ((desk, "Two."), (other, "Three.")):
        one.press("c")
        one.card(1).get_by_role("textbox", name="Better of step 1").fill(text)
        one.press("Escape")
    other.saved()
    desk.page.context.set_offline(False)
    dialog = desk.page.get_by_role("dialog")
    for text in ("Step 1, Better", "Two.", "Three."):
        expect(dialog).to_contain_text(text)
    dialog.get_by_role("button", name="Take what is elsewhere").click()
    assert desk.saved().stored("better") == {1: "Three."}
