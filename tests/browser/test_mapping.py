"""A file that no format knows: pointed at in the browser, kept under a name, recognised from then on."""

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
from annotations.models import Label, NamedFormat, Run, User
from annotations.services import imports
from tests import make
from tests.browser.conftest import Watch

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RUNS = [
    {
        "uid": f"run-{number}",
        "dialog": [
            {"speaker": "questioner", "utterance": f"How deep is shaft {number}?"},
            {"speaker": "bot", "utterance": "I measure it.", "grade": "good"},
            {"speaker": "bot", "utterance": "<img src=x onerror=alert(1)> It is 13 m.", "grade": "poor"},
        ],
    }
    for number in range(3)
]


@pytest.fixture
def lead() -> User:
    return make.user("lead")


def test_pointing_makes_a_format_that_reads_the_file_and_the_next_one_by_itself(
    page: Page, live_server: LiveServer, log_in: Callable[..., None], lead: User, watch: Watch, tmp_path: Path
) -> None:
    project = make.project(owner=lead)
    log_in(lead)
    watch.allow("htmx")  # going on to the import cuts a trial off that is under way
    path = tmp_path / "odd.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in RUNS))

    page.goto(live_server.url + reverse("imports", args=[project.slug]))
    page.get_by_label("Files").set_input_files(path)
    page.get_by_role("button", name="Import").click()
    jobs.run_here(Run.objects.get())
    page.reload()
    page.get_by_role("link", name="Say where things are").click()

    page.wait_for_load_state("networkidle")  # a word that is said before the scripts are there is not heard
    expect(page.get_by_label("Turns or steps")).to_have_value("dialog")
    expect(page.locator("#trial")).to_contain_text("questioner")
    page.get_by_label("questioner").select_option("user")
    expect(page.locator("#trial")).to_contain_text("3 records can be read")
    page.get_by_label("Label of a turn").fill("grade")
    page.get_by_label("Label of a turn").press("Tab")
    page.get_by_label("good").select_option("1")
    page.get_by_label("poor").select_option("-1")
    expect(page.locator(".tried").first.locator(".badge.label")).to_have_text(["1", "-1"])
    page.get_by_label("Name", exact=True).fill("odd-dialogs")
    page.get_by_label("Name", exact=True).press("Enter")
    page.wait_for_url("**/runs/*/")

    run = jobs.run_here(Run.objects.latest("pk"))
    assert (run.state, run.result["created"], run.result["rejected"]) == ("done", 3, [])
    assert sorted(Label.objects.values_list("value", flat=True)) == [-1, -1, -1, 1, 1, 1]
    assert NamedFormat.objects.get().config["roles"] == {"questioner": "user"}
    assert imports.import_trajectories(project, [path])["unchanged"] == 3


@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_is_no_wider_than_the_screen(
    page: Page,
    live_server: LiveServer,
    log_in: Callable[..., None],
    lead: User,
    watch: Watch,
    tmp_path: Path,
    width: int,
) -> None:
    project = make.project(owner=lead)
    log_in(lead)
    page.set_viewport_size({"width": width, "height": 800})
    path = tmp_path / "odd.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in RUNS))
    page.goto(live_server.url + reverse("imports", args=[project.slug]))
    page.get_by_label("Files").set_input_files(path)
    page.get_by_role("button", name="Import").click()
    run = jobs.run_here(Run.objects.get())
    page.goto(live_server.url + reverse("import_map", args=[project.slug, run.pk]))
    expect(page.locator("#trial")).to_be_visible()
    if folder := os.environ.get("PICTURES"):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=f"{folder}/map-{width}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
