"""Going about a label page as somebody does who has to: to the end, to a rare word, and a label there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import common
from bench.web.chromium import open_desk
from bench.web.rollouts import NEEDLE

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from annotations.models import Annotation

REST = 1000  # ms in which what stands above a step has come, and been laid out
IN_SIGHT = """() => {
  const box = document.querySelector("[data-step][aria-current]").getBoundingClientRect();
  return box.top < innerHeight && box.bottom > 0;
}"""
FOUND = """() => /^\\d+ found/.test(document.querySelector("[data-find-count]").textContent)"""
SHOWN = """() => {
  const [range] = CSS.highlights.get("found-here") ?? [];
  const box = range?.getBoundingClientRect();
  return box && box.top < innerHeight && box.bottom > 0;
}"""


def walked(context: BrowserContext, at: str, annotation: Annotation) -> dict[str, float]:
    """Seconds until the last step is in focus, until the one rare word is in sight, until a label there is saved; the
    longest task of the page while it opened and after that; and 1 as `strayed` where the step one went to was in sight
    for a moment at most."""
    last = annotation.trajectory.steps.of_agent().order_by("-index").values_list("index", flat=True)[0]
    page = context.new_page()
    open_desk(page, at)
    page.wait_for_timeout(500)
    walk = {"jump": common.timed(lambda: _jump(page, last))}
    page.wait_for_timeout(REST)
    walk["strayed"] = float(not page.evaluate(IN_SIGHT))
    walk["find"] = common.timed(lambda: _find(page))
    walk["label"] = common.timed(lambda: _label(page, last))
    tasks, ready = page.evaluate("[probe.tasks, probe.ready]")
    page.close()
    walk["opening"] = max((task["ms"] / 1000 for task in tasks if task["at"] < ready), default=0.0)
    walk["busy"] = max((task["ms"] / 1000 for task in tasks if task["at"] >= ready), default=0.0)
    return walk


def _jump(page: Page, last: int) -> None:
    page.keyboard.press("Shift+G")
    page.wait_for_selector(f'[data-step="{last}"][aria-current]', state="attached")


def _find(page: Page) -> None:
    """As long as it takes to type the word counts, too, and the page waits a quarter of a second for more of it."""
    page.keyboard.press("/")
    page.keyboard.type(NEEDLE)
    page.wait_for_function(FOUND)
    page.keyboard.press("Enter")
    page.wait_for_function(SHOWN)


def _label(page: Page, last: int) -> None:
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    page.wait_for_selector(f'[data-step="{last}"] [data-choice][aria-pressed=true]')
    page.wait_for_selector("[data-status=saved]")
