"""Checklists: of the scheme, of the task, in two levels, and none yet."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watch
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OWN = """
name: own
version: "1"
title: Own
main: rubric
fields:
  - name: rubric
    title: Rubric
    kind: rubric
    target: trajectory
    required: true
    key: c
    na: true
    score: weighted
    items:
      - {name: dated, title: 'Is it dated?', weight: 3}
      - {name: short, title: 'Is it short?'}
      - {name: rude, title: 'Is it rude?', weight: -2, help: A fault takes points.}
  - {name: note, title: Note, kind: text, target: trajectory, key: n}
"""
TASK = {"checklist": ["Are there two lines?", "Is there a date?", "Is there a place?"]}
LEVELS = {
    "rubric": [
        {"name": "contacts", "title": "Contacts", "weight": 2, "checks": [
            {"name": "three", "title": "Three of them?"}, {"name": "earth", "title": "Earth apart?"}]},
        {"name": "labels", "title": "Labels", "checks": [{"name": "live", "title": "Live labelled?"}]},
    ]
}  # fmt: skip


def test_one_answers_item_after_item_without_the_mouse(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(OWN).press("c")
    expect(desk.page.get_by_role("group", name="Is it dated?")).to_be_focused()
    desk.press("y", "n")
    expect(desk.page.locator("[data-answered]")).to_have_text("2 of 3 answered")
    expect(desk.page.locator("[data-points]")).to_have_text("Score 0.75")
    desk.press("a")
    expect(desk.page.locator("[data-says]")).to_have_text("Does not apply. All 3 are answered. Score 0.75")
    assert desk.saved().stored("rubric") == {None: {"dated": "yes", "short": "no", "rude": "na"}}
    desk.press("ArrowUp", "Backspace")
    assert desk.saved().stored("rubric") == {None: {"dated": "yes", "rude": "na"}}
    desk.press("Escape")
    desk.in_focus(1)
    desk.press("n")  # the note again, for the list is left
    expect(desk.page.get_by_role("textbox", name="Note")).to_be_focused()


def test_answers_are_pressed_and_pressed_away_and_undone(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(OWN)
    item = desk.page.get_by_role("group", name="Is it rude?")
    item.get_by_role("button", name="Yes").click()
    assert desk.saved().stored("rubric") == {None: {"rude": "yes"}}
    expect(item.get_by_role("button", name="Yes")).to_have_attribute("aria-pressed", "true")
    item.get_by_role("button", name="Yes").click()
    assert desk.saved().stored("rubric") == {}
    desk.press("u")
    assert desk.saved().stored("rubric") == {None: {"rude": "yes"}}
    desk.page.reload()
    expect(desk.ready().page.locator("[data-answered]")).to_have_text("1 of 3 answered")


def test_the_items_of_the_task_are_asked_and_submitting_goes_to_the_one_that_is_open(
    desk_of: Callable[..., Desk],
) -> None:
    desk = desk_of("checklist", reference=TASK).press("c", "y", "y", "Escape", "Control+Enter")
    expect(desk.page.locator("[data-says]")).to_contain_text("Still missing: Checklist")
    expect(desk.page.get_by_role("group", name="Is there a place?")).to_be_focused()
    desk.press("n")
    expect(desk.page.locator("[data-count]")).to_have_text("1 of 1")
    assert desk.saved().stored("checklist") == {None: {"q1": "yes", "q2": "yes", "q3": "no"}}


def test_checks_stand_under_their_criterion_and_a_failed_one_costs_more_than_its_share(
    desk_of: Callable[..., Desk],
) -> None:
    desk = desk_of("two-level-rubric", reference=LEVELS)
    expect(desk.page.locator(".criterion")).to_have_text(["Contacts weight 2", "Labels"])
    desk.press("c", "y", "n", "y")
    expect(desk.page.locator("[data-points]")).to_have_text("Score 0.50")  # (2 × 0.25 + 1 × 1) / 3


def test_where_nobody_approved_a_list_the_page_says_why_nothing_is_asked(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of("checklist")
    expect(desk.page.locator("[data-why-none]")).to_contain_text("Nobody has approved a list for this task yet")
    desk.press("Control+Enter")  # and nobody waits for it
    desk.page.wait_for_url(lambda url: url != desk.url)
    desk.annotation.refresh_from_db()
    assert desk.annotation.state == "submitted"
    assert not desk.annotation.labels.exists()


def test_cut_off_answers_wait_and_a_conflict_shows_them_in_words(
    desk_of: Callable[..., Desk], elsewhere_of: Callable[[Desk], Desk], watch: Watch
) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED|status of 409")
    desk = desk_of(OWN)
    desk.page.context.set_offline(True)
    desk.press("c", "y", "y")
    desk.trouble("2 changes are kept")
    elsewhere_of(desk).press("c", "n").saved()
    desk.page.context.set_offline(False)
    dialog = desk.page.get_by_role("dialog")
    for text in ("Rubric", "1 of 1 yes", "0 of 1 yes"):
        expect(dialog).to_contain_text(text)
    dialog.get_by_role("button", name="Keep what is here").click()
    assert desk.saved().stored("rubric") == {None: {"dated": "yes", "short": "yes"}}
