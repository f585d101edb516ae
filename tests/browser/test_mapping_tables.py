"""Tables whose columns nobody knows, by browser: uploaded, pointed at, seen, kept, and known the next time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import jobs
from annotations.models import Label, NamedFormat, Run, Step, User
from tests import make
from tests.browser.conftest import Watch

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

COLUMNS = """\
asked,opening move,middle move,last move,outcome,fine 1,fine 2,fine 3
How deep?,I look.,I measure.,It is 13 m.,13 m,good,,poor
How wide?,I look.,,I guess.,4 m,good,,poor
"""
ROWS = """\
who.ran\tsays\tasked\tverdict
r1\tI look.\tHow deep?\tgood
r1\tIt is 13 m.\tHow deep?\tpoor
r2\tI guess.\tHow wide?\tpoor
"""


@pytest.fixture
def lead() -> User:
    return make.user("lead")


def upload(page: Page, address: str, path: Path) -> Run:
    """By the page of imports; the run is done here as a worker would."""
    page.goto(address)
    page.get_by_label("Files").set_input_files(path)
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url("**/runs/*/")
    run = jobs.run_here(Run.objects.latest("pk"))
    page.reload()
    return run


def say(page: Page, label: str, text: str) -> None:
    page.get_by_label(label, exact=True).fill(text)
    page.get_by_label(label, exact=True).press("Tab")


def keep(page: Page, name: str) -> Run:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Name", exact=True).press("Enter")
    page.wait_for_url("**/runs/*/")
    return jobs.run_here(Run.objects.latest("pk"))


def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        for width in (1280, 400):
            page.set_viewport_size({"width": width, "height": 800})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 800})


def test_steps_in_several_columns_come_in_by_pointing_at_the_columns(
    page: Page, live_server: LiveServer, log_in: Callable[..., None], lead: User, watch: Watch, tmp_path: Path
) -> None:
    project = make.project(owner=lead)
    log_in(lead)
    watch.allow("htmx")
    (path := tmp_path / "moves.csv").write_text(COLUMNS)
    imports = live_server.url + reverse("imports", args=[project.slug])
    assert upload(page, imports, path).result["created"] == 0
    page.get_by_role("link", name="Say where things are").click()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#trial")).to_contain_text("Say where the turns are, or")
    say(page, "Turns or steps", "opening move, middle move, last move")
    expect(page.locator("#trial")).to_contain_text("2 records can be read")
    page.get_by_text("Task and rollout", exact=True).click()
    say(page, "Question", "asked")
    expect(page.locator(".tried").first).to_contain_text("How deep?")
    say(page, "Right answer", "outcome")
    say(page, "Labels of steps", "fine 1, fine 2, fine 3")
    page.get_by_label("good").select_option("1")
    page.get_by_label("poor").select_option("-1")
    expect(page.locator(".tried").first.locator(".badge.label")).to_have_text(["1", "-1"])
    picture(page, "columns")
    run = keep(page, "moves")
    assert (run.state, run.result["created"], run.result["rejected"]) == ("done", 2, [])
    assert list(Step.objects.of_agent().order_by("pk").values_list("message", flat=True)) == [
        *("I look.", "I measure.", "It is 13 m."),
        *("I look.", "I guess."),
    ]
    assert sorted(Label.objects.values_list("step__message", "value")) == [
        ("I guess.", -1),
        ("I look.", 1),
        ("I look.", 1),
        ("It is 13 m.", -1),
    ]
    (again := tmp_path / "more.csv").write_text(COLUMNS.replace("How", "So how"))
    assert upload(page, imports, again).result["created"] == 2, "the same columns are recognised"


def test_a_row_a_step_comes_in_by_the_column_that_names_the_rollout(
    page: Page, live_server: LiveServer, log_in: Callable[..., None], lead: User, watch: Watch, tmp_path: Path
) -> None:
    project = make.project(owner=lead)
    log_in(lead)
    watch.allow("htmx")
    (path := tmp_path / "steps.tsv").write_text(ROWS)
    imports = live_server.url + reverse("imports", args=[project.slug])
    upload(page, imports, path)
    page.get_by_role("link", name="Say where things are").click()
    page.wait_for_load_state("networkidle")
    say(page, "Rows of one rollout", "who.ran")
    say(page, "What is said", "says")
    expect(page.locator("#trial")).to_contain_text("2 records can be read")
    page.get_by_text("Task and rollout", exact=True).click()
    say(page, "Question", "asked")
    say(page, "Label of a turn", "verdict")
    page.get_by_label("good").select_option("1")
    page.get_by_label("poor").select_option("-1")
    expect(page.locator(".tried").first.locator(".badge.label")).to_have_text(["1", "-1"])
    picture(page, "rows")
    run = keep(page, "steps")
    assert (run.state, run.result["created"], run.result["rejected"]) == ("done", 2, [])
    assert sorted(project.trajectories.values_list("external_id", flat=True)) == ["r1", "r2"]
    assert sorted(Label.objects.values_list("step__message", "value")) == [
        ("I guess.", -1),
        ("I look.", 1),
        ("It is 13 m.", -1),
    ]
    assert NamedFormat.objects.get().config["group"] == "who.ran"
    assert upload(page, imports, path).result["unchanged"] == 2, "the same columns are recognised"
