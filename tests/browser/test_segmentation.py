"""Importing in smaller steps in the browser: asked for in the form; what could not go along is on the pages, linked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import jobs
from annotations.models import Project, Run, User
from annotations.services import imports
from tests import make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def record(number: int, *said: str) -> dict[str, object]:
    turns = [{"role": "user", "content": "How deep is the shaft?"}]
    turns += [{"role": "assistant", "content": one} for one in said]
    return {"id": f"shaft-{number}", "task_id": "shaft", "rollout": number, "messages": turns}


RECORDS = [
    record(0, "I look for the shaft.\n\nThen I measure it.", "It is 12 m deep."),
    record(1, "I guess.", "<b>It is 13 m</b> deep."),
]
TWINS = [record(2, "I guess.", "<b>It is 13 m</b> deep."), record(3, "I guess  twice.", "12 m.")]


@pytest.fixture
def lead() -> User:
    return make.user("lead")


@pytest.fixture
def project(lead: User, tmp_path: Path) -> Project:
    """With a judge's labels on what came in by message."""
    project = make.project(owner=lead)
    imports.import_trajectories(project, [written(tmp_path, RECORDS)])
    judge = make.rater(project, "judge")
    for trajectory in project.trajectories.all():
        make.rating(judge, trajectory, [-1, 1], final=1)
    return project


def written(folder: Path, records: list[dict[str, object]]) -> Path:
    path = folder / "shafts.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    return path


def start(page: Page, url: str, project: Project, path: Path, duplicates: str = "skip") -> Run:
    page.goto(url + reverse("imports", args=[project.slug]))
    page.get_by_label("Files").set_input_files(path)
    page.get_by_label("A step is a").select_option("paragraph")
    page.get_by_label("Rollouts that are there already").select_option(duplicates)
    page.get_by_role("button", name="Import").click()
    page.wait_for_url("**/runs/*/")
    return jobs.run_here(Run.objects.latest("pk"))


def test_labels_that_could_not_go_along_lead_to_where_they_stand(
    page: Page, live_server: LiveServer, log_in: Callable[..., None], lead: User, project: Project, tmp_path: Path
) -> None:
    log_in(lead)
    run = start(page, live_server.url, project, written(tmp_path, [*RECORDS, *TWINS]))
    assert (run.result["updated"], run.result["skipped"], len(run.result["lost"])) == (2, 1, 1)
    page.reload()
    lost = page.get_by_role("region", name="Labels that could not go along")
    expect(lost).to_contain_text("its step was cut into 2 parts")
    equal = page.get_by_role("region", name="Rollouts that equal others")
    expect(equal.get_by_role("row").nth(1)).to_contain_text("left out")
    lost.get_by_role("link", name="shaft-0").click()
    page.get_by_text("Labels of the earlier version that did not come along").click()
    page.get_by_role("region", name="Labels that could not go along").get_by_role("link", name="#1").click()
    page.wait_for_url("**/?at=1#step-1")
    expect(page.locator("#step-1")).to_contain_text("I look for the shaft.")
    expect(page.locator("main")).to_contain_text("an older version")


def test_a_group_of_duplicates_is_one_press_away(
    page: Page, live_server: LiveServer, log_in: Callable[..., None], lead: User, project: Project, tmp_path: Path
) -> None:
    imports.import_trajectories(project, [written(tmp_path, TWINS)], duplicates="group")
    log_in(lead)
    page.goto(live_server.url + reverse("trajectories", args=[project.slug]))
    expect(page.locator("table.trajectories tbody tr")).to_have_count(4)
    page.get_by_role("link", name="equal to 1").first.click()
    expect(page.locator("table.trajectories tbody tr")).to_have_count(2)


@pytest.mark.parametrize("width", [400, 1280])
def test_the_pages_are_no_wider_than_the_screen(
    page: Page,
    live_server: LiveServer,
    log_in: Callable[..., None],
    lead: User,
    project: Project,
    tmp_path: Path,
    width: int,
) -> None:
    log_in(lead)
    page.set_viewport_size({"width": width, "height": 800})
    run = start(page, live_server.url, project, written(tmp_path, [*RECORDS, *TWINS]), "group")
    live = project.trajectories.live().get(external_id="shaft-0")
    addresses = {
        "import": reverse("imports", args=[project.slug]),
        "run": reverse("run", args=[project.slug, run.pk]),
        "trajectory": reverse("trajectory", args=[project.slug, live.pk]),
        "list": reverse("trajectories", args=[project.slug]) + "?duplicates=near",
    }
    for name, address in addresses.items():
        page.goto(live_server.url + address)
        for summary in page.locator("details.lost > summary").all():
            summary.click()
        if folder := os.environ.get("PICTURES"):
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
