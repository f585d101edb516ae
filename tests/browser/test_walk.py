"""The walk with a screen reader that docs/annotators.md describes: what it quotes is what the page gives to be spoken.

The page is met by roles and names alone, as assistive technology meets it, and moved through by keys.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Project, User
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = (Path(__file__).parents[2] / "docs" / "annotators.md").read_text()
WALK = PAGE[PAGE.index("## With a screen reader") : PAGE.index("## Small windows")]


@pytest.fixture
def annotator() -> User:
    return make.user("ann")


@pytest.fixture
def project(annotator: User) -> Project:
    project = make.project(make.user("lead"))
    make.member(project, annotator)
    make.trajectory(project, steps=4)
    make.trajectory(project, steps=4)
    return project


def quoted(text: str) -> str:
    """A text that the walk quotes; so a page that says something else fails here, and so does a walk that does."""
    assert f'"{text}"' in WALK, f"the walk does not quote {text!r}"
    return text


def spoken(page: Page) -> Locator:
    """What the label page announces."""
    return page.locator("[aria-live=polite][data-says]")


def in_focus(page: Page, role: str, name: str) -> None:
    expect(page.get_by_role(role, name=name, exact=True)).to_be_focused()  # type: ignore[arg-type]


def test_from_signing_in_to_the_next_item(
    page: Page, live_server: LiveServer, annotator: User, project: Project
) -> None:
    page.goto(live_server.url + reverse("project", args=[project.slug]))
    signs_in(page)
    overview(page, project)
    page.get_by_role("link", name=quoted("Label next")).first.press("Enter")
    expect(page.locator("html[data-ready]")).to_have_count(1)
    landmarks(page, project)
    steps(page)
    announcements(page)
    texts(page)
    hands_in(page)


def signs_in(page: Page) -> None:
    expect(page.get_by_role("heading", name=quoted("Sign in"))).to_be_visible()
    expect(page.get_by_role("link", name=quoted("Skip to the content"))).to_have_count(1)
    page.get_by_role("textbox", name=quoted("User name")).fill("ann")
    page.get_by_role("textbox", name=quoted("Password")).fill(make.PASSWORD)
    page.get_by_role("button", name=quoted("Sign in")).press("Enter")


def overview(page: Page, project: Project) -> None:
    expect(page.get_by_role("heading", level=1, name=project.title)).to_be_visible()
    todo = page.get_by_role("region", name=quoted("What to do next"))
    expect(todo.get_by_role("listitem").get_by_role("link")).to_have_count(1)


def landmarks(page: Page, project: Project) -> None:
    name = page.get_by_role("heading", level=1).first.inner_text()
    assert re.fullmatch(rf"Label: {re.escape(project.title)}, item \d+", name)
    expect(page.locator("main").get_by_role("heading", level=1, name=re.compile("^Label: "))).to_have_count(1)
    item = page.get_by_role("region", name=quoted("This item"))
    for button in ("Undo", "Redo", "Skip", "Keys", "Submit"):
        expect(item.get_by_role("button", name=button, exact=True)).to_have_count(1)
    expect(page.get_by_role("complementary", name=quoted("Task"))).to_be_visible()
    expect(page.get_by_role("feed", name=quoted("Steps"))).to_be_visible()
    expect(page.get_by_role("navigation", name=quoted("Strip of steps"))).to_be_visible()


def steps(page: Page) -> None:
    in_focus(page, "article", "Step 1")
    page.keyboard.press("j")
    in_focus(page, "article", "Step 2")
    card = page.get_by_role("article", name="Step 2", exact=True)
    expect(card.get_by_role("heading", level=2, name="Step 2")).to_be_visible()
    assert '"Label of step 4"' in WALK
    answers = card.get_by_role("group", name="Label of step 2")
    for title, key in ((quoted("Right +1"), "1"), (quoted("Neutral 0"), "0"), (quoted("Wrong −1"), "-")):
        button = answers.get_by_role("button", name=title, pressed=False)
        assert key in (button.get_attribute("aria-keyshortcuts") or "").split()
    for title in ("Correction", "Note", "Ask or flag"):
        expect(card.get_by_role("button", name=quoted(title), exact=True)).to_be_visible()


def announcements(page: Page) -> None:
    page.keyboard.press("-")
    expect(spoken(page)).to_have_text(quoted("Step 2: Wrong, 2 suggested after it"))
    expect(page.get_by_role("article", name="Step 3", exact=True)).to_contain_text("Suggested, carried on from step 2")
    strip = page.get_by_role("navigation", name="Strip of steps").get_by_role("link")
    assert [one.get_attribute("aria-label") for one in strip.all()] == [
        "Step 1: unlabelled",
        "Step 2: Wrong",
        "Step 3: Wrong, suggested",
        "Step 4: Wrong, suggested",
    ]
    expect(strip.nth(1)).to_have_attribute("aria-current", "step")
    page.keyboard.press("u")
    expect(spoken(page)).to_have_text(quoted("Undone: Step 2."))
    page.keyboard.press("k")
    page.keyboard.press("1")
    expect(spoken(page)).to_have_text("Step 1: Right")
    page.keyboard.press("f")
    expect(spoken(page)).to_have_text(quoted("Final result: Solved"))


def texts(page: Page) -> None:
    page.keyboard.press("n")
    in_focus(page, "textbox", "Note of step 1")
    page.keyboard.press("Escape")
    in_focus(page, "article", "Step 1")
    page.keyboard.press("e")
    in_focus(page, "textbox", "Why this label of step 1")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    in_focus(page, "searchbox", quoted("Find in this trajectory"))
    page.keyboard.press("Escape")


def hands_in(page: Page) -> None:
    page.keyboard.press("Control+Enter")
    expect(spoken(page)).to_have_text("Still missing: Step 2 and 2 more.")
    in_focus(page, "article", "Step 2")
    for _ in range(3):
        page.keyboard.press("1")
        page.keyboard.press("J")
    expect(spoken(page)).to_have_text(quoted("No unlabelled step that way."))
    here = page.url
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: url != here)
    in_focus(page, "article", "Step 1")
