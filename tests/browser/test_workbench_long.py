"""Long trajectories: only what is near the focus is in the page; moving, finding, labelling and the strip reach all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Annotation, Label, User
from tests import make
from tests.browser.conftest import Watch
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

STEPS = 1_200


@pytest.fixture
def annotator() -> User:
    return make.user()


@pytest.fixture
def mine(annotator: User) -> Annotation:
    return make.lease(make.trajectory(make.project(annotator), steps=STEPS), annotator)


@pytest.fixture
def desk(page: Page, live_server: LiveServer, log_in: Callable[..., None], annotator: User, mine: Annotation) -> Desk:
    log_in(annotator)
    return Desk(page, live_server.url, mine).open()


def cards(desk: Desk) -> int:
    return desk.page.locator("[data-turn]").count()


def in_page(desk: Desk, step: int) -> None:
    desk.in_focus(step)
    expect(desk.card(step)).to_be_focused()
    expect(desk.card(step)).to_be_in_viewport()


def test_the_page_holds_a_few_steps_and_goes_to_any_of_them(desk: Desk) -> None:
    assert cards(desk) < 100
    for keys, step in [(["G"], STEPS), (["k"], STEPS - 1), (["g", "g"], 1), (["j"], 2)]:
        desk.press(*keys)
        in_page(desk, step)
        assert cards(desk) < 200


def test_walking_through_the_steps_never_stops_at_an_edge(desk: Desk) -> None:
    for step in range(2, 90):
        desk.press("j")
        if step % 20 == 1:
            in_page(desk, step)
    in_page(desk, 89)
    desk.press(*["k"] * 88)
    in_page(desk, 1)


def test_what_one_looks_at_stays_put_when_steps_come_in_above(desk: Desk) -> None:
    desk.press("G")
    in_page(desk, STEPS)
    desk.press("k", "k", "k", "k")
    in_page(desk, STEPS - 4)
    before = desk.card(STEPS - 4).bounding_box()
    desk.page.wait_for_timeout(500)  # whatever is near has come in by now
    after = desk.card(STEPS - 4).bounding_box()
    assert before and after and abs(before["y"] - after["y"]) < 2


def test_labels_far_apart_are_stored_shown_and_carried_on(desk: Desk) -> None:
    desk.press("1", "G")
    in_page(desk, STEPS)
    desk.press("0", "g", "g")
    in_page(desk, 1)
    desk.press("j", "-").saved()
    assert desk.stored() == {1: 1, 2: -1, STEPS: 0}
    expect(desk.page.locator("[data-suggested]")).to_have_text(f"+ {STEPS - 3} suggested")
    desk.press("J")  # the next unlabelled one
    in_page(desk, 3)
    desk.press("u")
    desk.shows(2, None)
    expect(desk.page.locator("[data-suggested]")).to_have_text("")


def test_a_step_that_left_the_page_comes_back_as_it_was(desk: Desk) -> None:
    desk.press("-", "c", "n")
    desk.page.keyboard.type("Kept.")
    desk.press("Escape", "G")
    in_page(desk, STEPS)
    expect(desk.card(1)).to_have_count(0)
    desk.press("g", "g")
    in_page(desk, 1)
    desk.shows(1, "Wrong")
    expect(desk.card(1).get_by_role("button", name="Correction")).to_have_attribute("aria-pressed", "true")
    expect(desk.card(1).get_by_role("textbox", name="Note")).to_have_value("Kept.")


def test_the_strip_stands_for_every_step_and_goes_there(desk: Desk) -> None:
    cells = desk.page.locator("[data-cell]")
    expect(cells).to_have_count(240)
    desk.press("j", "-")
    expect(cells.first).to_have_attribute("aria-label", "Steps 1 to 5: 1 unlabelled, 1 Wrong, 3 Wrong, suggested")
    box = desk.page.locator(".strip ol").bounding_box()
    assert box
    desk.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(desk.page.locator("[data-step][aria-current]")).to_have_count(1)
    current = desk.page.locator("[data-step][aria-current]").get_attribute("data-step")
    assert current and abs(int(current) - STEPS / 2) < 12
    expect(desk.page.locator("[data-step][aria-current]")).to_be_in_viewport()


def test_text_far_away_is_found_and_shown(desk: Desk, mine: Annotation) -> None:
    mine.trajectory.steps.filter(index=900).update(message="Here is the needle, and the needle again.")
    desk.press("/")
    desk.page.keyboard.type("The needle")
    expect(desk.page.locator("[data-find-count]")).to_have_text("2 found in step 900")
    desk.press("Enter")
    expect(desk.page.locator("[data-find-count]")).to_have_text("1 of 2")
    expect(desk.card(900)).to_be_in_viewport()
    desk.press("Enter", "Shift+Enter")
    expect(desk.page.locator("[data-find-count]")).to_have_text("1 of 2")
    desk.press("Escape")
    desk.press("1").saved()
    assert desk.stored() == {1: 1}  # looking is not going there


def test_a_link_opens_at_its_step_and_the_page_without_scripts_has_a_way_on(desk: Desk, page: Page) -> None:
    page.goto(f"{desk.url}?at=700#step-700")
    desk.ready()
    in_page(desk, 700)
    html = page.request.get(f"{desk.url}?at=700").text()
    assert 'href="?at=680">Earlier steps' in html
    assert 'href="?at=720">Later steps' in html


def test_a_page_opened_again_is_where_work_is_left(desk: Desk, mine: Annotation) -> None:
    labels = [
        Label(annotation=mine, step=step, field="label", value=1, origin="human")
        for step in mine.trajectory.steps.of_agent().filter(index__lt=500)
    ]
    Label.objects.bulk_create(labels)
    desk.page.reload()
    desk.ready()
    in_page(desk, 500)
    expect(desk.page.locator("[data-count]")).to_have_text(f"499 of {STEPS}")


def test_no_key_labels_a_step_that_is_still_on_its_way(desk: Desk, watch: Watch) -> None:
    waiting: list[Route] = []
    desk.page.route("**/cards?*", lambda route: waiting.append(route))
    desk.press("G", "-", "n", "x")
    expect(desk.page.locator("[data-says]")).to_have_text("This step is still on its way.")
    for route in waiting:
        route.continue_()
    desk.page.unroute("**/cards?*")
    in_page(desk, STEPS)
    assert desk.saved().stored() == {}


def test_steps_that_do_not_come_are_said_and_come_later(desk: Desk, watch: Watch) -> None:
    watch.allow("status of 503")
    desk.page.route("**/cards?*", lambda route: route.fulfill(status=503, body="busy"))
    desk.press("G")
    expect(desk.page.locator("[data-says].shown")).to_contain_text("could not be loaded")
    desk.page.unroute("**/cards?*")
    desk.press("g", "g", "G")
    in_page(desk, STEPS)


def test_the_desk_of_a_long_trajectory_comes_after_the_page(desk: Desk, watch: Watch) -> None:
    watch.allow("status of 503")
    refused = []

    def refuse(route: Route) -> None:
        refused.append(route)
        route.fulfill(status=503, body="busy") if len(refused) == 1 else route.continue_()

    desk.page.route("**/desk", refuse)
    desk.page.reload()
    expect(desk.page.locator("[data-turn]").first).to_be_visible()
    expect(desk.page.locator("[data-says].shown")).to_contain_text("The labels could not be loaded yet")
    desk.ready().press("1").saved()
    assert desk.stored() == {1: 1}


def test_the_bar_keeps_its_height_when_thousands_are_suggested(desk: Desk) -> None:
    """All below it is laid out anew when it changes, which a long trajectory feels at every such key."""
    height = "document.querySelector('.head').offsetHeight"
    before = desk.page.evaluate(height)
    desk.press("g", "g", "-")
    expect(desk.page.locator("[data-suggested]")).to_contain_text("suggested")
    assert desk.page.evaluate(height) == before
