"""A lead, with a project of three annotators who disagree, gets from its page to a dataset whose card states their
agreement: by the links that the pages offer, with no dead end."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import jobs
from annotations.models import Project, Rater, Run, User
from annotations.services import standing
from tests import make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SAID = {  # what ann, bob and cyd say of the three steps of each trajectory, and of its end
    "same": [([1, 1, 1], 1)] * 3,
    "late": [([1, 1, -1], -1), ([1, 1, 0], -1), ([1, 1, -1], -1)],
    "wide": [([1, -1, -1], -1), ([1, 1, 1], 1), ([1, -1, -1], -1)],
}


@pytest.fixture
def owner() -> User:
    return make.user("lead")


@pytest.fixture
def project(owner: User) -> Project:
    made = make.project(owner=owner, title="Errands", overlap=3)
    people = [make.rater(made, name, Rater.Kind.HUMAN, make.user(name)) for name in ("ann", "bob", "cyd")]
    for one in people:
        make.member(made, one.user)
    for said in SAID.values():
        trajectory = make.trajectory(made, steps=3)
        for rater, (values, final) in zip(people, said, strict=True):
            make.rating(rater, trajectory, values, final)
    standing.touch_all(made)
    return made


def work_done(page: Page) -> None:
    """What was begun is done, as a worker would, and the page of its run says so."""
    run = jobs.run_here(Run.objects.latest("pk"))
    assert (run.state, run.error) == ("done", "")
    page.reload()


def test_from_three_who_disagree_to_a_published_dataset(
    page: Page, live_server: LiveServer, log_in: Callable[[User], None], project: Project, owner: User
) -> None:
    log_in(owner)
    page.goto(live_server.url + reverse("project", args=[project.slug]))
    page.get_by_role("link", name="Decide where people differ").click()
    page.get_by_role("button", name="Decide the next").click()
    for places in (("2.label", "3.label", "whole.final"), ("3.label",)):  # those furthest apart come first
        expect(page.locator(f"[data-place='{places[0]}']")).to_be_focused()
        for path in places:
            place = page.locator(f"[data-place='{path}']")
            place.get_by_role("button", name="See what they said").click()
            place.get_by_role("button", name="Take what cyd says").click()
            expect(place.get_by_text("decided", exact=True)).to_be_visible()
        page.locator("#settle").click()
    page.wait_for_url("**/adjudicate/")
    expect(page.locator("main")).to_contain_text("Nothing waits")

    page.get_by_role("button", name="Take over what all agree on").click()
    expect(page.locator("main")).to_contain_text("1 taken over.")

    page.get_by_role("link", name="Agreement with “adjudicated” as the reference").click()
    page.get_by_label("Reference").select_option(label="adjudicated (consensus)")
    page.get_by_role("button", name="Compute").click()
    work_done(page)
    page.get_by_role("link", name="report").first.click()
    expect(page.locator("main")).to_contain_text("ann")

    page.get_by_role("navigation", name="Project").get_by_role("link", name="Exports").click()
    page.get_by_role("radio", name="Stepmark").first.check()
    page.locator("summary", has_text="Whose word").click()
    page.get_by_label("adjudicated (consensus)").check()
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Exports")
    work_done(page)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="README.md").first.click()
    card = waiting.value.path().read_text()
    assert "## Agreement" in card
    assert "| people | alpha ordinal | 0." in card
    with page.expect_download() as waiting:
        page.get_by_role("link", name="manifest.json").first.click()
    manifest = json.loads(waiting.value.path().read_text())
    assert [one["name"] for one in manifest["raters"]] == ["adjudicated"]
    assert manifest["label_origins"] == {"adjudicated": 12}
