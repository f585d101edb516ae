"""Why a judge said that, looked at in a browser: everything behind a verdict, without a barrier, on any screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import jobs
from annotations.models import JudgeVerdict, Rater, User
from annotations.services import judges as services
from tests import judges, make
from tests.browser.test_pages import barriers
from tests.judge_server import JudgeServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_a_pass_to_every_question_behind_it(
    page: Page, live_server: LiveServer, log_in: Callable[[User], None]
) -> None:
    project = make.project(owner=make.user("lead"), title="Searching agents")
    trajectory = make.trajectory(project)
    trajectory.steps.filter(index=2).update(message="lorem ipsum, " * 3_000)
    with JudgeServer() as server:
        settings = {"method": "majority", "samples": 3, "temperature": 0.7, "observation_limit": 50_000}
        made = judges.judge(project, judges.server(server.url), prompt="Label. {{fields}}", **settings)
        jobs.run_here(services.start(made, None))
    person = make.rater(project, "ann", Rater.Kind.HUMAN, make.user("ann"))
    make.rating(person, trajectory, [1, -1, 1], 1)
    log_in(project.memberships.get().user)
    page.goto(live_server.url + reverse("trajectory", args=[project.slug, trajectory.pk]))
    page.get_by_role("link", name="why").first.click()
    expect(page.get_by_role("region", name="Question 3")).to_be_visible()
    assert JudgeVerdict.objects.get().calls.count() == 3
    page.locator("summary", has_text="The answer").first.press("Enter")
    expect(page.get_by_label("The answer").first).to_contain_text("Because it does.")
    page.locator("summary", has_text="User message").first.press("Enter")
    page.locator("summary", has_text="Show all").first.press("Enter")
    expect(page.get_by_label("The middle of it").first).to_contain_text("lorem ipsum")
    assert barriers(page) == []
    page.set_viewport_size({"width": 400, "height": 800})
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert barriers(page) == []

    page.goto(live_server.url + reverse("judge_corrections", args=[project.slug, made.pk]))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert barriers(page) == []
    page.get_by_role("link", name="take all that people correct as fine-tuning rows").press("Enter")
    expect(page.get_by_text("--option which=corrected --rater human:ann --judge")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert barriers(page) == []
    page.go_back()
    page.get_by_role("checkbox").press("Space")
    page.get_by_role("button", name="Next version with these as examples").press("Enter")
    expect(page.get_by_text("It is shown 1 judgement of people as examples.")).to_be_visible()
