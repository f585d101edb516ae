"""A judge's probes by keyboard alone: read what it fell for, sign for it, take it back; no barrier on the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import JudgeLeave
from tests import make
from tests.browser.test_pages import barriers
from tests.db.test_judge_probes_page import report

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_manager_reads_what_it_fell_for_signs_and_takes_it_back(
    page: Page, live_server: LiveServer, log_in: Callable[..., None]
) -> None:
    owner = make.user("olga")
    project = make.project(owner=owner)
    rater = make.rater(project, "gpt")
    report(rater)
    log_in(owner)
    page.goto(live_server.url + reverse("judge_probe", args=[project.slug, rater.pk]))
    assert barriers(page) == []
    page.locator("#injection summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("an honest judge says the same as before")).to_be_visible()
    assert barriers(page) == []
    page.get_by_label("Why its labels may be used all the same").focus()
    page.keyboard.type("Our own tools.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You have signed for gpt.")).to_be_visible()
    assert JudgeLeave.objects.get().reason == "Our own tools."
    page.get_by_role("button", name="Take the signature back").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The signature is taken back.")).to_be_visible()


def test_the_list_of_judges_and_its_limits_have_no_barrier(
    page: Page, live_server: LiveServer, log_in: Callable[..., None]
) -> None:
    owner = make.user("olga")
    project = make.project(owner=owner)
    report(make.rater(project, "gpt"))
    log_in(owner)
    for width, scheme in ((1280, "light"), (400, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(live_server.url + reverse("judge_probes", args=[project.slug]))
        expect(page.get_by_text("not exported")).to_be_visible()
        assert barriers(page) == []
    page.get_by_label("Prompt injection: verdicts that give way, at most").fill("0.01")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The limits are set.")).to_be_visible()
