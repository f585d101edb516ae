"""A scheme of one's own to the end: written, labelled by keyboard, taken away, brought back, compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from annotations.models import Annotation, Project, User
from annotations.services import queue
from tests import make
from tests.browser.desk import Desk
from tests.unit.test_docs_schemes import example

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Each step as its keys: what it does; what is wrong with it; how sure one is; impolite; why; on to the next.
FACTS = ["t", "Space"]
HERS = [["1", "r", "5"], ["3", *FACTS, "r", "4", "i"], ["2", "r", "1"]]
HIS = [["1", "r", "5"], ["3", *FACTS, "r", "2"], ["1", "r", "1"]]


def test_five_kinds_of_answer_go_all_the_way_without_a_line_of_code(
    page: Page, live_server: LiveServer, log_in: Callable[..., None], tmp_path: Path
) -> None:
    people = [make.user("ann"), make.user("ben")]
    lead = make.user("lead")
    made = create(page, live_server, log_in, lead)
    call_command("import_trajectories", made.slug, str(rollout(tmp_path)))
    for person, presses in zip(people, (HERS, HIS), strict=True):
        make.member(made, person)
        label(page, live_server, log_in, made, person, presses)
    answers = said(made)
    assert {kind for kinds in answers.values() for kind in kinds} == {
        "label",
        "error",
        "sure",
        "polite",
        "note",
        "served",
    }

    taken = tmp_path / "taken"
    call_command("export", made.slug, format="stepmark", out=str(taken))
    (file,) = taken.glob("*.jsonl")
    again = create(page, live_server, log_in, lead, "again")
    call_command("import_trajectories", again.slug, str(file))
    assert said(again) == answers

    compared(made, again)


def rollout(folder: Path) -> Path:
    """A file of one conversation with three turns of the agent."""
    turns = ["I look up your order.", "It was sent to Oslo.", "You will have it on Friday."]
    talk = [{"role": "user", "content": "Where is my order?"}]
    for turn in turns:
        talk += [{"role": "assistant", "content": turn}, {"role": "user", "content": "And?"}]
    file = folder / "talk.jsonl"
    file.write_text(json.dumps({"id": "talk", "messages": talk}) + "\n")
    return file


def create(page: Page, live_server: LiveServer, log_in: Callable[..., None], lead: User, slug: str = "own") -> Project:
    log_in(lead)
    page.goto(live_server.url + reverse("project_new"))
    page.get_by_label("Short name").fill(slug)
    page.get_by_label("Title").fill(f"My own scheme, {slug}")
    page.get_by_label("Your own, as YAML").check()
    page.locator("#id_text").fill(example())
    page.get_by_role("button", name="Make it").click()
    page.wait_for_url(f"**/p/{slug}/**")
    return Project.objects.get(slug=slug)


def label(
    page: Page,
    live_server: LiveServer,
    log_in: Callable[..., None],
    project: Project,
    person: User,
    presses: list[list[str]],
) -> None:
    """By keyboard alone, from the first step to handing in."""
    log_in(person)
    mine = queue.lease_next(project, person)
    assert mine is not None
    desk = Desk(page, live_server.url, mine).open()
    for keys in presses:
        desk.press(*keys, "Escape")
        if "3" in keys[:1]:
            desk.press("n")
            page.keyboard.type("It reads the wrong page.")
            desk.press("Escape")
        desk.press("j")
    desk.press("f").saved()
    desk.press("Control+Enter")
    page.wait_for_url(lambda url: url != desk.url)
    mine.refresh_from_db()
    assert mine.state == Annotation.State.SUBMITTED


def said(project: Project) -> dict[str, dict[str, dict[Any, Any]]]:
    """Rater → field → index of a step (None: the whole) → value."""
    found: dict[str, dict[str, dict[Any, Any]]] = {}
    for mine in Annotation.objects.live().filter(trajectory__project=project, state=Annotation.State.SUBMITTED):
        of = found.setdefault(mine.rater.name, {})
        for one in mine.labels.current().select_related("step"):
            of.setdefault(one.field, {})[one.step and one.step.index] = one.value
    return found


def compared(*projects: Project) -> None:
    """Both projects have the same figures, those of two people who differ in one of three labels."""
    reports = []
    for project in projects:
        out = StringIO()
        call_command("agreement", project.slug, json=True, stdout=out)
        reports.append(json.loads(out.getvalue()))
    rows = [{row["field"]: row["figures"] for row in report["fields"] if not row["part"]} for report in reports]
    assert rows[0] == rows[1]
    assert rows[0]["label"]["percent"]["value"] == pytest.approx(2 / 3)
    assert rows[0]["error"]["percent"]["value"] == 1
