"""A scoring run in the browser: what it would take, trying, pausing, resuming, and where its scores come from."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import jobs
from annotations.models import Project, Role, Run, User
from tests import make
from tests.browser.conftest import Watch

PRICE = {"prompt": 3_000_000, "completion": 15_000_000, "currency": "USD", "version": "2026-11"}
ASKED = {"calls": 420, "prompt_tokens": 910_000, "completion_tokens": 51_000}


@pytest.fixture
def project(settings: Any) -> Project:
    choosy = {"class": "tests.slow.ChoosyScorer", "options": {}}
    settings.SCORERS = {"choosy": {"title": "Choosy", **choosy}, "dear": {"title": "Dear", **choosy, "price": PRICE}}
    project = make.project(title="Errands")
    for number in range(22):
        make.trajectory(project, steps=3 if number % 11 == 0 else 2)
    return project


@pytest.fixture
def lead(project: Project) -> User:
    user = make.user()
    make.member(project, user, Role.MANAGER)
    return user


def seen(page: Page, name: str) -> None:
    """Keep pictures of it where somebody asked for them."""
    if folder := os.environ.get("SEEN"):
        for width in (1280, 400):
            for scheme in ("light", "dark"):
                page.set_viewport_size({"width": width, "height": 900})
                page.emulate_media(color_scheme=scheme)
                page.screenshot(path=str(Path(folder) / f"{name}-{width}-{scheme}.png"), full_page=True)
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme="light")


def test_a_lead_tries_starts_pauses_and_resumes_by_keyboard(
    page: Page, log_in: Callable[..., None], live_server: LiveServer, project: Project, lead: User
) -> None:
    log_in(lead)
    scores = live_server.url + reverse("scores", args=[project.slug])
    page.goto(scores)
    expect(page.get_by_text("How long it takes here is not known yet.")).to_have_count(2)
    seen(page, "scores-unknown")
    page.get_by_role("button", name="Try it on 5 trajectories first").last.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Pre-score")
    tried = jobs.run_here(Run.objects.get(project=project))
    spent = tried.result["spent"] | {"usage": ASKED, "seconds": 95.0}
    Run.objects.filter(pk=tried.pk).update(result=tried.result | {"spent": spent})
    page.reload()
    expect(page.get_by_text("A try on 5 trajectories")).to_be_visible()
    expect(page.get_by_text("asked 420 times")).to_be_visible()
    seen(page, "run-tried")

    page.goto(scores)
    seen(page, "scores-known")
    page.get_by_role("button", name="Score all trajectories").last.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Score with Dear?")).to_be_visible()
    seen(page, "scores-sure")
    page.locator("#sure").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    run = Run.objects.filter(project=project).order_by("-pk")[0]
    page.locator(f"#pause-{run.pk}").focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"#resume-{run.pk}")).to_be_visible()
    run.refresh_from_db()
    assert run.state == Run.State.PAUSED
    seen(page, "run-paused")

    page.goto(live_server.url + reverse("runs", args=[project.slug]))
    seen(page, "runs-paused")
    page.locator(f"#resume-{run.pk}").focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"#pause-{run.pk}")).to_be_visible()
    jobs.run_here(run)
    page.goto(live_server.url + reverse("run", args=[project.slug, run.pk]))
    expect(page.get_by_text("2 trajectories could not be scored")).to_be_visible()
    seen(page, "run-done")
    with page.expect_download() as download:
        page.get_by_role("link", name="All as JSONL").click()
    assert len(Path(download.value.path()).read_text().splitlines()) == 2


def test_the_servers_administrator_adds_a_scorer_by_keyboard(
    page: Page, log_in: Callable[..., None], live_server: LiveServer, project: Project, watch: Watch
) -> None:
    watch.allow("status of 422")
    log_in(User.objects.create_superuser("root", password="x"))
    page.goto(live_server.url + reverse("scorers"))
    page.get_by_label("Name").focus()
    page.keyboard.type("budgets")
    page.keyboard.press("Tab")
    page.keyboard.type("Segment budgets")
    page.get_by_label("Class").select_option("SegmentBudgets")
    page.get_by_label("Options").fill('{"budgets": [0.5, 0.5]')
    page.get_by_role("button", name="Add it").press("Enter")
    expect(page.get_by_text("This is not JSON")).to_be_visible()
    seen(page, "scorers-refused")
    page.get_by_label("Options").fill('{"budgets": [0.5, 0.5]}')
    page.get_by_role("button", name="Add it").press("Enter")
    expect(page.get_by_text("budgets is added")).to_be_visible()
    seen(page, "scorers-added")
