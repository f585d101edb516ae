"""The label page for those who zoom in, hold a phone, pick their own colours, or cannot bear motion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Annotation, User
from tests import make
from tests.browser.conftest import Watch, cookie_of
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# A window of 1280 × 800 looked at from nearer has fewer and larger pixels.
ZOOMED = {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2}
CLOSE = {"viewport": {"width": 320, "height": 256}, "device_scale_factor": 4}
PHONE = {"viewport": {"width": 400, "height": 800}, "has_touch": True, "is_mobile": True}
FORCED = {"viewport": {"width": 1280, "height": 800}, "forced_colors": "active"}

IN_SIGHT = """() => {
    const box = document.querySelector("[data-step][aria-current] h2").getBoundingClientRect();
    const at = document.elementFromPoint(box.left + 4, box.top + box.height / 2);
    return Boolean(at?.closest("[data-step][aria-current]"));
}"""
SMALL = """() => [...document.querySelectorAll("main button, main a[href], main summary")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest("p, li, .prose, .text"))
    .map((one) => [one.textContent.trim(), one.getBoundingClientRect()])
    .filter(([, box]) => box.width && (box.width < 24 || box.height < 24))
    .map(([name, box]) => `${name} ${box.width}×${box.height}`)"""
CRAMPED = """() => [...document.querySelectorAll("[data-cell]")].filter((one) => {
    const [cell, said] = [one.getBoundingClientRect(), document.createRange()];
    said.selectNodeContents(one);
    const { left, right } = said.getBoundingClientRect();
    return left < cell.left + 2 || right > cell.right - 2;
}).map((one) => one.textContent)"""
LOOKS = """(title) => {
    const choices = [...document.querySelectorAll("#step-1 [data-choice]")];
    const button = choices.find((one) => one.textContent.includes(title));
    const { backgroundColor, borderTopStyle, borderTopWidth, color, outlineStyle } = getComputedStyle(button);
    return [backgroundColor, borderTopStyle, borderTopWidth, color, outlineStyle].join();
}"""


@pytest.fixture
def annotator() -> User:
    return make.user()


@pytest.fixture
def steps() -> int:
    return 6


@pytest.fixture
def mine(annotator: User, steps: int) -> Annotation:
    return make.lease(make.trajectory(make.project(annotator), steps=steps), annotator)


@pytest.fixture
def open_as(
    browser: Browser, in_flight: Any, watch: Watch, live_server: LiveServer, annotator: User, mine: Annotation
) -> Iterator[Callable[..., Desk]]:
    contexts = []

    def enter(**options: Any) -> Desk:
        context = browser.new_context(**options)
        contexts.append(context)
        watch.over(context)
        context.add_cookies([cookie_of(annotator, live_server.url)])
        return Desk(context.new_page(), live_server.url, mine).open()

    yield enter
    for context in contexts:
        context.close()


def width(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


@pytest.mark.parametrize("options", [ZOOMED, CLOSE, PHONE], ids=["200 %", "400 %", "phone"])
def test_from_near_all_is_read_downwards_and_the_step_in_focus_is_never_covered(
    open_as: Callable[..., Desk], options: dict[str, Any]
) -> None:
    desk = open_as(**options).press("j", "k")
    for key in ("1", "-", "0", "1", "-"):
        assert width(desk.page) <= options["viewport"]["width"]
        assert desk.press(key).page.evaluate(IN_SIGHT)
        desk.press("j")
    desk.saved()
    assert desk.stored() == {1: 1, 2: -1, 3: 0, 4: 1, 5: -1}


@pytest.mark.parametrize("options", [PHONE, FORCED], ids=["phone", "desktop"])
def test_everything_one_presses_is_large_enough_to_hit(open_as: Callable[..., Desk], options: dict[str, Any]) -> None:
    desk = open_as(**options).press("1", "j", "-", "n", "Escape")
    assert desk.page.evaluate(SMALL) == []


@pytest.mark.parametrize("steps", [60])
def test_on_a_phone_the_numbers_of_a_long_strip_keep_clear_of_each_other(open_as: Callable[..., Desk]) -> None:
    desk = open_as(**PHONE).press("1", "G", "-")
    assert width(desk.page) <= PHONE["viewport"]["width"]
    assert desk.page.evaluate(CRAMPED) == []
    expect(desk.page.locator("[data-cell][aria-current]")).to_be_in_viewport()


def test_a_sheet_longer_than_the_window_opens_at_its_beginning_with_its_answer_at_hand(
    open_as: Callable[..., Desk],
) -> None:
    page = open_as(**PHONE).press("?").page
    expect(page.get_by_role("heading", name="Keys", exact=True)).to_be_in_viewport()
    expect(page.get_by_role("button", name="Close", exact=True)).to_be_focused()
    expect(page.get_by_role("button", name="Close", exact=True)).to_be_in_viewport()


def test_in_colours_of_ones_own_each_state_of_an_answer_still_looks_different(open_as: Callable[..., Desk]) -> None:
    desk = open_as(**FORCED)
    open_look = desk.page.evaluate(LOOKS, "Right")
    desk.press("1")
    assert desk.page.evaluate(LOOKS, "Right") not in (open_look, desk.page.evaluate(LOOKS, "Wrong"))
    desk.press("-", "j")
    desk.ghosts(2, 3, 4, 5, 6)
    ghost = desk.page.locator("#step-2 .choice.ghost")
    said = desk.page.locator("#step-1 [aria-pressed=true]")
    style = "(one) => [getComputedStyle(one).borderTopStyle, getComputedStyle(one).backgroundColor].join()"
    assert ghost.evaluate(style) != said.evaluate(style)
    results = Axe().run(desk.page)
    assert results.violations_count == 0, results.generate_report()


def test_who_cannot_bear_motion_sees_none(open_as: Callable[..., Desk]) -> None:
    desk = open_as(viewport={"width": 1280, "height": 500}, reduced_motion="reduce")
    desk.press("-", "p", "j", "j", "j", "u", "?", "Escape", "G")
    moving = "document.getAnimations().filter((one) => (one.effect?.getComputedTiming().duration ?? 0) > 1).length"
    assert desk.page.evaluate(moving) == 0
    assert desk.page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
