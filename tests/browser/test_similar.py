"""From a step to steps like it, by keyboard."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Rater, Step
from tests import make
from tests.browser.test_pages import barriers

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_a_step_to_steps_like_it(page: Page, live_server: LiveServer, log_in: Any) -> None:
    owner = make.user("lead")
    project = make.project(owner=owner, title="Errands")
    one, other = (make.trajectory(project, steps=2) for _ in range(2))
    for number, made in enumerate((one, other)):
        Step.objects.filter(trajectory=made, index=1).update(message=f"I look for the refund policy, try {number}.")
    make.rating(make.rater(project, "ann", Rater.Kind.HUMAN, make.user("ann")), other, [-1, 1], 1)
    log_in(owner)
    page.goto(live_server.url + reverse("trajectory", args=[project.slug, one.pk]))
    page.locator("#step-1").get_by_role("link", name="Similar").press("Enter")
    likes = page.get_by_role("list", name="Steps like it")
    first = likes.get_by_role("listitem").first
    expect(first).to_contain_text("refund policy")
    expect(first.get_by_role("list", name="What raters say of it")).to_contain_text("ann")
    expect(page.locator("main")).to_contain_text("share words")
    assert barriers(page) == []
    for width in (400, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    first.get_by_role("link", name=other.external_id, exact=False).first.press("Enter")
    expect(page.locator("#step-1")).to_be_in_viewport()
