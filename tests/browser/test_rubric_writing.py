"""The whole way of a list that a judge writes, in a browser: asked for, written by a worker, looked at, approved, and
asked of an annotator."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import jobs
from annotations.judges import prompts
from annotations.models import Project, Rubric, Run, Trajectory, User
from annotations.services import projects, rubrics
from tests import judges, make
from tests.browser.conftest import Watch
from tests.browser.desk import Desk
from tests.browser.test_pages import barriers
from tests.judge_server import JudgeServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TEXT = """\
name: lists
version: "1"
title: Lists
main: checks
fields:
  - {name: checks, title: Checks, kind: rubric, target: trajectory, items_from: judge, required: true, key: c,
     score: weighted}
"""
TASKS = ["Name the price in euros.", "Sum up the page in two sentences.", "Book the earliest train."]


def item(name: str, title: str, weight: int, **more: str) -> dict[str, Any]:
    return {"evidence": "", "help": "", **more, "name": name, "title": title, "weight": weight}


def writes(body: Any) -> str:
    """What a judge might write; of the last task nothing that is a list."""
    told = json.loads(body["messages"][1]["content"].split("<task>\n")[1].split("\n</task>")[0])
    if told["task"] == TASKS[2]:
        return "I would rather not."
    items = [
        item("does-it", f"Does it do what was asked: {told['task']}", 3, evidence=told["task"]),
        item("source", "Does it say where it has that from?", 1, evidence="name your sources", help="A link will do."),
        item("rude", "Is it rude?", -2),
    ]
    return json.dumps({"considered": "It must do just what the task says, and be checked.", "items": items})


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    with JudgeServer(writes) as found:
        yield found


@pytest.fixture
def lead() -> User:
    return make.user("lead")


@pytest.fixture
def project(lead: User) -> Project:
    made = projects.create(slug="lists", text=TEXT, owner=lead)
    for number, text in enumerate(TASKS, start=1):
        make.trajectory(made, of=make.task(made, external_id=f"task-{number}", instruction=text))
    return made


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_from_asking_a_judge_to_an_annotator_who_sees_the_items(
    page: Page, live_server: LiveServer, log_in: Callable[..., None], project: Project, lead: User, server: JudgeServer
) -> None:
    on = judges.server(server.url, prices=judges.PRICES, retries=0)
    made = judges.judge(project, on, name="careful", model="tiny")
    log_in(lead)
    page.goto(live_server.url + reverse("rubrics", args=[project.slug]))
    assert barriers(page) == []
    page.get_by_role("link", name="Let a judge write those that are missing").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Let a judge write lists")
    expect(page.get_by_text("the 3 tasks without a list")).to_be_visible()
    assert barriers(page) == []
    page.get_by_label("Attempts that it is shown").select_option("1")
    page.locator("summary", has_text="What it is told").click()
    expect(page.get_by_role("textbox", name="What it is told")).to_have_value(prompts.part("method-rubric").text)
    page.get_by_role("button", name="See what that takes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Let careful v1 write 3 lists?")
    assert barriers(page) == []
    page.get_by_role("button", name="Yes, let it write").click()
    page.wait_for_url("**/runs/*/")

    run = jobs.run_here(Run.objects.latest("pk"))
    assert (run.state, run.error, run.done) == ("done", "", 3)
    page.reload()
    first, second = (one.task for one in rubrics.waiting(project))
    wrote = page.get_by_role("region", name="What was written")
    expect(wrote).to_contain_text("the answer is no JSON")
    assert barriers(page) == []
    wrote.get_by_role("link", name="Look at those that wait").click()

    expect(page.locator("html[data-ready]")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_text("List 1 of 2 that wait")
    expect(page.get_by_text("stands nowhere in the task")).to_have_count(1)
    assert barriers(page) == []
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).to_have_text("List 2 of 2 that wait")
    expect(page.locator("html[data-ready]")).to_have_count(1)
    page.keyboard.press("k")
    expect(page.get_by_role("heading", level=1)).to_have_text("List 1 of 2 that wait")
    expect(page.locator("html[data-ready]")).to_have_count(1)
    page.keyboard.press("a")
    expect(page.get_by_role("heading", level=1)).to_have_text("List 1 of 1 that waits")
    expect(page.locator("html[data-ready]")).to_have_count(1)
    page.keyboard.press("e")
    area = page.get_by_role("textbox", name="Its items, in YAML")
    expect(area).to_be_focused()
    area.fill("- Is it two sentences?\n")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Nothing waits")).to_be_visible()
    assert barriers(page) == []

    asked = rubrics.in_force(first, "checks")
    assert asked and (asked.source, asked.approved_by, asked.writing.judge, asked.writing.run) == (
        "judge",
        lead,
        made,
        run,
    )
    mine = rubrics.in_force(second, "checks")
    assert (
        mine
        and mine.edited_from
        and (mine.source, mine.made_by, mine.edited_from.rater)
        == (
            "person",
            lead,
            "careful v1",
        )
    )
    assert rubrics.in_force(project.tasks.get(external_id="task-3"), "checks") is None
    page.goto(live_server.url + reverse("rubric", args=[project.slug, second.pk, "checks"]))
    expect(page.get_by_role("region", name="Lists so far")).to_contain_text("made of list 1 of careful v1")
    assert barriers(page) == []

    annotator = make.user("annotator")
    make.member(project, annotator)
    page.context.clear_cookies()
    log_in(annotator)
    desk = Desk(page, live_server.url, make.lease(first.trajectories.get(), annotator)).open()
    expect(page.get_by_role("group", name="Does it say where it has that from?")).to_be_visible()
    desk.press("c", "y", "n", "n").saved()
    assert desk.stored("checks") == {None: {"does-it": "yes", "source": "no", "rude": "no"}}


def test_a_list_that_waits_or_was_rejected_reaches_no_annotator(
    page: Page, live_server: LiveServer, log_in: Callable[..., None], project: Project, lead: User, watch: Watch
) -> None:
    trajectory = Trajectory.objects.filter(project=project).order_by("pk")[0]
    listed = rubrics.store(trajectory.task, "checks", ["Is it secret?"], source="judge", by=None, rater="careful v1")
    annotator = make.user("annotator")
    make.member(project, annotator)
    log_in(annotator)
    desk = Desk(page, live_server.url, make.lease(trajectory, annotator)).open()
    expect(page.locator("[data-why-none]")).to_contain_text("Nobody has approved a list for this task yet")
    assert "Is it secret?" not in page.content()
    rubrics.decide(listed, lead, approve=False)
    desk.open()
    expect(page.locator("[data-why-none]")).to_be_visible()
    assert "Is it secret?" not in page.content()


def test_on_a_narrow_screen_and_in_the_dark_a_list_is_rejected_and_found_again(
    page: Page, live_server: LiveServer, log_in: Callable[..., None], project: Project, lead: User
) -> None:
    task = project.tasks.order_by("pk")[0]
    rubrics.store(task, "checks", ["Is it a very long question " * 12], source="judge", by=None, rater="careful v1")
    log_in(lead)
    page.set_viewport_size({"width": 400, "height": 800})
    page.emulate_media(color_scheme="dark")
    page.goto(live_server.url + reverse("rubrics", args=[project.slug]))
    expect(page.get_by_role("heading", name="1 list waits for your word")).to_be_visible()
    assert fits(page)
    page.get_by_role("link", name="Look at it").click()
    expect(page.locator("html[data-ready]")).to_have_count(1)
    assert fits(page)
    assert barriers(page) == []
    page.keyboard.press("r")
    expect(page.get_by_role("heading", name="Nothing waits")).to_be_visible()
    assert Rubric.objects.get().rejected_at
    page.goto(live_server.url + reverse("rubric", args=[project.slug, task.pk, "checks"]))
    page.get_by_role("region", name="Lists so far").locator("summary").click()
    expect(page.get_by_role("region", name="Lists so far")).to_contain_text("Is it a very long question")
    assert fits(page)
