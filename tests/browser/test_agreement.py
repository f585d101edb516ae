"""Agreement as it stands now: the page follows the labels while it is open."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Annotation, Project, Rater, Trajectory, User
from annotations.services import changes, standing
from models_service import counting
from tests import make
from tests.browser.test_pages import barriers

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


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
