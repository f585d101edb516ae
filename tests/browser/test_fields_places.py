"""Answers of the trajectory that are given at a step: the first error, and the one step to write in its place."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watch
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WRITING = """
name: writing
version: "1"
title: Writing
main: instead
fields:
  - {name: instead, title: Instead, kind: intervention, target: trajectory, key: v, required: true}
"""


def test_the_key_at_a_step_makes_it_the_first_error_and_takes_it_back(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of("first-error").press("j", "d")
    assert desk.saved().stored("first_error") == {None: 2}
    here = desk.card(2).get_by_role("button", name="First error")
    expect(here).to_have_attribute("aria-pressed", "true")
    cell = desk.page.locator("[data-cell='2']")
    expect(cell).to_have_attribute("data-tone", "wrong")
    expect(cell).to_have_attribute("aria-label", "Step 2: First error")
    expect(desk.page.locator("[data-says]")).to_contain_text("First error: step 2")
    desk.press("d")
    assert desk.saved().stored("first_error") == {}
    expect(cell).to_have_attribute("data-tone", "none")
    desk.press("D")
    assert desk.saved().stored("first_error") == {None: "none"}
    expect(desk.page.get_by_role("button", name="None")).to_have_attribute("aria-pressed", "true")
    desk.press("u", "u")
    assert desk.saved().stored("first_error") == {None: 2}
    desk.page.reload()
    expect(desk.ready().card(2).get_by_role("button", name="First error")).to_have_attribute("aria-pressed", "true")


def test_pressing_another_step_moves_the_first_error_and_its_name_leads_there(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of("first-error")
    for step in (1, 3):
        desk.card(step).get_by_role("button", name="First error").click()
    expect(desk.card(1).get_by_role("button", name="First error")).to_have_attribute("aria-pressed", "false")
    assert desk.saved().stored("first_error") == {None: 3}
    desk.press("g", "g")
    desk.in_focus(1)
    desk.page.get_by_role("link", name="Step 3").first.click()
    desk.in_focus(3)


def test_the_list_of_keys_has_the_one_for_none(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of("first-error").press("?")
    expect(desk.page.get_by_role("dialog").get_by_text("First error: none")).to_be_visible()


def test_two_answers_to_where_the_first_error_is_are_named_as_the_page_names_steps(
    desk_of: Callable[..., Desk], elsewhere_of: Callable[[Desk], Desk], watch: Watch
) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED|status of 409")
    desk = desk_of("first-error")
    desk.page.context.set_offline(True)
    desk.press("j", "d")
    elsewhere_of(desk).press("D").saved()
    desk.page.context.set_offline(False)
    dialog = desk.page.get_by_role("dialog")
    for text in ("First error", "step 2", "none"):
        expect(dialog).to_contain_text(text)
    dialog.get_by_role("button", name="Keep what is here").click()
    assert desk.saved().stored("first_error") == {None: 2}


def test_a_step_is_written_in_place_of_one_beginning_with_what_it_said(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(WRITING, messages=["I guess.", "It is **seven**, I think."]).press("j", "v")
    box = desk.card(2).get_by_role("textbox", name="Instead of step 2")
    expect(box).to_be_focused()
    expect(box).to_have_value("It is **seven**, I think.")
    expect(desk.card(2).locator("[data-difference]")).to_have_text("As it was: nothing is stored.")
    desk.press("Escape")
    assert desk.saved().stored("instead") == {}
    desk.press("v")
    box.fill("It is **eight**, I think.")
    expect(desk.card(2).locator("del")).to_have_text("seven")
    expect(desk.card(2).locator("ins")).to_have_text("eight")
    desk.press("Escape")
    assert desk.saved().stored("instead") == {None: {"step": 2, "text": "It is **eight**, I think."}}
    panel = desk.page.get_by_role("region", name="The whole trajectory")
    expect(panel.get_by_role("link", name="Step 2")).to_be_visible()
    expect(panel).to_contain_text("It is **eight**, I think.")
    desk.page.reload()
    expect(desk.ready().card(2).get_by_role("textbox", name="Instead of step 2")).to_have_value(
        "It is **eight**, I think."
    )


def test_there_is_one_intervention_and_it_is_edited_moved_and_removed(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(WRITING, messages=["One.", "Two."])
    desk.card(1).get_by_role("button", name="Instead").click()
    desk.page.keyboard.type("More. ")
    desk.press("Escape")
    panel = desk.page.get_by_role("region", name="The whole trajectory")
    desk.press("j", "v")
    desk.page.keyboard.type("Other. ")
    desk.press("Escape")
    stored = desk.saved().stored("instead")[None]
    assert stored["step"] == 2 and "Other." in stored["text"]
    expect(desk.card(1).get_by_role("textbox")).to_be_hidden()
    panel.get_by_role("button", name="Edit").click()
    expect(desk.card(2).get_by_role("textbox", name="Instead of step 2")).to_be_focused()
    desk.press("Escape")
    panel.get_by_role("button", name="Remove").click()
    assert desk.saved().stored("instead") == {}
    desk.press("u", "u")
    assert desk.saved().stored("instead")[None]["step"] == 1
