"""Agreement as it stands now: the page follows the labels while it is open."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Annotation, Project, Rater, Report, Trajectory, User
from annotations.services import changes, standing
from models_service import counting
from tests import make
from tests.browser.test_pages import barriers

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LOOK = os.environ.get("LOOK", "")  # a folder: keep what the report looks like


@pytest.fixture
def owner() -> User:
    return make.user("lead")


@pytest.fixture
def project(owner: User) -> Project:
    return make.project(owner=owner, title="Searching agents")


@pytest.fixture
def raters(project: Project) -> list[Rater]:
    people = [make.rater(project, name, Rater.Kind.HUMAN, make.user(name)) for name in ("ann", "bob")]
    return [*people, make.rater(project, "a judge")]


@pytest.fixture
def trajectory(project: Project, raters: list[Rater]) -> Trajectory:
    found = make.trajectory(project, steps=3)
    for rater, values in zip(raters, ([1, -1, 1], [1, -1, 0], [1, 1, 1]), strict=True):
        make.rating(rater, found, values, 1)
    standing.touch(project, [found.pk])
    return found


def test_the_page_follows_a_label_that_is_handed_in(
    page: Page, live_server: LiveServer, log_in: Any, project: Project, owner: User, trajectory: Trajectory
) -> None:
    counting.count(project.pk)
    log_in(owner)
    address = live_server.url + reverse("agreement", args=[project.slug])
    page.goto(address)
    now = page.locator("#now")
    expect(now).to_contain_text("Every label that was handed in is in it.")
    row = now.get_by_role("row", name="Pairwise agreement").first
    expect(row.get_by_role("cell").first).to_have_text("0.556")
    assert barriers(page) == []

    late = make.rater(project, "cleo", Rater.Kind.HUMAN, make.user("cleo"))
    found = make.rating(late, trajectory, [1, -1, 1], 1, state="draft")
    changes.move(found, Annotation.State.SUBMITTED, "label.submitted", owner, comment="")
    page.reload()
    expect(now).to_contain_text("1 task is being counted")
    now.get_by_text("more coefficients").first.focus()
    counting.count(project.pk)
    expect(now).to_contain_text("Every label that was handed in is in it.")
    expect(row.get_by_role("cell").first).to_have_text("0.667")


def test_the_page_is_fit_for_a_narrow_screen_and_for_the_dark(
    page: Page, live_server: LiveServer, log_in: Any, project: Project, owner: User, trajectory: Trajectory
) -> None:
    counting.count(project.pk)
    log_in(owner)
    page.set_viewport_size({"width": 400, "height": 800})
    page.emulate_media(color_scheme="dark")
    page.goto(live_server.url + reverse("agreement", args=[project.slug]))
    expect(page.locator("#now")).to_contain_text("As of")
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_who_calls_what_and_who_differs_come_when_they_are_opened(
    page: Page, live_server: LiveServer, log_in: Any, project: Project, owner: User, trajectory: Trajectory
) -> None:
    for number in range(4):
        make.rating(make.rater(project, f"judge {number}"), trajectory, [1, -1, 1], 1)
    call_command("agreement", project.slug, reference="judge:a judge", stdout=StringIO())
    log_in(owner)
    page.goto(live_server.url + reverse("report", args=[project.slug, Report.objects.get().pk]))
    page.locator("summary", has_text="21 pairs of raters").press("Enter")
    expect(page.get_by_role("region", name="Pairs of raters").get_by_role("row")).to_have_count(22)
    page.locator("summary", has_text="Confusion").press("Enter")
    expect(page.get_by_text("rows: the reference")).to_have_count(6)
    assert barriers(page) == []
    for width, scheme in ((1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        assert barriers(page) == []
        if LOOK:
            page.screenshot(path=Path(LOOK) / f"report-{width}-{scheme}.png", full_page=True)
