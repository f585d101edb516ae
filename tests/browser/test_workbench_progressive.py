"""The first pass without hindsight, as the annotator meets it, and the second with everything."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Annotation, User
from annotations.services import progressive, queue
from tests import make
from tests.browser.conftest import Watch
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def annotator() -> User:
    return make.user()


@pytest.fixture
def desk(page: Page, live_server: LiveServer, log_in: Callable[..., None], annotator: User) -> Desk:
    project = make.project(annotator, mode="progressive")
    task = make.task(project, reference={"target": ["forty-two"]})
    make.trajectory(project, steps=4, of=task, outcome={"reward": 0})
    mine = queue.lease_next(project, annotator)
    assert mine is not None
    log_in(annotator)
    return Desk(page, live_server.url, mine).open()


def test_a_step_comes_when_the_one_before_is_labelled_and_then_everything(desk: Desk) -> None:
    expect(desk.page.locator("[data-step]:not([data-step=''])")).to_have_count(1)
    expect(desk.page.locator("[data-count]")).to_contain_text("0 so far")
    desk.press("1")
    expect(desk.card(2)).to_be_visible()
    expect(desk.page.locator("[data-cell]")).to_have_count(2)
    desk.press("j", "-")
    expect(desk.card(3).locator(".choice.ghost")).to_have_count(1)
    desk.press("j", "1")
    expect(desk.card(4)).to_be_visible()
    expect(desk.page.get_by_role("button", name="Show the rest")).to_be_disabled()  # the fourth is still open
    desk.press("j", "1").saved()
    expect(desk.page.get_by_text("forty-two")).to_have_count(0)
    expect(desk.page.get_by_role("button", name="Submit")).to_be_hidden()

    desk.press("Control+Enter")
    expect(desk.page.get_by_text("forty-two")).to_be_visible()
    before = desk.ready().page.get_by_text("Before you knew the end you said: Right.")
    desk.press("g", "g", "j", "j")
    expect(before).to_be_hidden()
    desk.press("-")
    expect(desk.card(3).locator(before)).to_be_visible()
    desk.saved().page.reload()
    expect(desk.ready().card(3).locator(before)).to_be_visible()
    desk.press("f", "Control+Enter")
    desk.page.wait_for_url(lambda url: url != desk.url)
    desk.annotation.refresh_from_db()
    assert desk.annotation.state == Annotation.State.SUBMITTED
    assert progressive.first_pass(desk.annotation, "label") == {1: 1, 2: -1, 3: 1, 4: 1}
    assert desk.stored() == {1: 1, 2: -1, 3: -1, 4: 1}


def test_the_first_pass_goes_on_after_a_reload(desk: Desk) -> None:
    desk.press("1")
    expect(desk.card(2)).to_be_visible()
    desk.press("j", "0")
    expect(desk.card(3)).to_be_visible()
    desk.saved().page.reload()
    desk.ready()
    desk.in_focus(3)
    expect(desk.page.locator("[data-step]:not([data-step=''])")).to_have_count(3)


def test_offline_the_next_step_waits_and_comes_when_the_server_is_back(desk: Desk, watch: Watch) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED")
    desk.page.context.set_offline(True)
    desk.press("1", "j", "0")
    desk.trouble("kept in this browser")
    expect(desk.card(2)).to_have_count(0)
    desk.page.context.set_offline(False)
    expect(desk.card(2)).to_be_visible()
    desk.saved()
    assert desk.stored() == {1: 0}


def test_what_hides_behind_the_first_pass_is_not_in_the_page(desk: Desk) -> None:
    html = desk.page.content()
    for hidden in ("I try 2", "Saw 2", "I try 4", "forty-two", "reward"):
        assert hidden not in html
