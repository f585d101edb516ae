"""Cut off from the server, signed out, in two tabs: labels go on, and every one of them arrives once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import APIResponse, BrowserContext, BrowserType, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Annotation, Event, User
from tests import make
from tests.browser.conftest import InFlight, Watch, cookie_of, launch_options
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DOORS = re.compile(r"/label/\d+/\w+$")  # everything a label page saves through, but not the page itself


@pytest.fixture
def annotator() -> User:
    return make.user()


@pytest.fixture
def mine(annotator: User) -> Annotation:
    return make.lease(make.trajectory(make.project(annotator), steps=5), annotator)


@pytest.fixture
def desk(page: Page, live_server: LiveServer, log_in: Callable[..., None], annotator: User, mine: Annotation) -> Desk:
    log_in(annotator)
    return Desk(page, live_server.url, mine).open()


def refuse(route: Route) -> None:
    route.abort("connectionrefused")


def changes(desk: Desk) -> list[str]:
    found = Event.objects.filter(annotation=desk.annotation, verb__in=["change", "accept", "undo", "redo"])
    return list(found.order_by("pk").values_list("verb", flat=True))


def test_cut_off_in_the_middle_one_labels_on_and_everything_arrives_once(desk: Desk, watch: Watch) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED")
    desk.press("1").saved()

    desk.page.context.set_offline(True)
    desk.press("j", "-", "j", "n")
    desk.page.keyboard.type("Written without a server.")
    desk.press("Escape", "p", "u", "j", "0", "f")
    desk.trouble("6 changes are kept in this browser")
    desk.ghosts(3)
    assert desk.stored() == {1: 1}

    desk.page.context.set_offline(False)
    desk.saved()
    assert desk.stored() == {1: 1, 2: -1, 4: 0}
    assert desk.stored("note") == {3: "Written without a server."}
    assert desk.stored("final") == {None: 1}
    assert changes(desk) == ["change", "change", "change", "accept", "undo", "change", "change"]
    expect(desk.page.locator("[data-trouble]")).to_be_hidden()


def test_what_waits_survives_a_reload(desk: Desk, watch: Watch) -> None:
    watch.allow("ERR_CONNECTION_REFUSED")
    desk.page.route(DOORS, refuse)
    desk.press("1", "j", "-", "p")
    desk.trouble("3 changes are kept")

    desk.page.reload()
    desk.ready()
    desk.shows(1, "Right")
    desk.shows(5, "Wrong")
    desk.trouble("3 changes are kept")
    desk.press("u")
    desk.ghosts(3, 4, 5)
    assert desk.stored() == {}

    desk.page.unroute(DOORS)
    desk.saved()
    assert desk.stored() == {1: 1, 2: -1}
    assert changes(desk) == ["change", "change", "accept", "undo"]


def test_what_waits_survives_a_closed_browser(
    browser_type: BrowserType,
    tmp_path: Path,
    live_server: LiveServer,
    in_flight: InFlight,
    annotator: User,
    mine: Annotation,
) -> None:
    def start() -> tuple[BrowserContext, Desk]:
        context = browser_type.launch_persistent_context(tmp_path / "profile", **launch_options())
        context.add_cookies([cookie_of(annotator, live_server.url)])
        return context, Desk(context.pages[0], live_server.url, mine).open()

    context, desk = start()
    context.set_offline(True)
    desk.press("1", "j", "-", "j", "1")
    desk.trouble("3 changes are kept")
    context.close()
    assert desk.stored() == {}

    context, desk = start()
    desk.shows(2, "Wrong")
    desk.saved()
    context.close()
    assert desk.stored() == {1: 1, 2: -1, 3: 1}
    assert changes(desk) == ["change"] * 3


def test_a_change_whose_answer_was_lost_is_made_once(desk: Desk, watch: Watch) -> None:
    watch.allow("ERR_FAILED|ERR_CONNECTION_REFUSED")

    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort("connectionrefused")

    desk.page.route("**/change", lose_the_answer, times=1)
    desk.press("-")
    desk.trouble("1 change is kept")
    desk.press("1")  # the same place again, before the first is known to have arrived
    desk.saved()
    assert desk.stored() == {1: 1}
    assert changes(desk) == ["change", "change"]


def test_a_server_in_trouble_loses_nothing(desk: Desk, watch: Watch) -> None:
    watch.allow("status of 503")
    desk.page.route(DOORS, lambda route: route.fulfill(status=503, body="busy"))
    desk.press("1")
    desk.trouble("1 change is kept")
    desk.page.unroute(DOORS)
    assert desk.saved().stored() == {1: 1}


def test_signed_out_the_labels_wait_and_one_signs_in_again_in_place(desk: Desk, watch: Watch, annotator: User) -> None:
    watch.allow("status of 40[013]")
    desk.press("1").saved()
    Session.objects.all().delete()
    desk.press("j", "-", "j", "0")
    desk.trouble("You are signed out. 2 changes wait")

    form = desk.page.get_by_role("form", name="Sign in again")
    expect(form.get_by_label("User name")).to_have_value(annotator.username)
    form.get_by_label("Password").fill("wrong")
    desk.press("Enter")
    expect(form.get_by_role("status")).to_contain_text("not correct")
    form.get_by_label("Password").fill(make.PASSWORD)
    desk.press("Enter")
    desk.saved()
    expect(form).to_be_hidden()
    assert desk.stored() == {1: 1, 2: -1, 3: 0}
    desk.press("Escape", "j", "1").saved()  # the page goes on as it was
    assert desk.stored()[4] == 1


def test_who_signs_in_as_somebody_else_is_told_and_nothing_is_sent(desk: Desk, watch: Watch) -> None:
    watch.allow("status of 40[134]")
    other = make.user()
    Session.objects.all().delete()
    desk.press("1")
    form = desk.page.get_by_role("form", name="Sign in again")
    form.get_by_label("User name").fill(other.username)
    form.get_by_label("Password").fill(make.PASSWORD)
    desk.press("Enter")
    desk.trouble("cannot open this item. 1 change waits")
    assert desk.stored() == {}


def test_submitting_waits_for_the_server(desk: Desk, watch: Watch) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED")
    for step in range(1, 6):
        desk.press("1", "j").shows(step, "Right")
    desk.press("f").saved()
    desk.page.context.set_offline(True)
    desk.press("0", "Control+Enter")
    expect(desk.page.locator("[data-says]")).to_contain_text("Submitting needs the server")
    desk.page.context.set_offline(False)
    desk.saved()
    desk.press("Control+Enter")
    desk.page.wait_for_url(lambda url: url != desk.url)
    assert desk.stored()[5] == 0


def test_two_tabs_of_one_browser_show_the_same(desk: Desk, context: BrowserContext, live_server: LiveServer) -> None:
    other = Desk(context.new_page(), live_server.url, desk.annotation).open()
    desk.press("-")
    other.shows(1, "Wrong")
    other.ghosts(2, 3, 4, 5)
    other.press("G", "1")
    desk.shows(5, "Right")
    assert desk.saved().stored() == other.saved().stored() == {1: -1, 5: 1}


@pytest.fixture
def elsewhere(
    new_context: Callable[..., BrowserContext], watch: Watch, live_server: LiveServer, annotator: User, mine: Annotation
) -> Desk:
    """The same annotation on another device."""
    context = new_context()
    watch.over(context)
    context.add_cookies([cookie_of(annotator, live_server.url)])
    return Desk(context.new_page(), live_server.url, mine)


def test_two_devices_merge_by_step(desk: Desk, elsewhere: Desk) -> None:
    elsewhere.open().press("j", "j", "0").saved()
    desk.press("-").saved()
    desk.shows(3, "Neutral")
    desk.ghosts(2)
    assert desk.stored() == {1: -1, 3: 0}


@pytest.mark.parametrize(
    ("button", "kept"), [("Keep what is here", -1), ("Take what is elsewhere", 0)], ids=["mine", "theirs"]
)
def test_two_answers_for_one_step_are_both_shown(
    desk: Desk, elsewhere: Desk, watch: Watch, button: str, kept: int
) -> None:
    watch.allow("status of 409")
    elsewhere.open().press("0").saved()
    desk.press("-")
    dialog = desk.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Two answers for the same place")
    for text in ("Step 1", "Wrong", "Neutral"):
        expect(dialog).to_contain_text(text)
    desk.press("Escape")  # it wants an answer
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name=button).click()
    desk.saved()
    desk.shows(1, "Wrong" if kept == -1 else "Neutral")
    desk.press("j", "1").saved()
    assert desk.stored() == {1: kept, 2: 1}


def test_a_conflict_that_arose_while_offline_is_asked_about_and_the_rest_goes_in(
    desk: Desk, elsewhere: Desk, watch: Watch
) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED|status of 409")
    desk.page.context.set_offline(True)
    desk.press("1", "j", "-", "u", "-", "j", "1")
    desk.trouble("5 changes are kept")
    elsewhere.open().press("j", "0", "G", "1").saved()
    desk.page.context.set_offline(False)
    desk.page.get_by_role("button", name="Take what is elsewhere").click()
    desk.saved()
    assert desk.stored()[1] == 1
    assert desk.stored()[3] == desk.stored()[5] == 1
    assert desk.stored()[2] == 0


def test_on_a_slow_network_answers_show_at_once_and_arrive_in_order_once(desk: Desk) -> None:
    network = desk.page.context.new_cdp_session(desk.page)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 25_000}
    network.send("Network.emulateNetworkConditions", slow)  # about what 3G gives

    desk.press("1", "j", "0", "j", "-", "j", "c", "1", "u", "u", "j", "1", "f")
    for step, title in ((1, "Right"), (2, "Neutral"), (3, "Wrong"), (5, "Right")):
        desk.shows(step, title)
    expect(desk.page.locator("[data-status]")).to_have_attribute("data-status", "saving")
    desk.press("k", "-", "Control+Enter")
    desk.page.wait_for_url(lambda url: url != desk.url, timeout=30_000)

    assert desk.stored() == {1: 1, 2: 0, 3: -1, 4: -1, 5: 1}
    assert desk.stored("final") == {None: 1}
    assert changes(desk) == ["change"] * 5 + ["undo"] * 2 + ["change"] * 3


def test_changes_left_behind_on_another_item_are_told_of_and_wait_for_it(
    desk: Desk, watch: Watch, annotator: User, live_server: LiveServer
) -> None:
    watch.allow("ERR_CONNECTION_REFUSED")
    other = make.lease(make.trajectory(desk.annotation.rater.project), annotator)
    desk.page.reload()
    desk.ready().page.route(DOORS, refuse)
    desk.press("1", "j", "-")
    desk.trouble("2 changes are kept")
    desk.page.unroute(DOORS)
    desk.page.route(
        DOORS, lambda route: refuse(route) if f"/{desk.annotation.pk}/" in route.request.url else route.continue_()
    )
    desk.press("]")

    there = Desk(desk.page, live_server.url, other).ready()
    there.trouble(f"item {desk.annotation.pk}")
    desk.page.unroute(DOORS)
    there.page.get_by_role("link", name=f"item {desk.annotation.pk}").click()
    desk.ready().saved()
    assert desk.stored() == {1: 1, 2: -1}


@pytest.mark.parametrize("key", ["Backspace", "Delete", "Escape", "Control+s", " ", "Tab"])
def test_no_usual_key_throws_a_label_away(desk: Desk, key: str) -> None:
    desk.press("1", "j", "-").saved()
    desk.press(key, key)
    desk.saved()
    assert desk.stored() == {1: 1, 2: -1}
    expect(desk.page).to_have_url(desk.url)


def test_an_answer_that_is_older_than_what_was_saved_meanwhile_takes_nothing_back(desk: Desk) -> None:
    late: list[tuple[Route, APIResponse]] = []
    desk.page.route("**/state", lambda route: late.append((route, route.fetch())))
    desk.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    desk.page.wait_for_timeout(500)
    desk.press("1", "j", "-").saved()
    ((route, answer),) = late
    with desk.page.expect_response("**/state"):
        route.fulfill(response=answer)
    desk.page.wait_for_timeout(200)
    desk.shows(1, "Right")
    desk.shows(2, "Wrong")
