"""Gold items and training in a browser: a newcomer trains by keyboard alone, a lead marks and reads how people do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Annotation, Gold, Label, Project, Rater, User
from annotations.services import gold
from tests import gilded, make
from tests.browser.test_pages import barriers

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LogIn = Callable[..., None]
SHOTS = os.environ.get("STEPMARK_SHOTS")  # a folder that pictures go to, where somebody wants to look


def looked_at(page: Page, name: str) -> None:
    """Light and dark, wide and narrow: no barrier, nothing wider than the window; pictures where one asks for them."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for width in (1280, 400):
            page.set_viewport_size({"width": width, "height": 900})
            assert barriers(page) == [], (name, scheme, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
            if SHOTS:
                page.screenshot(path=Path(SHOTS) / f"{name}-{width}-{scheme}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 800})


@pytest.fixture
def lead() -> User:
    return make.user("lead")


@pytest.fixture
def project(lead: User) -> Project:
    return make.project(owner=lead, title="Searching agents", overlap=2)


def explained(item: Gold) -> None:
    """The reference says why the second step is wrong."""
    wrong = Label.objects.filter(annotation=item.reference_id, step__isnull=False, value=-1)
    wrong.update(explanation="It looks at the wrong place, and the tool said so.")


def test_a_newcomer_trains_by_keyboard_and_then_has_the_queue(
    page: Page, live_server: LiveServer, log_in: LogIn, project: Project
) -> None:
    for item in gilded.known(project, 2, Gold.Use.TRAINING):
        explained(item)
    gilded.planned(project, training=1, mark=60)
    gilded.live(project, 1)
    new = make.user("new")
    make.member(project, new)
    log_in(new)
    page.goto(live_server.url + reverse("project", args=[project.slug]))
    page.get_by_role("link", name="Train first").press("Enter")
    expect(page.get_by_role("heading", name="0 of 1 handed in")).to_be_visible()
    looked_at(page, "training")
    page.get_by_role("link", name="Next item").press("Enter")
    expect(page.locator("html[data-ready]")).to_have_count(1)
    expect(page.get_by_text("Training, item 1 of 1.")).to_be_visible()
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / "training-label.png")
    for key in ("1", "j", "1", "f"):  # the second is wrong, says the reference
        page.keyboard.press(key)
    expect(page.locator("[data-status=saved]")).to_have_count(1)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="What is right")).to_be_visible()
    expect(page.get_by_text("It looks at the wrong place, and the tool said so.")).to_be_visible()
    expect(page.get_by_text("2 of 3", exact=True)).to_be_visible()
    looked_at(page, "training-feedback")
    page.get_by_role("link", name="You have passed: label next").press("Enter")
    expect(page.locator("html[data-ready]")).to_have_count(1)
    expect(page.get_by_text("Training, item")).to_have_count(0)
    assert Annotation.objects.filter(rater__user=new).order_by("pk").values_list("purpose", flat=True)[1] == ""


def test_below_the_mark_the_page_says_what_is_wanted_and_offers_others(
    page: Page, live_server: LiveServer, log_in: LogIn, project: Project
) -> None:
    gilded.known(project, 2, Gold.Use.TRAINING)
    gilded.planned(project, training=1, mark=90)
    new = make.user("new")
    make.member(project, new)
    gilded.answer(gilded.take(project, new), [1, 1])
    log_in(new)
    page.goto(live_server.url + reverse("label_next", args=[project.slug]))
    page.get_by_role("link", name="See how you did").press("Enter")
    expect(page.get_by_role("heading", name="Not yet: 67 %")).to_be_visible()
    looked_at(page, "training-below")
    page.get_by_role("button", name="Try again with others").press("Enter")
    expect(page.get_by_text("Training, item 1 of 1.")).to_be_visible()


def test_a_lead_marks_what_is_known_and_reads_how_people_do(
    page: Page, live_server: LiveServer, log_in: LogIn, project: Project, lead: User
) -> None:
    items = gilded.known(project, 10)
    ann = make.rater(project, "ann", Rater.Kind.HUMAN, make.user("ann"))
    for number, item in enumerate(items):
        make.rating(ann, item.trajectory, [1, 1 if number > 6 else -1], final=1, purpose="gold")
    for number, trajectory in enumerate(gilded.live(project, 10)):
        make.rating(ann, trajectory, [1, -1], final=1)
        make.rating(ann, trajectory, [1, 1 if number > 6 else -1], final=1, purpose="repeat")
    gilded.known(project, 1, Gold.Use.TRAINING)
    gold.unmark(items[0], None)
    gilded.planned(project, every=5, again=10, training=2)
    make.member(project, make.user("new"))
    log_in(lead)
    page.goto(live_server.url + reverse("trajectory", args=[project.slug, items[0].trajectory_id]))
    panel = page.get_by_role("region", name="Known answer")
    panel.get_by_text("Mark it").last.press("Enter")
    expect(panel.get_by_label("Whose labels are right")).to_contain_text("gold (imported)")
    expect(page.get_by_role("row", name="ann person gold item")).to_have_count(1)
    panel.scroll_into_view_if_needed()
    looked_at(page, "gold-trajectory")
    panel.get_by_role("button", name="Mark as known").press("Enter")
    expect(page.get_by_text("Its answer is known now")).to_be_visible()
    expect(panel.get_by_text("Slipped into the queue").first).to_be_visible()
    panel.get_by_role("link", name="All gold items").press("Enter")
    expect(page.get_by_role("heading", level=1, name="Gold items and training")).to_be_visible()
    table = page.get_by_role("region", name="Table of how people do")
    expect(table.get_by_role("row", name="ann")).to_contain_text("0.900")
    again = page.get_by_role("region", name="Table of items given again")
    expect(again.get_by_role("row", name="ann")).to_contain_text("0.900")
    looked_at(page, "gold")
    page.get_by_role("button", name="Let pass new").press("Enter")
    expect(page.get_by_text("let pass by lead")).to_be_visible()
    page.goto(live_server.url + reverse("quality", args=[project.slug]))
    expect(page.get_by_role("columnheader", name="On gold items")).to_be_visible()
    expect(page.get_by_role("columnheader", name="As themselves on items given again")).to_be_visible()
    looked_at(page, "gold-quality")
