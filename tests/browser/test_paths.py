"""The paths of a task in a browser: from a trajectory to the picture, its table, and the steps behind both."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Task, User
from tests import make
from tests.browser.test_pages import barriers
from tests.ways import rollout

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WAYS = (("abe", True), ("abe", True), ("acbe", True), ("acd", False), ("ad", False), ("abce", True), ("abbae", None))


@pytest.fixture
def task() -> Task:
    project = make.project(owner=make.user("lead"))
    task = make.task(project, instruction="Find the river that runs through Paris, and say where it ends.")
    gold, jo = make.rater(project, "gold"), make.rater(project, "jo")
    for number, (letters, passed) in enumerate(WAYS):
        made = rollout(task, letters, passed, policy_model="strong" if passed else "weak")
        make.rating(gold, made, [-1 if letter in "dc" else 1 for letter in letters])
        if number < 2:
            make.rating(jo, made, [1, 1 if number else -1, 1])
    return task


def test_from_a_trajectory_to_all_ways_and_back_to_a_step(
    page: Page, live_server: LiveServer, log_in: Callable[[User], None], task: Task
) -> None:
    project = task.project
    log_in(project.memberships.get().user)
    first = task.trajectories.get(rollout=0)
    page.goto(live_server.url + reverse("trajectory", args=[project.slug, first.pk]))
    page.get_by_text("Compare with others").click()
    page.get_by_role("link", name="All as paths").click()
    expect(page.get_by_role("heading", level=1, name="Paths")).to_be_visible()
    assert barriers(page) == []
    region = page.get_by_role("region", name="Picture of the ways")
    region.focus()
    expect(region).to_be_focused()
    assert page.locator("svg.ways rect").count() == page.locator("table.states tbody tr").count()
    expect(page.get_by_role("region", name="Table of states")).to_contain_text("4 of 6, 1 not known")
    expect(page.get_by_text("jo contradicts themself")).to_be_visible()
    expect(page.get_by_role("region", name="Table of rollouts").get_by_text("recovers")).to_have_count(2)
    page.locator("svg.ways a").nth(1).click()
    expect(page.locator("#stretch-2")).to_be_in_viewport()
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert barriers(page) == []
    page.get_by_role("link", name="Rollout 0, step 2", exact=True).first.press("Enter")
    expect(page.locator("#step-2")).to_be_in_viewport()


def test_the_comparison_leads_there_too(
    page: Page, live_server: LiveServer, log_in: Callable[[User], None], task: Task
) -> None:
    log_in(task.project.memberships.get().user)
    ids = ",".join(str(pk) for pk in task.trajectories.order_by("rollout").values_list("pk", flat=True)[:2])
    page.goto(f"{live_server.url}{reverse('compare', args=[task.project.slug])}?ids={ids}")
    page.get_by_role("link", name="All rollouts as paths").press("Enter")
    expect(page.get_by_role("heading", level=2, name="How they part and meet")).to_be_visible()
