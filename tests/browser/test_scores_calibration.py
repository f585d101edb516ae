"""The scores page calibrates a scorer: asked for by keys, and read off the page, a table and a trajectory after."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import jobs
from annotations.models import Rater, Role, Run, User
from tests import make
from tests.db.test_calibration import KINDS
from tests.db.test_calibration import project as scored

LogIn = Callable[..., None]


@pytest.fixture
def owner() -> User:
    return make.user("olga")


@pytest.fixture
def open_scores(page: Page, live_server: LiveServer, log_in: LogIn, owner: User) -> Callable[..., str]:
    """open_scores(…) opens the page of a project that is scored, and labelled as far as asked; returns its slug."""

    def enter(**asked: int | bool) -> str:
        made = scored(**asked)
        make.member(made, owner, Role.OWNER)
        log_in(owner)
        page.goto(live_server.url + reverse("scores", args=[made.slug]))
        return made.slug

    return enter


def calibrate(page: Page, live_server: LiveServer, slug: str) -> None:
    """Ask for it by keys, do the work here, and go to what came of it."""
    page.get_by_label("Map").focus()
    page.keyboard.type("Pl")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/runs/"))
    run = Run.objects.get(project__slug=slug, kind=Run.Kind.CALIBRATE)
    assert run.config["method"] == "platt"
    jobs.run_here(run)
    page.goto(live_server.url + reverse("run", args=[slug, run.pk]))
    page.get_by_role("link", name="See how good it is").click()


def test_a_scorer_is_calibrated_by_keys_and_says_how_good_it_is(
    page: Page, live_server: LiveServer, open_scores: Callable[..., str], tmp_path: Path
) -> None:
    slug = open_scores()
    expect(page.get_by_text("Not calibrated yet")).to_be_visible()
    calibrate(page, live_server, slug)
    section = page.locator(".calibration")
    expect(section.get_by_role("heading", name="Calibration platt")).to_be_visible()
    expect(section.get_by_text("48 labelled steps (18 wrong) of 12 trajectories in 6 tasks")).to_be_visible()
    expect(section.get_by_text("Fewer than 200 labelled steps")).to_be_visible()
    expect(section.get_by_role("row", name=re.compile("Brier score"))).to_contain_text(re.compile(r"0\.\d{3}–0\.\d{3}"))
    expect(section.get_by_role("img", name=re.compile("Reliability: said against seen"))).to_be_visible()
    with page.expect_download() as download:
        section.get_by_role("link", name="Download as CSV").click()
    download.value.save_as(tmp_path / "calibration.csv")
    rows = list(csv.DictReader((tmp_path / "calibration.csv").read_text().splitlines()))
    assert sum(int(row["steps"]) for row in rows if row["bins"] == "equal spans") == 2 * 48
    expect(section.locator("code").last).to_have_text(
        f"python manage.py calibrate {slug} --scorer embedded --method platt --wait"
    )


def test_labels_that_came_since_are_told_of(
    page: Page, live_server: LiveServer, open_scores: Callable[..., str]
) -> None:
    slug = open_scores(labelled=5)
    calibrate(page, live_server, slug)
    expect(page.locator(".calibration").get_by_role("heading", name="Calibration platt")).to_be_visible()
    expect(page.get_by_text("Labels have changed since")).to_have_count(0)
    ann = Rater.objects.get(name="ann")
    for one, kind in zip(ann.project.trajectories.filter(annotations=None), KINDS, strict=True):
        make.rating(ann, one, list(kind))
    page.reload()
    expect(page.get_by_text("Labels have changed since")).to_be_visible()
    expect(page.get_by_role("button", name="Calibrate again")).to_be_visible()


def test_where_labels_are_few_it_says_how_many_it_needs(page: Page, open_scores: Callable[..., str]) -> None:
    open_scores(labelled=2)
    expect(page.get_by_text("Needs labels in 5 tasks; there are some in 2.")).to_be_visible()
    expect(page.get_by_role("button", name="Calibrate")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_section_shuts_nobody_out_and_nothing_out_of_sight(
    page: Page, live_server: LiveServer, open_scores: Callable[..., str], scheme: str, width: int
) -> None:
    slug = open_scores(bare=True)
    calibrate(page, live_server, slug)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 800})
    expect(page.locator(".calibration").get_by_role("heading", name="Calibration platt")).to_be_visible()
    for one in page.locator(".calibration summary").all():
        one.click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()
