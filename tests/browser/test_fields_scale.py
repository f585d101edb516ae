"""Numbers: as buttons, as a slider, one for each dimension, and as progress."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watch
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HEAD = """
name: numbers
version: "1"
title: Numbers
main: grade
fields:
"""
TEN = (
    HEAD
    + """
  - name: grade
    title: Grade
    kind: scale
    min: 0
    max: 10
    step: 1
    required: true
    key: v
    default: 5
    marks: [{at: 0, title: harmful}, {at: 10, title: right}]
"""
)
FINE = (
    HEAD
    + """
  - {name: grade, title: Grade, kind: scale, min: 0, max: 1, step: 0.01, key: v, required: true}
"""
)
VECTOR = (
    HEAD
    + """
  - name: grade
    title: Grade
    kind: scale
    min: 1
    max: 5
    step: 1
    key: v
    required: true
    dimensions: [{name: sure, title: Sure}, {name: apt, title: Apt}, {name: clear, title: Clear}]
"""
)
PROGRESS = (
    HEAD
    + """
  - {name: grade, title: Progress, kind: progress, step: 5, key: v, required: true}
"""
)


def test_digits_grade_a_step_and_ten_is_two_of_them(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(TEN).press("v", "7", "j", "v", "1", "0")
    assert desk.saved().stored("grade") == {1: 7, 2: 10}
    expect(desk.card(2).get_by_role("radio", checked=True)).to_have_attribute("aria-label", "10, right")
    desk.press("u", "u")
    expect(desk.card(2).get_by_role("radio", checked=True)).to_have_count(0)
    desk.saved().page.reload()
    expect(desk.ready().card(1).get_by_role("radio", checked=True)).to_have_text("7")
    expect(desk.page.locator("[data-cell='1']")).to_have_attribute("aria-label", "Step 1: 7")


def test_a_number_is_pressed_and_cleared(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(TEN)
    desk.card(1).get_by_role("radio", name="0, harmful").click()
    assert desk.saved().stored("grade") == {1: 0}
    desk.card(1).get_by_role("button", name="Clear Grade of step 1").click()
    assert desk.saved().stored("grade") == {}


def test_arrows_move_among_the_numbers_and_space_chooses(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(TEN).press("v", "ArrowRight", "ArrowRight", "Space")  # from the number that is proposed
    assert desk.saved().stored("grade") == {1: 7}
    desk.in_focus(1)
    desk.press("Backspace")
    assert desk.saved().stored("grade") == {}


def test_a_proposed_number_is_none_until_it_is_taken(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(TEN)
    expect(desk.card(1).locator(".number.proposed")).to_have_text("5")
    assert desk.stored("grade") == {}
    desk.press("Enter")
    assert desk.saved().stored("grade") == {1: 5}


def test_a_slider_that_nobody_touched_says_nothing(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(FINE)
    slider = desk.card(1).get_by_role("slider")
    expect(slider).to_have_attribute("aria-valuetext", "no value yet")
    expect(desk.card(1).get_by_role("spinbutton")).to_have_value("")
    desk.press("v", "Escape", "Control+Enter")
    expect(desk.page.locator("[data-says]")).to_contain_text("Still missing: Step 1")
    assert desk.stored("grade") == {}


def test_a_slider_is_stored_when_it_rests_and_goes_with_its_number(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(FINE).press("v", "6", "ArrowRight", "ArrowRight", "ArrowRight")
    desk.in_focus(1)
    expect(desk.card(1).get_by_role("spinbutton")).to_have_value("0.63")
    desk.press("j")
    assert desk.saved().stored("grade") == {1: 0.63}
    desk.press("u", "u", "j")
    assert desk.saved().stored("grade") == {}


def test_a_slider_is_dragged_and_stored_once_when_it_is_let_go(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(FINE)
    box = desk.card(1).get_by_role("slider").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    desk.page.mouse.move(box["x"] + box["width"] / 4, middle)
    desk.page.mouse.down()
    desk.page.mouse.move(box["x"] + box["width"] / 2, middle, steps=5)
    assert desk.stored("grade") == {}
    desk.page.mouse.up()
    assert desk.saved().stored("grade")[1] == pytest.approx(0.5, abs=0.03)
    assert desk.annotation.labels.count() == 1


def test_a_number_that_is_not_on_the_scale_is_not_stored_and_said(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(FINE)
    exact = desk.card(1).get_by_role("spinbutton")
    exact.fill("0.125")
    expect(exact).to_have_attribute("aria-invalid", "true")
    exact.blur()
    expect(desk.page.locator("[data-says]")).to_have_text(
        "Not stored: a number from 0 to 1 in steps of 0.01 is wanted."
    )
    exact.fill("0.42")
    exact.blur()
    assert desk.saved().stored("grade") == {1: 0.42}


def test_dimensions_are_rated_one_after_the_other_and_what_is_missing_is_gone_to(
    desk_of: Callable[..., Desk],
) -> None:
    desk = desk_of(VECTOR, steps=1).press("v", "4", "2")
    assert desk.saved().stored("grade") == {1: {"sure": 4, "apt": 2}}
    expect(desk.page.locator("[data-count]")).to_have_text("0 of 1")
    desk.press("Escape", "Control+Enter")
    expect(desk.page.locator("[data-says]")).to_contain_text("Still missing: Step 1")
    desk.press("5")  # the focus is on the dimension that is missing
    assert desk.saved().stored("grade") == {1: {"sure": 4, "apt": 2, "clear": 5}}
    expect(desk.page.locator("[data-count]")).to_have_text("1 of 1")
    desk.press("Backspace")
    assert desk.saved().stored("grade") == {1: {"sure": 4, "apt": 2}}
    desk.page.reload()
    expect(desk.ready().card(1).get_by_role("radio", checked=True)).to_have_text(["4", "2"])


def test_progress_counts_in_tens_and_shows_where_the_step_before_left_it(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(PROGRESS).press("v", "4")
    expect(desk.card(2).get_by_text("Before: 40 % after step 1.")).to_be_visible()
    desk.press("j", "v", "ArrowRight", "ArrowRight", "j", "v", "3")
    assert desk.saved().stored("grade") == {1: 40, 2: 50, 3: 30}
    expect(desk.card(3).locator("[data-hint]")).to_have_text("Less than before: it was 50 % after step 2.")
    desk.page.reload()
    expect(desk.ready().card(2).get_by_role("slider")).to_have_value("50")


def test_cut_off_numbers_wait_and_a_conflict_shows_them_in_words(
    desk_of: Callable[..., Desk], elsewhere_of: Callable[[Desk], Desk], watch: Watch
) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED|status of 409")
    desk = desk_of(VECTOR)
    desk.page.context.set_offline(True)
    desk.press("v", "4", "2", "1")
    desk.trouble("3 changes are kept")
    elsewhere_of(desk).press("v", "5").saved()
    desk.page.context.set_offline(False)
    dialog = desk.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Sure 5")
    dialog.get_by_role("button", name="Keep what is here").click()
    assert desk.saved().stored("grade") == {1: {"sure": 4, "apt": 2, "clear": 1}}
