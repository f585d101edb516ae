"""The web server and the database are killed under a label page that is open in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.live.people import signed_in
from tests.live.stacks import Stack

pytestmark = [pytest.mark.live, pytest.mark.browser]

STEPS = 18  # as many as the page brings along: where the server is down, no more come
PREPARE = f"""
from tests import make
project = make.project(make.user("killed"), slug="killed", propagation="off")
make.trajectory(project, steps={STEPS})
make.trajectory(project, steps=2)
answer = True
"""
STORED = """
from annotations.models import Annotation, Label
mine = Annotation.objects.filter(rater__project__slug="killed").order_by("pk").first()
answer = {
    "said": dict(mine.labels.current().filter(field="label").values_list("step__index", "value")),
    "rows": Label.objects.filter(annotation=mine, field="label").count(),
    "final": list(mine.labels.current().filter(field="final").values_list("value", flat=True)),
    "state": mine.state,
}
"""
ANSWERS = {"1": 1, "0": 0, "-": -1}


def label(page: Page, steps: range) -> dict[str, int]:
    said = {}
    for step in steps:
        key = list(ANSWERS)[step % 3]
        page.keyboard.press(key)
        page.keyboard.press("j")
        said[str(step)] = ANSWERS[key]
    return said


def test_labels_go_on_while_servers_are_killed_and_each_arrives_once(stack: Stack, chromium: Browser) -> None:
    stack.shell(PREPARE)
    page = signed_in(chromium, stack, "killed")
    page.goto("/p/killed/label/")
    expect(page.locator("html[data-ready]")).to_have_count(1)
    mine, said = page.url, {}
    for victim, steps in (("web", range(1, 10)), ("postgres", range(10, STEPS + 1))):
        half = steps.start + len(steps) // 2
        said |= label(page, range(steps.start, half))
        killed = stack.kill(victim)
        said |= label(page, range(half, steps.stop))
        stack.wait_back(victim, killed)
        expect(page.locator("[data-status]")).to_have_attribute("data-status", "saved", timeout=60_000)
    page.keyboard.press("f")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: url != mine)

    assert stack.shell(STORED) == {"said": said, "rows": STEPS, "final": [1], "state": "submitted"}
