"""The page of exports: thirty formats to find one's way in, by mouse, by keyboard and on a phone."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Project, Rater, Role, Run, Score, User
from tests import make
from tests.browser.conftest import Watch
from tests.browser.test_pages import RULES

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LogIn = Callable[[User], None]
PICTURES = os.environ.get("EXPORT_PICTURES")


@pytest.fixture
def owner() -> User:
    return make.user("lead")


@pytest.fixture
def project(owner: User) -> Project:
    made = make.project(owner=owner, title="Errands")
    ada = make.rater(made, "ada", Rater.Kind.HUMAN, make.user("ada"))
    make.rater(made, "ben", Rater.Kind.HUMAN, make.user("ben"))
    task = make.task(made, source="errands")
    good, bad = (make.trajectory(made, of=task, policy_model="big") for _ in range(2))
    bad.steps.filter(index=2).update(message="I guess instead.", tool_calls=[], observations=[])
    make.rating(ada, good, [1, 1, 1], final=1)
    make.rating(ada, bad, [1, -1, -1], final=-1)
    run = Run.objects.create(project=made, kind="score", state="done", config={"scorer": "small"})
    Score.objects.create(run=run, trajectory=bad, step=bad.steps.get(index=1), value=0.5, probability=0.5)
    made.reference = ada
    made.save()
    return made


@pytest.fixture
def exports(page: Page, live_server: LiveServer, log_in: LogIn, owner: User, project: Project) -> Page:
    log_in(owner)
    page.goto(live_server.url + reverse("exports", args=[project.slug]))
    return page


def chosen(page: Page, title: str) -> None:
    page.get_by_role("radio", name=title).check()


def opened(page: Page, summary: str) -> None:
    page.locator("summary", has_text=summary).click()


def test_a_format_shows_its_rows_its_options_and_an_address_that_leads_back(exports: Page) -> None:
    chosen(exports, "Filtered fine-tuning")
    preview, own = exports.locator("#preview"), exports.locator("#own")
    expect(preview).to_contain_text('"messages"')
    expect(exports).to_have_url(re.compile("format=sft"))
    own.get_by_label("What of a rollout is written").select_option("keep")
    expect(preview).to_contain_text("--option mode=keep")
    exports.reload()
    expect(exports.get_by_role("radio", name="Filtered fine-tuning")).to_be_checked()
    expect(own.get_by_label("What of a rollout is written")).to_have_value("keep")


def test_a_filter_is_seen_at_once_and_starts_with_the_export(exports: Page, project: Project) -> None:
    chosen(exports, "TRL stepwise")
    opened(exports, "Only some trajectories")
    exports.get_by_label("Trajectories", exact=True).select_option("with")
    expect(exports.locator("#preview pre.row")).to_have_count(2)  # one row, and the command
    expect(exports.locator("#preview")).to_contain_text("--first-error with")
    exports.get_by_role("button", name="Export").click()
    expect(exports.get_by_role("heading", level=1)).not_to_have_text("Exports")
    assert Run.objects.get(project=project, kind="export").config["first_error"] == "with"


def test_what_cannot_be_had_is_said_while_it_is_chosen(exports: Page) -> None:
    chosen(exports, "TRL stepwise")
    opened(exports, "Whose word")
    exports.get_by_label("ada (person)").check()
    exports.get_by_label("ben (person)").check()
    expect(exports.locator("#preview .notice")).to_contain_text("accepted are majority, unanimous, any-wrong")
    exports.get_by_label("Whose word holds").select_option("majority")
    expect(exports.locator("#preview .notice")).to_have_count(0)


def test_a_word_finds_the_formats_that_have_it_and_hides_empty_groups(exports: Page) -> None:
    exports.get_by_label("Search the formats").fill("verl")
    expect(exports.locator(".format-list li:visible")).to_have_count(1)
    expect(exports.locator(".format-list h2:visible")).to_have_count(1)
    exports.get_by_label("Search the formats").press("Enter")
    expect(exports.get_by_role("heading", level=1)).to_have_text("Exports")


def test_the_keyboard_alone_chooses_a_format(exports: Page) -> None:
    exports.get_by_label("Search the formats").focus()
    exports.keyboard.press("Tab")
    if exports.evaluate("document.activeElement.type") != "radio":
        exports.keyboard.press("Tab")
    first = exports.evaluate("document.activeElement.value")
    exports.keyboard.press("ArrowDown")
    second = exports.evaluate("document.activeElement.value")
    assert first != second
    expect(exports.locator("#preview")).to_contain_text(f"--format {second}")
    assert exports.evaluate("document.activeElement.value") == second


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_is_wider_than_the_page(exports: Page, width: int, colours: str) -> None:
    exports.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
    exports.set_viewport_size({"width": width, "height": 900})
    chosen(exports, "Better and worse rollouts for DPO")
    expect(exports.locator("#preview")).to_contain_text('"chosen"')
    for summary in ("Whose word", "Only some trajectories"):
        opened(exports, summary)
    assert exports.evaluate("document.documentElement.scrollWidth") <= width
    if PICTURES:
        exports.screenshot(path=Path(PICTURES) / f"exports-{width}-{colours}.png", full_page=True)


def test_the_page_has_no_barrier(exports: Page) -> None:
    for summary in ("Whose word", "Only some trajectories"):
        opened(exports, summary)
    found = Axe().run(exports, options=RULES)
    assert not found.response["violations"], found.generate_report()


def test_the_page_is_for_those_who_may_take_data(
    page: Page, live_server: LiveServer, log_in: LogIn, project: Project, watch: Watch
) -> None:
    watch.allow("403|404")
    annotator = make.user("annie")
    make.member(project, annotator, Role.ANNOTATOR)
    log_in(annotator)
    answer = page.goto(live_server.url + reverse("exports", args=[project.slug]))
    assert answer is not None and answer.status in (403, 404)
