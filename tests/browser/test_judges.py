"""From a server to labels by a judge, in a browser: added by the administrator, made and tried by a manager."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import jobs
from annotations.models import JudgeVerdict, Project, Run, User
from tests import make
from tests.browser.test_pages import barriers
from tests.judge_server import JudgeServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    with JudgeServer() as found:
        yield found


@pytest.fixture
def project() -> Project:
    made = make.project(owner=make.user("lead", is_superuser=True), title="Searching agents")
    for _ in range(6):
        make.trajectory(made)
    return made


def test_from_a_server_to_labels(
    page: Page, live_server: LiveServer, log_in: Callable[[User], None], project: Project, server: JudgeServer
) -> None:
    log_in(project.memberships.get().user)
    page.goto(live_server.url + reverse("judges", args=[project.slug]))
    page.get_by_role("link", name="Add one").click()
    assert barriers(page) == []
    page.get_by_label("Name").fill("lab")
    page.get_by_label("Title").fill("The lab’s server")
    page.get_by_label("Address").fill(server.url)
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", name="The lab’s server")).to_be_visible()

    page.goto(live_server.url + reverse("judges", args=[project.slug]))
    page.get_by_role("link", name="Make a judge").click()
    expect(page.locator("html[data-ready]")).to_have_count(1)
    assert barriers(page) == []
    page.get_by_label("Name").fill("careful")
    page.get_by_label("Model").fill("tiny")
    page.get_by_role("button", name="short").first.click()
    expect(page.get_by_role("textbox", name="Prompt")).not_to_be_empty()
    page.get_by_role("button", name="Make the judge").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("careful v1")
    assert barriers(page) == []

    page.get_by_role("button", name="Try on 5").click()
    page.wait_for_url("**/runs/*/")
    run = jobs.run_here(Run.objects.latest("pk"))
    assert (run.state, run.error, JudgeVerdict.objects.count()) == ("done", "", 5)
    page.reload()
    expect(page.get_by_role("region", name="What was asked")).to_contain_text("answered")
    assert barriers(page) == []
    page.get_by_role("link", name="careful v1").first.click()
    page.get_by_role("button", name="On all").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ask careful v1?")
    assert barriers(page) == []
    page.get_by_role("button", name="Yes, ask it").click()
    page.wait_for_url("**/runs/*/")
    jobs.run_here(Run.objects.latest("pk"))
    assert JudgeVerdict.objects.count() == 6
    page.goto(live_server.url + reverse("judges", args=[project.slug]))
    expect(page.get_by_role("region", name="Versions of careful")).to_contain_text("6")
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(live_server.url + reverse("judge_budget", args=[project.slug]))
    assert barriers(page) == []
