"""What the label page counts of looking: what is in sight, of somebody who is there, told in sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Annotation, Label, Look, User
from tests import make
from tests.browser.conftest import Watch
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def annotator() -> User:
    return make.user()


@pytest.fixture
def mine(annotator: User) -> Annotation:
    """Twelve steps, each too tall for three to be in sight at once."""
    trajectory = make.trajectory(make.project(annotator), steps=12)
    trajectory.steps.of_agent().update(message="A line that is read.\n\n" * 16)
    return make.lease(trajectory, annotator)


@pytest.fixture
def desk(page: Page, live_server: LiveServer, log_in: Callable[..., None], annotator: User, mine: Annotation) -> Desk:
    """The page under a clock that stands still until it is told to run."""
    log_in(annotator)
    page.clock.install()
    return stopped(Desk(page, live_server.url, mine).open())


def stopped(desk: Desk) -> Desk:
    desk.page.clock.pause_at(desk.page.evaluate("Date.now() / 1000") + 2)
    desk.press("Shift")
    run(desk, 0.2)
    return desk


def run(desk: Desk, seconds: float) -> None:
    desk.page.wait_for_timeout(150)  # what the browser draws keeps to its own clock
    desk.page.clock.run_for(round(seconds * 1000))


def leave(desk: Desk) -> dict[int, tuple[float, int, int]]:
    """What is stored once the page was left: step → (seconds in sight, visits, unfolds)."""
    desk.page.wait_for_timeout(100)  # what was told before is under way by then, and is not taken for the last word
    with desk.page.expect_request("**/looks") as told:
        desk.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    answer = told.value.response()
    assert answer and answer.status == 200
    return stored()


def stored() -> dict[int, tuple[float, int, int]]:
    rows = Look.objects.select_related("step").order_by("step__index")
    return {one.step.index: (one.visible_ms / 1000, one.visits, one.unfolds) for one in rows}


def test_what_is_in_sight_counts_and_what_is_not_does_not(desk: Desk) -> None:
    before = leave(desk)
    run(desk, 10)
    desk.press("G")
    run(desk, 30)
    after = leave(desk)
    gained = {step: round(after[step][0] - before.get(step, (0,))[0]) for step in after}
    assert gained[1] == pytest.approx(10, abs=1)
    assert gained[12] == pytest.approx(30, abs=1)
    assert 6 not in gained
    assert (after[1][1], after[12][1]) == (1, 1)


def test_coming_back_is_another_visit(desk: Desk) -> None:
    desk.press("j", "k", "j")
    found = leave(desk)
    assert (found[1][1], found[2][1]) == (2, 2)


def test_nobody_looks_who_did_nothing_for_a_minute(desk: Desk) -> None:
    before = leave(desk)
    run(desk, 600)
    desk.press("Shift")
    run(desk, 5)
    assert leave(desk)[1][0] - before[1][0] == pytest.approx(65, abs=1.5)


@pytest.mark.parametrize("sign", ["key", "pointer", "scroll"])
def test_whoever_does_something_goes_on_looking(desk: Desk, sign: str) -> None:
    deeds: dict[str, Callable[[], Any]] = {
        "key": lambda: desk.press("Shift"),
        "pointer": lambda: desk.page.mouse.move(600, 400 + next(place)),
        "scroll": lambda: desk.page.mouse.wheel(0, next(place)),
    }
    place = iter(range(1, 99))
    before = leave(desk)
    for _ in range(4):
        deeds[sign]()
        run(desk, 50)
    assert leave(desk)[1][0] - before[1][0] == pytest.approx(200, abs=2)


def hide(desk: Desk, hidden: bool) -> None:
    """Another tab is in front, or this one again."""
    desk.page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def test_a_tab_in_the_background_is_not_looked_at_and_tells_what_it_had(desk: Desk) -> None:
    run(desk, 10)
    with desk.page.expect_response("**/looks"):
        hide(desk, True)
    before = stored()[1][0]
    run(desk, 50)
    hide(desk, False)
    run(desk, 5)
    assert leave(desk)[1][0] - before == pytest.approx(5, abs=0.5)


def test_opening_a_folded_text_is_counted_by_button_and_by_key(desk: Desk, mine: Annotation) -> None:
    long = [{"tool_call_id": "call-1", "name": "look", "content": "a line\n" * 60}]
    mine.trajectory.steps.filter(index__in=[1, 2]).update(observations=long)
    desk.page.reload()
    desk.ready()
    desk.card(1).get_by_role("button", name="Show all").click()
    desk.card(1).get_by_role("button", name="Show less").click()
    desk.press("o", "j", "o", "o")
    found = leave(desk)
    assert (found[1][2], found[2][2]) == (2, 1)


def test_sums_are_told_every_so_often_and_once_more_where_they_did_not_arrive(desk: Desk, watch: Watch) -> None:
    watch.allow("ERR_CONNECTION_REFUSED")
    tries = []

    def refuse(route: Route) -> None:
        tries.append(route.request.post_data_json)
        route.abort("connectionrefused")

    desk.page.route("**/looks", refuse)
    run(desk, 21)
    desk.page.wait_for_timeout(200)
    assert len(tries) == 1
    assert stored() == {}
    desk.page.unroute("**/looks")
    with desk.page.expect_response("**/looks"):
        run(desk, 20)
    assert 40 <= stored()[1][0] < 60  # told twice it would be 61


def test_only_what_changed_is_told_again(desk: Desk) -> None:
    told: list[set[int]] = []
    desk.page.on("request", lambda one: one.url.endswith("/looks") and told.append(steps_in(one)))
    run(desk, 5)
    desk.press("G")
    run(desk, 18)
    run(desk, 18)
    desk.page.wait_for_timeout(300)
    assert {1, 12} <= told[0]
    assert 12 in told[-1]
    assert 1 not in told[-1]


def steps_in(request: Request) -> set[int]:
    return {row[0] for row in request.post_data_json["looks"]}


def test_a_suggestion_that_is_taken_says_how_long_it_was_in_sight(
    page: Page, live_server: LiveServer, log_in: Callable[..., None], annotator: User
) -> None:
    project = make.project(annotator, mode="assisted", prefill="judge:oracle", prefill_confidence=0)
    trajectory = make.trajectory(project, steps=2)
    make.rating(make.rater(project, "oracle"), trajectory, [1, -1])
    log_in(annotator)
    page.clock.install()
    desk = stopped(Desk(page, live_server.url, make.lease(trajectory, annotator)).open())
    with page.expect_response("**/change"):
        run(desk, 0.5)
        before = page.evaluate("performance.now()")
        run(desk, 7)
        desk.press("Enter")
        after = page.evaluate("performance.now()")
        run(desk, 0.5)
    looked = Label.objects.get(annotation=desk.annotation).suggestion["looked_ms"]
    assert 7_000 <= looked <= after, (before, looked, after)


def test_leaving_for_the_next_item_tells_the_rest(desk: Desk) -> None:
    desk.press("j")
    desk.page.clock.resume()
    desk.page.goto("about:blank")
    for _ in range(50):
        if stored():
            break
        desk.page.wait_for_timeout(100)
    assert stored()[2][1] == 1


def test_people_are_told_what_is_recorded(desk: Desk) -> None:
    desk.page.clock.resume()
    line = desk.page.locator(".task").get_by_role("link", name="What is recorded")
    line.click()
    expect(desk.page.get_by_role("heading", name="What is recorded")).to_be_in_viewport()


def test_an_item_that_is_closed_counts_nothing(desk: Desk, mine: Annotation) -> None:
    desk.page.clock.resume()
    Annotation.objects.filter(pk=mine.pk).update(state="submitted")
    desk.page.reload()
    desk.ready()
    expect(desk.page.get_by_role("link", name="What is recorded")).to_have_count(0)
