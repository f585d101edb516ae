"""Insight in a browser: asked for, read on any screen, from a number to the rollouts behind it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import jobs
from annotations.models import Project, Run, User
from tests import make
from tests.browser.test_pages import barriers

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def project() -> Project:
    made = make.project(owner=make.user("lead"))
    rater = make.rater(made, "gold")
    task = make.task(made)
    for model, values, success in (("weak", [1], False), ("strong", [1, -1, 1], True)):
        one = make.trajectory(made, of=task, steps=len(values), policy_model=model, outcome={"success": success})
        make.rating(rater, one, values, 1 if success else -1)
    return made


def test_from_whose_labels_to_the_rollouts_behind_a_number(
    page: Page, live_server: LiveServer, log_in: Callable[[User], None], project: Project
) -> None:
    log_in(project.memberships.get().user)
    page.goto(live_server.url + reverse("insight", args=[project.slug]))
    assert barriers(page) == []
    page.get_by_label("Whose labels").select_option(label="gold (judge)")
    page.get_by_role("button", name="Compute").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Insight")
    run = jobs.run_here(Run.objects.latest("pk"))
    page.reload()
    page.get_by_role("link", name=f"report {run.result['insight']}", exact=False).first.click()
    expect(page.get_by_role("region", name="Table by policy model")).to_contain_text("strong")
    page.locator("summary", has_text="They succeed although").click()
    assert barriers(page) == []
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name=project.trajectories.get(policy_model="strong").external_id).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(":1")
