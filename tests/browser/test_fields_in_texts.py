"""Spans, parts and comparisons: nobody is kept out, and a long trajectory stays quick to use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Annotation, Label
from tests import make
from tests.browser import test_spans
from tests.browser.desk import Desk
from tests.browser.test_spans import bar, highlighted, span
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def open_desk(page: Page, live_server: LiveServer, log_in: Callable[..., None]) -> Callable[[Annotation], Desk]:
    def opened(mine: Annotation) -> Desk:
        assert mine.rater.user
        log_in(mine.rater.user)
        return Desk(page, live_server.url, mine).open()

    return opened


def begun(preset: str, steps: int = 2, rollouts: int = 2) -> Annotation:
    annotator = make.user()
    project = make.project(annotator, scheme=make.scheme(preset))
    task = make.task(project)
    made = [make.trajectory(project, of=task, steps=steps) for _ in range(rollouts)]
    made[0].steps.filter(index__in=(1, 2)).update(parent=made[0].steps.get(index=0))
    return make.lease(made[0], annotator)


def complaints(desk: Desk) -> list[Any]:
    return [
        (one["id"], [node["html"][:200] for node in one["nodes"]])
        for one in Axe().run(desk.page).response["violations"]
    ]


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("preset", ["faithful-correct", "tool-edit", "web-arbiter", "rollout-ranking", "step-dpo"])
def test_no_barrier_stands_before_parts_and_comparisons(
    open_desk: Any, page: Page, preset: str, width: int, scheme: Any
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    desk = open_desk(begun(preset))
    desk.press("b")
    page.wait_for_load_state("networkidle")

    assert complaints(desk) == []


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barrier_stands_before_spans(open_desk: Any, page: Page, width: int, scheme: Any) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    desk = open_desk(test_spans.begun())
    desk.press("c", "Control+a", "2", "Shift+Home")
    assert complaints(desk) == []
    desk.press("Escape", "Escape")
    desk.card(1).locator("[data-row]").focus()
    desk.press("Enter")
    expect(bar(desk)).to_have_count(1)
    assert complaints(desk) == []


def test_only_what_is_near_is_drawn_however_long_the_trajectory(open_desk: Any) -> None:
    annotator = make.user()
    project = make.project(annotator, scheme=test_spans.projects.freeze(test_spans.schemes.read(test_spans.SCHEME)))
    mine = make.lease(make.trajectory(project, steps=1_200), annotator)
    Label.objects.bulk_create(
        Label(annotation=mine, step=step, field="claims", value=[span(0, 1), span(2, 5, "shown")], origin="human")
        for step in mine.trajectory.steps.of_agent()
    )
    desk = open_desk(mine)
    for key in ("G", "g", "g", "G"):
        desk.press(key)
    desk.in_focus(1_200)
    expect(desk.card(1_200)).to_be_in_viewport()
    until(
        desk.page, "CSS.highlights.get('span-1')?.size === document.querySelectorAll('[data-step] [data-spans]').length"
    )

    drawn = highlighted(desk)
    here = desk.page.locator("[data-step] [data-spans]").count()
    assert here < 150
    assert len(drawn["span-0"]) == len(drawn["span-1"]) == here
    assert set(drawn["span-0"]) == {"I"}
    assert set(drawn["span-1"]) == {"try"}
