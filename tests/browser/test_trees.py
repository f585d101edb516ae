"""Trees on the label page: rules reach along a way and no further, and one can go where a step hangs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Annotation, Role
from annotations.services import imports
from tests import make
from tests.browser.desk import Desk
from tests.db.importing import SAMPLES
from tests.db.test_trees import hung

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def open_desk(page: Page, live_server: LiveServer, log_in: Callable[..., None]) -> Callable[..., Desk]:
    def opened(**fields: object) -> Desk:
        annotator = make.user()
        made = make.lease(hung(make.trajectory(make.project(annotator, **fields), steps=5)), annotator)
        if made.mode == "progressive":
            Annotation.objects.filter(pk=made.pk).update(frontier=1)
        log_in(annotator)
        return Desk(page, live_server.url, made).open()

    return opened


def test_an_error_is_carried_to_what_was_tried_after_it_here_and_on_the_server(open_desk):
    desk = open_desk()
    desk.press("j", "k", "-")  # keys go through the steps in order, whatever hangs on what
    desk.ghosts(2, 3)
    desk.press("j", "j", "j", "-")
    desk.in_focus(4)
    desk.ghosts(2, 3, 5)
    desk.press("p").saved()
    assert desk.origins() == {1: "human", 2: "propagated", 3: "propagated", 4: "human", 5: "propagated"}
    desk.page.reload()
    desk.ready().press("g", "g", "x").saved()
    assert desk.stored() == {4: -1, 5: -1}


def test_the_links_beside_a_step_lead_to_the_others_without_a_new_page(open_desk):
    desk = open_desk()
    desk.page.evaluate("window.same = true")
    desk.card(2).get_by_role("link", name="step 3").focus()
    desk.press("Enter")
    desk.in_focus(3)
    desk.card(3).get_by_role("link", name="step 1").click()
    desk.in_focus(1)
    assert desk.page.evaluate("window.same")


def test_steps_that_come_one_by_one_hang_where_they_were_tried(open_desk):
    desk = open_desk(mode="progressive")
    desk.press("-")
    expect(desk.card(2)).to_be_visible()
    desk.ghosts(2)
    desk.press("j", "1")
    expect(desk.card(3)).to_be_visible()
    desk.ghosts(3)
    desk.press("j", "1")
    expect(desk.card(4)).to_be_visible()
    desk.ghosts()
    desk.press("j", "-")
    expect(desk.card(5)).to_be_visible()
    desk.ghosts(5)


def test_a_lead_goes_through_an_imported_tree_by_its_links(page, live_server, log_in):
    lead = make.user()
    project = make.project(lead)
    make.member(project, owner := make.user(), Role.OWNER)
    imports.import_trajectories(project, [SAMPLES / "search-tree.jsonl"])
    trajectory = project.trajectories.order_by("pk").first()
    log_in(owner)
    page.goto(f"{live_server.url}/p/{project.slug}/trajectories/{trajectory.pk}/")
    expect(page.locator("#step-3")).to_contain_text("q −1 · visits 2 · prior 0.3")
    page.locator("#step-3").get_by_role("link", name="step 2").click()
    expect(page.locator("#step-2")).to_be_focused()
