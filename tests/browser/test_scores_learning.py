"""The embedded scorer is taught from the scores page by keys, and the page says what it learnt and how that drifts."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import jobs
from annotations.models import Label, Project, Rater, Role, Run
from tests import make
from tests.db.test_scores import labelled
from tests.db.test_training_heard import judged, noisy

LogIn = Callable[..., None]


@pytest.fixture
def project(log_in: LogIn, page: Page, live_server: LiveServer) -> Project:
    made = make.project()
    labelled(made, Rater.Kind.HUMAN)
    owner = make.user("olga")
    make.member(made, owner, Role.OWNER)
    log_in(owner)
    page.goto(live_server.url + reverse("scores", args=[made.slug]))
    return made


def learn(page: Page, live_server: LiveServer, project: Project, button: str) -> None:
    """Ask for it by keys, do the work here, and go to what came of it."""
    page.get_by_role("button", name=button).focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/runs/"))
    run = Run.objects.filter(project=project, kind=Run.Kind.TRAIN).latest("pk")
    jobs.run_here(run)
    page.goto(live_server.url + reverse("run", args=[project.slug, run.pk]))
    page.get_by_role("link", name="See how good it is").click()
    expect(page.get_by_role("heading", name="What it learns")).to_be_visible()


def test_it_is_taught_by_keys_and_says_what_it_learnt_and_what_drifts(
    page: Page, live_server: LiveServer, project: Project
) -> None:
    judged(project)
    noisy(project)
    learn(page, live_server, project, "Learn from the labels")
    expect(page.get_by_text("it also looks at judge jo")).to_be_visible()
    expect(page.get_by_text("Drift: none")).to_be_visible()
    for _ in range(30):
        make.trajectory(project, of=make.task(project), steps=9)
    gold = Label.objects.current().filter(field="label", value=-1, annotation__rater__name="gold").first()
    assert gold
    Label.objects.filter(pk=gold.pk).update(value=1)
    learn(page, live_server, project, "Learn again")
    table = page.get_by_role("region", name="What was learnt when")
    expect(table.get_by_role("row")).to_have_count(3)
    expect(page.get_by_text(re.compile(r"Drift: \d+ of \d+ features moved"))).to_be_visible()
    expect(page.get_by_role("region", name="Features that moved most").get_by_text("moved").first).to_be_visible()
    if folder := os.environ.get("SHOTS"):
        shoot(page, Path(folder))
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not Axe().run(page).response["violations"]


def shoot(page: Page, folder: Path) -> None:
    for width in (1280, 400):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.screenshot(path=str(folder / f"scores-{width}-{scheme}.png"), full_page=True)
