"""Deciding where raters differ, by keyboard alone: decide first, see the others then, settle, and take it up again."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Adjudication, Label, Project, Rater, Role, Thread, Trajectory, User
from annotations.services import adjudication, asking, standing
from models_service import counting
from tests import make
from tests.browser.test_pages import barriers

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., Page]


@pytest.fixture
def owner() -> User:
    return make.user("lead")


@pytest.fixture
def project(owner: User) -> Project:
    return make.project(owner=owner, title="Searching agents")


def person(project: Project, name: str) -> Rater:
    return make.rater(project, name, Rater.Kind.HUMAN, make.user(name))


@pytest.fixture
def disputed(project: Project) -> Trajectory:
    """Ann and Bob differ on the second step and on the end of a trajectory of three."""
    found = make.trajectory(project, steps=3)
    one = make.rating(person(project, "ann"), found, [1, -1, 1], 1)
    make.rating(person(project, "bob"), found, [1, 1, 1], -1)
    Label.objects.filter(annotation=one, step__index=2).update(explanation="It looks at the wrong place.")
    standing.touch(project, [found.pk])
    return found


def decided(found: Adjudication) -> dict[Any, Any]:
    rows = Label.objects.current().filter(annotation=found.annotation).select_related("step")
    return {(one.step and one.step.index, one.field): one.value for one in rows}


def test_by_keyboard_from_the_list_to_a_settled_trajectory(
    page: Page, live_server: LiveServer, log_in: Any, project: Project, owner: User, disputed: Trajectory
) -> None:
    log_in(owner)
    page.goto(live_server.url + reverse("adjudicate", args=[project.slug]))
    expect(page.get_by_role("region", name="Waiting", exact=True)).to_contain_text(disputed.external_id)
    assert barriers(page) == []
    page.locator("#next").press("Enter")
    first = page.locator("[data-place='2.label']")
    expect(first).to_be_focused()
    expect(page.locator("main")).not_to_contain_text("ann")
    expect(page.locator("main")).not_to_contain_text("wrong place")
    assert barriers(page) == []

    page.keyboard.press("1")
    expect(first).to_contain_text("It looks at the wrong place.")
    expect(page.locator("#how-far")).to_contain_text("1 of 2")
    page.keyboard.press("a")  # on second thoughts ann is right
    expect(first).to_contain_text("at first, without the others")
    page.keyboard.press("j")
    last = page.locator("[data-place='whole.final']")
    expect(last).to_be_focused()
    page.keyboard.press("v")
    expect(last).to_contain_text("bob")
    page.keyboard.press("b")
    expect(page.locator("#how-far")).to_contain_text("2 of 2")
    found = Adjudication.objects.get()
    assert (found.firsts, found.seen) == ({"2.label": 1}, ["2.label", "whole.final"])
    page.keyboard.press("s")
    page.wait_for_url("**/adjudicate/")
    expect(page.get_by_role("region", name="what is settled")).to_contain_text(disputed.external_id)
    assert decided(found) == {
        (1, "label"): 1,
        (2, "label"): -1,
        (3, "label"): 1,
        (None, "final"): -1,
    }

    page.get_by_role("region", name="what is settled").get_by_role("link", name=disputed.external_id).click()
    page.get_by_label("Take it up again, because").fill("The guidelines changed.")
    page.get_by_role("button", name="Take up again").click()
    expect(page.locator("#settle")).to_be_enabled()
    assert Adjudication.objects.get().reopened_because == "The guidelines changed."


def test_a_key_right_after_an_answer_came_is_answered_without_a_new_page(
    page: Page, live_server: LiveServer, log_in: Any, project: Project, owner: User, disputed: Trajectory
) -> None:
    """On a new page a key that comes before its script is lost."""
    adjudication.begin(disputed, owner)
    log_in(owner)
    page.goto(live_server.url + reverse("adjudicate_one", args=[project.slug, disputed.pk]))
    first = page.locator("[data-place='2.label']")
    expect(first).to_be_focused()
    page.evaluate(
        """() => {
            window.stayed = true;
            document.addEventListener("htmx:afterSwap", () => setTimeout(() => document.activeElement.dispatchEvent(
                new KeyboardEvent("keydown", {key: "a", bubbles: true, cancelable: true}))), {once: true});
        }"""
    )
    page.keyboard.press("1")
    expect(first).to_contain_text("at first, without the others")
    page.keyboard.press("j")
    expect(page.locator("[data-place='whole.final']")).to_be_focused()
    assert page.evaluate("window.stayed")


def test_what_somebody_else_has_is_taken_over_first(
    page: Page, live_server: LiveServer, log_in: Any, project: Project, owner: User, disputed: Trajectory
) -> None:
    other = make.user("other")
    adjudication.begin(disputed, other)
    log_in(owner)
    page.goto(live_server.url + reverse("adjudicate_one", args=[project.slug, disputed.pk]))
    expect(page.locator("#how-far")).to_contain_text("other has it.")
    page.get_by_role("button", name="Take it over").click()
    expect(page.locator("#settle")).to_be_visible()


def test_the_page_is_fit_for_a_narrow_screen_and_for_the_dark(
    page: Page, live_server: LiveServer, log_in: Any, project: Project, owner: User, disputed: Trajectory
) -> None:
    found = adjudication.begin(disputed, owner)
    adjudication.decide(found, owner, (2, "label"), 0)
    log_in(owner)
    page.set_viewport_size({"width": 400, "height": 800})
    page.emulate_media(color_scheme="dark")
    page.goto(live_server.url + reverse("adjudicate_one", args=[project.slug, disputed.pk]))
    expect(page.locator("[data-place='2.label']")).to_contain_text("Take")
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_comment_by_keyboard_where_it_is_decided(
    page: Page, live_server: LiveServer, log_in: Any, project: Project, owner: User, disputed: Trajectory
) -> None:
    begun = adjudication.begin(disputed, owner)
    other = make.user("other")
    make.member(project, other, Role.REVIEWER)
    asking.comment(begun, other, step=2, text="The second search repeats the first.", key=uuid.uuid4())
    log_in(owner)
    page.goto(live_server.url + reverse("adjudicate_one", args=[project.slug, disputed.pk]))
    first, talk = page.locator("[data-place='2.label']"), page.locator("#talk-2")
    expect(first).to_be_focused()
    expect(talk).to_contain_text("1 thread is shown once this is decided")
    page.keyboard.press("1")
    expect(talk).to_contain_text("repeats the first")
    expect(first).to_contain_text("decided")
    page.keyboard.press("c")
    expect(talk.locator("textarea")).to_be_focused()
    page.keyboard.type("So it does.")
    page.keyboard.press("Control+Enter")
    expect(talk).to_contain_text("So it does.")
    expect(talk.locator("textarea")).to_be_hidden()
    assert Thread.objects.filter(kind="note", step__index=2).count() == 2
    assert barriers(page) == []


def test_before_and_after_leads_from_the_list_to_the_place(
    page: Page, live_server: LiveServer, log_in: Any, project: Project, owner: User, disputed: Trajectory
) -> None:
    found = adjudication.begin(disputed, owner)
    adjudication.decide(found, owner, (2, "label"), 0)
    adjudication.decide(found, owner, (2, "label"), -1)
    adjudication.decide(found, owner, (None, "final"), -1)
    adjudication.settle(found, owner)
    counting.count(project.pk)
    log_in(owner)
    page.goto(live_server.url + reverse("adjudicate", args=[project.slug]))
    page.get_by_role("link", name="Before and after").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Table by field")).to_contain_text("0 of 1")
    expect(page.get_by_role("region", name="Table of raters")).to_contain_text("ann")
    assert barriers(page) == []
    page.set_viewport_size({"width": 400, "height": 800})
    page.emulate_media(color_scheme="dark")
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="2.label").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#place-2\\.label")).to_be_in_viewport()
