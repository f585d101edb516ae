"""What is asked, what is not asked any more, what is sealed, and how far one is: for any scheme."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import schemes
from annotations.services import queue
from tests import make
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WAITING = """
name: waiting
version: "1"
title: Waiting
main: label
fields:
  - name: label
    title: Label
    kind: choice
    required: true
    help: Judge the step by what was known then.
    examples: [A search for the wrong film is wrong.]
    choices: [{value: 1, title: Right, keys: ["1"], help: It holds.}, {value: -1, title: Wrong, keys: ["-"]}]
  - name: kind
    title: Kind of error
    kind: choice
    required: true
    key: v
    when: {field: label, values: [-1]}
    choices: [{value: slip, title: Slip, keys: ["3"]}, {value: gap, title: Gap, keys: ["4"]}]
  - name: after
    title: Wrong after all
    kind: choice
    target: trajectory
    when: {field: label, values: [-1]}
    choices: [{value: "yes", title: "Yes"}, {value: "no", title: "No"}]
"""


def test_what_an_answer_brings_about_is_shown_and_spoken(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(WAITING)
    kind = desk.card(1).get_by_role("group", name="Kind of error of step 1")
    expect(kind).to_be_hidden()
    desk.press("-")
    expect(kind).to_be_visible()
    expect(desk.page.locator("[data-says]")).to_contain_text("Step 1: Wrong Now asked:")
    for title in ("Kind of error", "Wrong after all"):
        expect(desk.page.locator("[data-says]")).to_contain_text(title)
    desk.press("3", "1")
    expect(kind).to_be_hidden()
    assert desk.saved().stored("kind") == {1: "slip"}  # nothing that was said is lost
    desk.press("u")
    expect(kind.get_by_role("button", name="Slip")).to_have_attribute("aria-pressed", "true")


def test_what_is_not_asked_is_not_counted_nor_missing(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(WAITING).press("1", "j", "1", "j", "1")
    expect(desk.page.locator("[data-count]")).to_have_text("3 of 3")
    desk.saved().press("Control+Enter")
    desk.page.wait_for_url(lambda url: url != desk.url)


def test_where_the_main_field_waits_for_another_what_is_asked_of_each_step_is_counted(
    desk_of: Callable[..., Desk],
) -> None:
    desk = desk_of(WAITING.replace("main: label", "main: kind"))
    expect(desk.page.locator("[data-count]")).to_have_text("0 of 3")
    desk.press("1")
    expect(desk.page.locator("[data-count]")).to_have_text("1 of 3")


def test_what_a_field_means_is_behind_a_question_mark(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(WAITING)
    desk.card(1).get_by_label("About Label of step 1").click()
    for text in ("Judge the step by what was known then.", "It holds.", "A search for the wrong film is wrong."):
        expect(desk.card(1).locator(".field-help").first.get_by_text(text)).to_be_visible()


def test_a_rating_that_is_sealed_shows_why_and_takes_no_answer(
    page: Page, live_server: LiveServer, log_in: Callable[..., None]
) -> None:
    annotator = make.user()
    project = make.project(annotator, mode="progressive", scheme=make.scheme("foresight-hindsight"))
    make.trajectory(project, steps=1)
    mine = queue.lease_next(project, annotator)
    assert mine is not None
    log_in(annotator)
    desk = Desk(page, live_server.url, mine).open()
    first, then = (desk.card(1).locator(f"[data-field={name}]") for name in ("foresight", "hindsight"))
    expect(then).to_be_hidden()
    first.get_by_role("button").first.click()
    desk.saved().press("Control+Enter")
    expect(first.locator(".seal")).to_have_text("It was given before the end was known, and stays.")
    expect(first.locator("[data-choice]").first).to_be_disabled()
    expect(first.locator("[data-choice]").first).to_have_attribute("aria-pressed", "true")
    expect(then.locator("[data-choice]").first).to_be_enabled()


def test_every_shipped_scheme_opens_and_the_keys_of_its_fields_do_no_harm(
    page: Page, live_server: LiveServer, log_in: Callable[..., None]
) -> None:
    annotator = make.user()
    log_in(annotator)
    for name, named in schemes.shipped().items():
        project = make.project(annotator, scheme=make.scheme(name))
        task = make.task(project, reference=named.sample.reference if named.sample else None)
        desk = Desk(page, live_server.url, make.lease(make.trajectory(project, of=task), annotator)).open()
        for spec in named.fields:
            if spec.key:
                desk.press(spec.key, "Escape")
        desk.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        desk.press("Escape", "J", "e", "Escape", "x").saved()
