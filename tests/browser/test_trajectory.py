"""Looking at a trajectory: by keys, by its strips and outline, from a link, with what one does not want hidden."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Project, Trajectory, User
from tests import make
from tests.browser.conftest import Watch
from tests.browser.test_pages import RULES, barriers, scored
from tests.db.importing import file, take
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LogIn = Callable[..., None]
Open = Callable[..., Page]


@pytest.fixture
def owner() -> User:
    return make.user("lead")


@pytest.fixture
def project(owner: User) -> Project:
    return make.project(owner=owner)


def rollout(letters: str, number: int = 0, reasoning: str = "I think.") -> dict[str, Any]:
    """A rollout of a call a letter; X fails."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Do it."}]
    for place, letter in enumerate(letters):
        function = {"name": "run", "arguments": json.dumps({"command": letter})}
        call = {"id": f"c{place}", "type": "function", "function": function}
        said = {
            "role": "assistant",
            "content": f"I run {letter}.",
            "reasoning_content": reasoning,
            "tool_calls": [call],
        }
        answer = "Error: no" if letter == "X" else f"Saw {letter}. " + "word " * 40
        messages += [said, {"role": "tool", "tool_call_id": f"c{place}", "content": answer}]
    return {"messages": messages, "task_id": "t", "rollout": number, "id": f"t-{number}", "model": f"model-{number}"}


@pytest.fixture
def trajectories(project: Project, tmp_path: Path) -> Callable[..., list[Trajectory]]:
    def make_them(*letters: str) -> list[Trajectory]:
        take(project, file(tmp_path, *[rollout(told, number) for number, told in enumerate(letters)]))
        return list(project.trajectories.order_by("rollout"))

    return make_them


@pytest.fixture
def visit(page: Page, live_server: LiveServer, log_in: LogIn, owner: User) -> Open:
    """visit(trajectory, "?at=3#step-3"): its page, ready."""

    def go(one: Trajectory, more: str = "", name: str = "trajectory") -> Page:
        log_in(owner)
        page.goto(live_server.url + reverse(name, args=[one.project.slug, one.pk]) + more)
        expect(page.locator("html[data-ready]")).to_have_count(1)
        return page

    return go


def here(page: Page) -> str:
    """Which step has the focus."""
    return str(page.evaluate("document.activeElement.id"))


def test_j_and_k_walk_over_the_steps_and_bring_more_at_the_ends(visit: Open, trajectories: Any) -> None:
    (one,) = trajectories("ABCDEFGHIJ" * 10)
    page = visit(one, "?at=79#step-79")
    expect(page.locator("#step-79")).to_be_in_viewport()
    page.keyboard.press("j")
    expect(page.locator("#step-80")).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("k")
    assert here(page) == "step-78"
    visit(one, "?at=40#step-40")
    page.keyboard.press("k")
    expect(page.locator("#step-39")).to_be_focused()
    expect(page.locator("#step-39")).to_be_in_viewport()
    assert page.url.endswith("#step-39")


def test_keys_are_left_alone_in_fields_and_with_modifiers(visit: Open, trajectories: Any) -> None:
    (one,) = trajectories("ABCD")
    page = visit(one, "#step-1")
    page.keyboard.press("Control+j")
    page.locator("[data-hide] input").first.focus()
    before = page.url
    page.keyboard.press("Alt+j")
    assert page.url == before
    expect(page.locator(".step[aria-current]")).to_have_attribute("id", "step-1")


def test_earlier_steps_come_in_above_without_moving_what_is_read(visit: Open, trajectories: Any) -> None:
    (one,) = trajectories("ABCDEFGHIJ" * 10)
    page = visit(one, "?at=60#step-60")
    page.get_by_role("button", name="Earlier steps").scroll_into_view_if_needed()
    place = "document.getElementById('step-40').getBoundingClientRect().top"
    before = page.evaluate(place)
    page.get_by_role("button", name="Earlier steps").click()
    expect(page.locator("#step-0")).to_have_count(1)
    until(page, f"Math.abs({place} - {before}) < 2")  # from the next frame on


def test_scrolling_down_brings_every_step_once(visit: Open, trajectories: Any) -> None:
    (one,) = trajectories("ABCDEFGHIJ" * 10)
    page = visit(one)
    for _ in range(40):
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        if page.locator("#step-100").count():
            break
        page.wait_for_timeout(50)
    ids = page.evaluate("[...document.querySelectorAll('.step')].map((step) => Number(step.dataset.step))")
    assert ids == list(range(101))


def test_a_press_on_a_strip_goes_to_the_step_under_it(visit: Open, trajectories: Any) -> None:
    (one,) = trajectories("ABCDEFGHIJ" * 10)
    make.rating(make.rater(one.project, "judge"), one, [1] * 100)
    page = visit(one)
    box = page.locator("[data-strip] svg").first.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.035, box["y"] + box["height"] / 2)
    expect(page.locator("#step-4")).to_be_focused()
    page.locator("[data-strip] svg").first.scroll_into_view_if_needed()
    box = page.locator("[data-strip] svg").first.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.905, box["y"] + box["height"] / 2)
    expect(page).to_have_url(re.compile(r"\?at=91#step-91$"))
    expect(page.locator("#step-91")).to_be_in_viewport()


def test_the_outline_leads_to_a_step_and_shows_where_one_is(visit: Open, trajectories: Any) -> None:
    (one,) = trajectories("ABCDEFGHIJKLMNOPQRST")
    page = visit(one)
    page.locator(".lines a", has_text="run(T)").click()
    expect(page.locator("#step-20")).to_be_focused()
    expect(page.locator(".lines a[aria-current]")).to_have_attribute("data-line", "20")
    page.keyboard.press("k")
    expect(page.locator(".lines a[aria-current]")).to_have_attribute("data-line", "19")


def test_what_is_hidden_is_gone_at_once_and_stays_so_in_a_copied_address(visit: Open, trajectories: Any) -> None:
    (one,) = trajectories("ABC")
    page = visit(one)
    expect(page.locator(".block.reasoning").first).to_be_visible()
    page.get_by_label("reasoning").check()
    page.get_by_label("context").check()
    expect(page.locator(".block.reasoning").first).to_be_hidden()
    expect(page.locator("#step-0")).to_be_hidden()
    assert page.url.endswith("?hide=reasoning&hide=context")
    page.reload()
    expect(page.locator(".block.reasoning").first).to_be_hidden()
    page.keyboard.press("j")
    expect(page.locator("#step-1")).to_be_focused()
    page.get_by_label("reasoning").uncheck()
    page.get_by_label("context").uncheck()
    expect(page.locator("#step-0")).to_be_visible()
    assert "hide" not in page.url


def test_a_link_to_a_step_is_copied_and_leads_back_to_it(
    visit: Open, trajectories: Any, context: BrowserContext, live_server: LiveServer
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live_server.url)
    (one,) = trajectories("ABCDEFGHIJ" * 6)
    page = visit(one, "?at=50#step-50")
    page.locator("#step-50").get_by_role("button", name="Copy link").click()
    expect(page.locator("[data-says]")).to_have_text("Copied.")
    address = page.evaluate("navigator.clipboard.readText()")
    assert re.search(r"\?step=[0-9a-f]{16}-\d+$", address)
    page.goto(address)
    expect(page).to_have_url(re.compile(r"\?at=50#step-50$"))
    expect(page.locator("#step-50")).to_be_in_viewport()


def test_what_was_said_of_a_long_one_arrives_and_its_history_when_asked_for(visit: Open, trajectories: Any) -> None:
    (one,) = trajectories("ABCDEFGHIJ" * 26)
    make.rating(make.rater(one.project, "judge"), one, [1] * 200 + [-1] + [1] * 59)
    page = visit(one)
    expect(page.locator("#findings")).to_contain_text("step 201")
    expect(page.locator("#said [data-strip] svg")).to_have_count(1)
    page.locator("summary", has_text="History of labels").click()
    expect(page.locator(".history tbody tr").first).to_contain_text("judge")


def compare(page: Page, live_server: LiveServer, of: list[Trajectory], more: str = "") -> Page:
    ids = ",".join(str(one.pk) for one in of)
    page.goto(f"{live_server.url}{reverse('compare', args=[of[0].project.slug])}?ids={ids}{more}")
    expect(page.locator("html[data-ready]")).to_have_count(1)
    return page


def test_rollouts_are_compared_by_keys_from_one_divergence_to_the_next(
    visit: Open, trajectories: Any, live_server: LiveServer
) -> None:
    every = trajectories("ABCDEFGHIJ" * 12, "ABCDEFGHIJ" * 3 + "QRS" + "DEFGHIJ" + "ABCDEFGHIJ" * 8, "ABCD")
    page = visit(every[0])
    page.get_by_text("Compare with others").click()
    page.get_by_label("rollout 2").uncheck()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("th", has_text="rollout 1")).to_be_visible()
    compare(page, live_server, every, "&same=shown")
    page.keyboard.press("n")
    expect(page.locator("#row-6")).to_be_focused()
    expect(page.locator("#row-6")).to_contain_text("Parts here")
    page.keyboard.press("n")
    expect(page.locator("#row-32")).to_be_focused()
    page.keyboard.press("n")
    expect(page.locator("[data-says]")).to_have_text("Nobody leaves the first after this.")
    page.keyboard.press("Shift+N")
    expect(page.locator("#row-6")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator("#row-7")).to_be_focused()
    compare(page, live_server, every[:2], "&same=shown&at=100#row-100")
    expect(page.locator("#row-100")).to_be_in_viewport()
    page.keyboard.press("Shift+N")
    expect(page).to_have_url(re.compile(r"at=32#row-32$"))
    expect(page.locator("#row-32")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_where_people_look_has_a_barrier(
    scheme: str, visit: Open, trajectories: Any, live_server: LiveServer, project: Project, page: Page
) -> None:
    every = trajectories("ABXAB", "ABXCD", "A")
    for one, values in zip(every, ([1, 1, -1, 0, 1], [1, -1, 1, 1, None], [1]), strict=True):
        for name in "abcdef":
            rater = project.raters.filter(name=name).first() or make.rater(project, name)
            make.rating(rater, one, values if name < "d" else [1] * len(values), final=1)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    visit(every[0], "?hide=context")
    assert barriers(page) == [], "the trajectory"
    page.locator("summary", has_text="History of labels").click()
    page.locator("summary", has_text="Compare with others").click()
    expect(page.locator(".history tbody tr").first).to_be_visible()
    assert barriers(page) == [], "with its history"
    compare(page, live_server, every, "&same=shown")
    page.locator(".cell-said summary").first.click()
    assert barriers(page) == [], "the comparison"
    for address in (
        reverse("trajectory_print", args=[project.slug, every[0].pk]),
        reverse("trajectories", args=[project.slug]) + "?label=-1&first_error=x&state=none&sort=-steps",
        reverse("trajectories", args=[project.slug]) + "?tool=run",
        reverse("compare", args=[project.slug]) + f"?ids={every[0].pk}",
        reverse("compare", args=[project.slug]),
    ):
        page.goto(live_server.url + address)
        assert barriers(page) == [], address


@pytest.mark.parametrize("width", [360, 400, 800])
def test_no_page_where_people_look_is_wider_than_its_window(
    width: int, visit: Open, trajectories: Any, live_server: LiveServer, project: Project, page: Page
) -> None:
    every = trajectories("ABCDEFGHIJ" * 7, "ABXCD", "A", "B", "C", "D")
    make.rating(make.rater(project, "judge-of-a-very-long-name-" * 3), every[0], [1] * 70)
    page.set_viewport_size({"width": width, "height": 800})
    visit(every[0])
    addresses = [
        reverse("trajectory", args=[project.slug, every[0].pk]),
        reverse("trajectory_print", args=[project.slug, every[0].pk]),
        reverse("compare", args=[project.slug]) + "?ids=" + ",".join(str(one.pk) for one in every),
        reverse("trajectories", args=[project.slug]) + "?tool=run&q=t&sort=-steps&steps_from=x",
    ]
    for address in addresses:
        page.goto(live_server.url + address)
        beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert beyond <= 0, address


def test_in_forced_colours_where_one_is_can_still_be_seen(visit: Open, trajectories: Any, page: Page) -> None:
    (one,) = trajectories("ABC")
    page.emulate_media(forced_colors="active")
    visit(one, "#step-2")
    outline = page.locator(".lines a[aria-current]").evaluate("(line) => getComputedStyle(line).outlineStyle")
    assert outline == "solid"


def test_on_a_phone_the_strips_of_sixty_steps_are_seen_whole(
    visit: Open, project: Project, trajectories: Any, page: Page
) -> None:
    (one,) = trajectories("A" * 60)
    make.rating(make.rater(project), one, [1] * 59 + [-1])
    page.set_viewport_size({"width": 400, "height": 800})
    strips = visit(one).locator(".axis-wrap")
    expect(strips.locator("svg")).to_have_count(1)
    assert strips.evaluate("(one) => one.scrollWidth - one.clientWidth") == 0
    expect(strips.locator(".ticks a:visible")).to_have_text(["step 1", "step 60"])


def test_a_column_stays_beside_its_row_numbers_on_a_phone(
    visit: Open, trajectories: Any, live_server: LiveServer, page: Page
) -> None:
    every = trajectories("ABCDEF", "ABXCD", "AB")
    page.set_viewport_size({"width": 400, "height": 800})
    visit(every[0])
    compare(page, live_server, every, "&same=shown")
    page.locator(".compare-wrap").evaluate("(box) => { box.scrollLeft = 500; box.scrollTop = 300; }")
    number = page.locator("#row-4 th").bounding_box()
    assert number
    assert 0 <= number["x"] < 40


def test_a_filter_that_is_taken_away_and_a_column_that_sorts_need_no_form(
    visit: Open, trajectories: Any, live_server: LiveServer, project: Project, page: Page
) -> None:
    trajectories("ABC", "ABCDE", "A")
    visit(project.trajectories.get(rollout=0))
    page.goto(live_server.url + reverse("trajectories", args=[project.slug]))
    page.get_by_text("More filters").click()
    page.get_by_label("Calls tool").fill("run")
    page.get_by_label("Steps from").fill("2")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"\?tool=run&steps_from=2$"))
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("columnheader", name="Steps").get_by_role("link").click()
    expect(page.locator("tbody th").first).to_have_text("t-1")
    expect(page.get_by_role("columnheader", name="Steps")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("link", name=re.compile("Steps from: 2")).click()
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page).to_have_url(re.compile(r"\?tool=run&sort=-steps$"))


def test_a_page_that_was_taken_away_opens_from_its_folder(
    trajectories: Any, project: Project, tmp_path: Path, page: Page, watch: Watch
) -> None:
    (one,) = trajectories("ABX")
    make.rating(make.rater(project, "judge"), one, [1, 1, -1], final=-1)
    scored(project)
    call_command("bundle", project.slug, out=tmp_path / "site")
    watch.home = "file://"
    page.goto(f"file://{tmp_path}/site/index.html")
    page.get_by_role("link", name=one.external_id).click()
    expect(page.get_by_role("heading", name="What went wrong")).to_be_visible()
    surface = page.locator(".panel").first.evaluate("(panel) => getComputedStyle(panel).borderTopStyle")
    assert surface == "solid", "the style sheet is read"
    page.get_by_role("link", name="step 3").first.click()
    expect(page.locator("#step-3")).to_be_in_viewport()
    options = {**RULES, "preload": False}  # the page lets nobody fetch anything, nor axe the style sheet
    assert Axe().run(page, options=options).response["violations"] == []
