"""Labelling by keyboard and mouse."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Annotation, Event, Project
from tests import make
from tests.browser.conftest import Watch
from tests.browser.desk import Desk
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(page: Page, live_server: LiveServer, log_in: Callable[..., None]) -> Desk:
    """Five agent steps on the desk of an annotator who has a second trajectory to go."""
    annotator = make.user()
    project = make.project(annotator)
    mine = make.lease(make.trajectory(project, steps=5), annotator)
    make.trajectory(project, steps=2)
    log_in(annotator)
    return Desk(page, live_server.url, mine).open()


def test_a_whole_trajectory_is_labelled_and_submitted_by_keyboard_alone(desk: Desk) -> None:
    desk.in_focus(1)
    desk.press("1", "j", "-")
    desk.ghosts(3, 4, 5)
    desk.press("j", "j", "c", "+")
    desk.ghosts(3)
    desk.press("p", "J", "0", "n")
    desk.page.keyboard.type("A fair try -10jk.")
    desk.press("Escape", "f", "Control+Enter")

    desk.page.wait_for_url(lambda url: url != desk.url)
    desk.annotation.refresh_from_db()
    assert desk.annotation.state == Annotation.State.SUBMITTED
    assert desk.stored() == {1: 1, 2: -1, 3: -1, 4: 1, 5: 0}
    assert desk.stored("correction") == {4: True}
    assert desk.stored("note") == {5: "A fair try -10jk."}
    assert desk.stored("final") == {None: 1}
    assert desk.origins()[3] == "propagated"
    assert desk.ready().page.url.startswith(desk.url.rsplit("/", 2)[0])  # the next one is there


def test_answer_keys_go_to_a_field_of_the_trajectory_one_came_to_by_key(desk: Desk) -> None:
    desk.press("1", "j", "1", "j", "1", "j", "1", "j", "1", "Control+Enter")
    expect(desk.page.locator("[data-says]")).to_have_text("Still missing: Final result.")

    desk.press("-")

    assert desk.saved().stored("final") == {None: -1}
    assert desk.stored() == dict.fromkeys(range(1, 6), 1)


def test_after_a_click_on_the_final_result_keys_still_answer_the_step(desk: Desk) -> None:
    desk.page.locator(".trajectory-fields").get_by_role("button", name="Solved").click()

    desk.press("-")

    assert desk.saved().stored("final") == {None: 1}
    assert desk.stored() == {1: -1}


def test_undo_goes_to_what_it_changed_and_says_so(desk: Desk) -> None:
    desk.press("-", "G", "u")

    desk.in_focus(1)
    expect(desk.page.locator("[data-says].shown")).to_have_text("Undone: Step 1.")
    desk.press("G", "Control+Shift+z")
    desk.in_focus(1)
    desk.saved().press("G")
    desk.page.reload()
    desk.ready().press("G", "u")
    desk.in_focus(1)
    desk.shows(1, None)


def test_the_mouse_does_what_the_keys_do(desk: Desk) -> None:
    desk.choice(2, "Wrong").click()
    desk.shows(2, "Wrong")
    desk.ghosts(3, 4, 5)
    desk.card(4).get_by_role("button", name="Correction").click()
    desk.ghosts(3)
    desk.card(2).get_by_role("button", name="Clear").click()
    desk.shows(2, None)
    desk.ghosts()
    desk.page.get_by_role("link", name="Step 5: unlabelled").click()
    desk.in_focus(5)
    assert desk.saved().stored() == {}


def test_what_has_no_button_of_its_own_is_in_a_menu(desk: Desk) -> None:
    def choose(name: str) -> None:
        desk.page.get_by_role("button", name="More", exact=True).click()
        desk.page.get_by_role("group", name="More").get_by_role("button", name=name).click()

    choose("Find")
    expect(desk.page.get_by_role("searchbox", name="Find in this trajectory")).to_be_focused()
    expect(desk.page.get_by_role("group", name="More")).to_be_hidden()
    desk.press("Escape")
    choose("Next item")
    expect(desk.page.locator("[data-says].shown")).to_contain_text("This is your newest item")


def test_a_key_answers_before_the_server_does(desk: Desk) -> None:
    desk.page.route("**/change", lambda route: None)  # the server never answers

    shown = desk.page.evaluate(
        """() => {
            const press = new KeyboardEvent("keydown", {key: "-", code: "Minus", bubbles: true});
            document.activeElement.dispatchEvent(press);
            return [
                document.querySelector("#step-1 [data-choice][aria-pressed=true] .choice-title").textContent,
                document.querySelectorAll("[data-ghost]").length,
            ];
        }"""
    )

    assert shown == ["Wrong", 4]
    desk.page.unroute_all(behavior="ignoreErrors")


@pytest.mark.parametrize("key", ["Control+-", "Control+0", "Control+=", "Control+1", "Meta+-", "Meta+0", "Alt+1"])
def test_the_zoom_of_the_browser_never_labels(desk: Desk, key: str) -> None:
    desk.press(key)
    desk.shows(1, None)
    assert desk.saved().stored() == {}


def test_typing_in_a_note_or_in_the_search_never_labels(desk: Desk) -> None:
    desk.press("n")
    desk.page.keyboard.type("1 0 - + j k x c p f u ? ]")
    desk.press("Escape", "/")
    desk.page.keyboard.type("1-0+")
    desk.press("Escape")

    desk.in_focus(1)
    desk.saved()
    assert desk.stored() == desk.stored("final") == desk.stored("correction") == {}
    assert desk.stored("note") == {1: "1 0 - + j k x c p f u ? ]"}


def test_no_key_labels_behind_an_open_dialog(desk: Desk) -> None:
    desk.press("?")
    expect(desk.page.get_by_role("dialog")).to_contain_text("next unlabelled step")
    desk.press("1", "-", "j", "x", "Control+z")
    desk.shows(1, None)
    desk.press("Escape")
    expect(desk.page.get_by_role("dialog")).to_have_count(0)
    desk.press("1")
    desk.shows(1, "Right")


KEY_EVENT = """([key, code, modifiers]) => {
    const event = new KeyboardEvent("keydown", {key, code, bubbles: true, cancelable: true, ...modifiers});
    document.activeElement.dispatchEvent(event);
    return document.querySelector("#step-1 [data-choice][aria-pressed=true] .choice-title")?.textContent ?? null;
}"""


@pytest.mark.parametrize(
    ("key", "code", "modifiers", "answer"),
    [
        ("1", "Numpad1", {}, "Right"),
        ("End", "Numpad1", {}, "Right"),
        ("-", "NumpadSubtract", {}, "Wrong"),
        ("+", "NumpadAdd", {}, "Right"),
        ("0", "Numpad0", {}, "Neutral"),
        ("&", "Digit1", {}, "Right"),  # AZERTY
        ("à", "Digit0", {}, "Neutral"),
        ("-", "Digit6", {}, "Wrong"),
        ("!", "Digit1", {"shiftKey": True}, "Right"),  # and what else is open
        ("1", "Digit1", {"shiftKey": True}, "Right"),  # AZERTY: the plain answer
        ("+", "Equal", {"shiftKey": True}, "Right"),
        ("}", "Digit0", {"ctrlKey": True, "altKey": True, "modifierAltGraph": True}, None),
        ("-", "Minus", {"ctrlKey": True, "altKey": True, "modifierAltGraph": True}, "Wrong"),
        ("-", "Minus", {"ctrlKey": True}, None),
        ("1", "Digit1", {"isComposing": True}, None),
        ("1", "Digit1", {"repeat": True}, None),
    ],
)
def test_keys_are_read_on_every_keyboard(
    desk: Desk, key: str, code: str, modifiers: dict[str, bool], answer: str | None
) -> None:
    assert desk.page.evaluate(KEY_EVENT, [key, code, modifiers]) == answer
    desk.saved()


def test_altgr_brackets_go_to_the_neighbouring_item(desk: Desk) -> None:
    desk.page.evaluate(KEY_EVENT, ["]", "Digit9", {"ctrlKey": True, "altKey": True, "modifierAltGraph": True}])
    expect(desk.page.locator("[data-says]")).to_contain_text("your newest item")


def test_moving_goes_by_steps_by_open_steps_and_to_the_ends(desk: Desk) -> None:
    desk.press("ArrowDown", "j")
    desk.in_focus(3)
    desk.press("1", "k", "ArrowUp", "J", "J")
    desk.in_focus(4)
    desk.press("G")
    desk.in_focus(5)
    desk.press("g", "g")
    desk.in_focus(1)
    desk.press("G", "K", "K")
    desk.in_focus(2)


def test_the_step_one_goes_to_is_in_sight_however_far_it_was(
    page: Page, live_server: LiveServer, log_in: Callable[..., None]
) -> None:
    annotator = make.user()
    mine = make.lease(make.trajectory(make.project(annotator), steps=80), annotator)
    log_in(annotator)
    desk = Desk(page, live_server.url, mine).open()
    for keys, step in [(["G"], 80), (["g", "g"], 1), (["j"] * 30, 31)]:
        desk.press(*keys).in_focus(step)
        page.wait_for_timeout(600)  # in which what stands above it is laid out
        expect(desk.card(step).locator(".controls")).to_be_in_viewport(ratio=1)
        cell = page.locator(f"[data-cell='{step}']")
        expect(cell).to_be_in_viewport()


def test_ghosts_come_and_go_and_are_taken_as_one(desk: Desk) -> None:
    desk.press("-")
    desk.ghosts(2, 3, 4, 5)
    desk.press("j", "j", "0")
    desk.ghosts(2)
    desk.press("x")
    desk.ghosts(2, 3, 4, 5)
    desk.press("p")
    desk.ghosts()
    assert desk.saved().stored() == {1: -1, 2: -1, 3: -1, 4: -1, 5: -1}
    assert set(desk.origins().values()) == {"human", "propagated"}

    desk.press("u")
    desk.ghosts(2, 3, 4, 5)
    assert desk.saved().stored() == {1: -1}
    desk.press("Control+Shift+Z")
    desk.saved()
    desk.press("g", "g", "x")
    desk.ghosts()
    assert desk.saved().stored() == {}  # the labels a −1 brought go with it


def test_undo_and_redo_outlive_a_reload(desk: Desk) -> None:
    desk.press("1", "j", "-", "j", "0").saved()
    desk.page.reload()
    desk.ready().press("u")
    desk.shows(3, None)
    desk.press("u")
    desk.shows(2, None)
    desk.press("Control+Shift+z")
    desk.shows(2, "Wrong")
    assert desk.saved().stored() == {1: 1, 2: -1}
    assert Event.objects.filter(annotation=desk.annotation, verb__in=["undo", "redo"]).count() == 3


def test_folds_focus_and_scroll_stay_where_they_were_when_a_label_is_written(
    page: Page, live_server: LiveServer, log_in: Callable[..., None]
) -> None:
    annotator = make.user()
    trajectory = make.trajectory(make.project(annotator), steps=12)
    long = "\n".join(f"line {number}" for number in range(60))
    trajectory.steps.of_agent().update(observations=[{"name": "look", "content": long}])
    log_in(annotator)
    desk = Desk(page, live_server.url, make.lease(trajectory, annotator)).open()

    desk.press("j", "j", "j", "o")
    expect(desk.card(4).locator("[data-fold]")).to_have_attribute("aria-expanded", "true")
    before = page.evaluate("scrollY") + 137
    page.mouse.wheel(0, 137)
    until(page, f"scrollY === {before}")
    desk.press("-", "c", "1", "p", "u", "f").saved()

    assert page.evaluate("scrollY") == before
    desk.in_focus(4)
    assert page.evaluate("document.activeElement.id") == "step-4"
    expect(desk.card(4).locator("[data-fold]")).to_have_attribute("aria-expanded", "true")
    expect(desk.card(3).locator("[data-fold]")).to_have_attribute("aria-expanded", "false")
    desk.press("O")
    expect(page.locator("[data-fold][aria-expanded=false]")).to_have_count(0)


def test_submitting_says_what_is_missing_and_goes_there(desk: Desk) -> None:
    desk.press("1", "j", "1", "Control+Enter")
    desk.in_focus(3)
    expect(desk.page.locator("[data-says]")).to_contain_text("Still missing: Step 3 and 3 more")
    desk.press("-", "Control+Enter")
    expect(desk.page.locator(".bar [data-field=final] button").first).to_be_focused()
    desk.saved()
    desk.annotation.refresh_from_db()
    assert desk.annotation.state == Annotation.State.DRAFT


def test_suggestions_are_counted_when_submitting_and_taken_or_left(desk: Desk) -> None:
    desk.press("f", "1", "j", "-", "Control+Enter")
    dialog = desk.page.get_by_role("dialog")
    expect(dialog).to_contain_text("3 suggested labels are still open")
    dialog.get_by_role("button", name="Leave open").click()
    desk.in_focus(3)
    assert desk.saved().stored() == {1: 1, 2: -1}

    desk.press("Control+Enter")
    dialog.get_by_role("button", name="Accept 3 and submit").click()
    desk.page.wait_for_url(lambda url: url != desk.url)
    assert desk.stored() == {1: 1, 2: -1, 3: -1, 4: -1, 5: -1}


def test_skipping_wants_a_reason_and_keeps_the_labels_and_reopening_goes_on(desk: Desk) -> None:
    desk.press("1", "s")
    desk.page.get_by_role("button", name="Cancel").click()
    desk.press("s")
    desk.page.get_by_label("What is wrong with it?").fill("Cut off in the middle.")
    desk.page.get_by_role("button", name="Skip this item").click()
    desk.page.wait_for_url(lambda url: url != desk.url)

    desk.annotation.refresh_from_db()
    assert (desk.annotation.state, desk.annotation.comment) == (Annotation.State.SKIPPED, "Cut off in the middle.")
    desk.open()
    desk.shows(1, "Right")
    desk.press("0")
    desk.shows(1, "Right")  # closed items do not change
    desk.page.get_by_role("button", name="Reopen").click()
    expect(desk.page.get_by_role("button", name="Skip")).to_be_enabled()
    desk.ready().press("g", "g", "0")
    assert desk.saved().stored() == {1: 0}


def test_a_reason_is_given_without_the_mouse(desk: Desk) -> None:
    desk.press("s")
    desk.page.keyboard.type("Cut off.")
    desk.press("Control+Enter")
    desk.page.wait_for_url(lambda url: url != desk.url)
    desk.annotation.refresh_from_db()
    assert (desk.annotation.state, desk.annotation.comment) == (Annotation.State.SKIPPED, "Cut off.")


def test_who_cannot_submit_for_want_of_a_seat_is_shown_the_way_on(desk: Desk, watch: Watch) -> None:
    watch.allow("409")
    desk.press("1", "j", "1", "j", "1", "j", "1", "j", "1", "f").saved()
    other = make.user()
    make.member(desk.annotation.rater.project, other)
    Project.objects.update(overlap=1)
    Annotation.objects.filter(pk=desk.annotation.pk).update(seat=None, lease_until=None)
    make.lease(desk.annotation.trajectory, other)

    desk.press("Control+Enter")

    desk.trouble("someone else")
    for _ in range(2):  # the notice outlasts whatever else the bar has to say
        desk.page.get_by_role("button", name="Clear Final result").click()
        desk.page.get_by_role("button", name="Solved").click()
        desk.saved()
    desk.page.get_by_role("link", name="Label another item meanwhile").click()
    desk.page.wait_for_url(lambda url: url != desk.url)
    desk.ready()
    assert desk.stored("final") == {None: 1}


def test_the_bar_follows_the_tabs_without_a_gap(desk: Desk) -> None:
    tabs, bar = desk.page.locator("nav.tabs").bounding_box(), desk.page.locator(".bar").bounding_box()
    assert tabs and bar and bar["y"] == tabs["y"] + tabs["height"]


def test_text_is_found_also_where_it_is_folded(desk: Desk) -> None:
    desk.press("/")
    desk.page.keyboard.type("Saw 4")
    expect(desk.page.locator("[data-find-count]")).to_have_text("1 found in step 4")
    desk.press("Enter")
    expect(desk.page.locator("[data-find-count]")).to_have_text("1 of 1")
    desk.press("Escape")
    desk.in_focus(1)


def test_time_is_counted_with_the_labels(desk: Desk) -> None:
    desk.page.wait_for_timeout(300)
    desk.press("1").saved()
    desk.annotation.refresh_from_db()
    assert 300 <= desk.annotation.time_spent_ms < 60_000


@pytest.mark.parametrize("state", ["submitted", "skipped"])
def test_an_item_that_is_closed_says_what_became_of_it(desk: Desk, state: str) -> None:
    Annotation.objects.filter(pk=desk.annotation.pk).update(state=state)
    for width in (1280, 400):
        desk.page.set_viewport_size({"width": width, "height": 800})
        desk.page.reload()
        expect(desk.ready().page.locator("[data-status-text]")).to_have_text(state.title())
        box = desk.page.locator("[data-status-text]").bounding_box()
        assert box and box["width"] > 20
