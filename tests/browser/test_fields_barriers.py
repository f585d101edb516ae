"""The controls of the field kinds stand in nobody's way: for screen readers, on a phone, by touch."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from annotations import schemes
from annotations.models import User
from tests import make
from tests.browser.conftest import Watch, cookie_of
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SHOWN = {  # a scheme, and the keys that bring out what it has
    "agent-atlas": ("1", "l", "Tab"),
    "critique-correction": ("-", "c"),
    "first-error": ("d",),
    "intervention": ("-", "v"),
    "objectives": ("v", "4"),
    "progress": ("v", "4"),
    "rubric-miracle": ("2",),
    "similarity": ("v", "4"),
    "two-level-rubric": ("c", "y", "n"),
    "web-step-grade": ("v", "r", "7"),
}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
SMALL = """() => [...document.querySelectorAll(":is(.controls, .whole) .field-control :is(button, summary, input, .button)")]
    .filter((one) => one.checkVisibility())
    .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
    .filter(([, box]) => box.width && (box.height < 43.5 || box.width < 43.5))
    .map(([name, box]) => `${name} ${box.width}×${box.height}`)"""  # noqa: E501


def opened(page: Page, live_server: LiveServer, annotator: User, name: str) -> Desk:
    project = make.project(annotator, scheme=make.scheme(name))
    sample = schemes.shipped()[name].sample
    of = make.task(project, reference=sample.reference if sample else None)
    page.context.add_cookies([cookie_of(annotator, live_server.url)])
    return Desk(page, live_server.url, make.lease(make.trajectory(project, of=of), annotator)).open()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_screen_reader_meets_no_barrier(page: Page, live_server: LiveServer, theme: str) -> None:
    page.emulate_media(color_scheme=theme)
    annotator = make.user()
    for name, keys in SHOWN.items():
        opened(page, live_server, annotator, name).press(*keys).saved()
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"


def test_on_a_phone_it_fits_and_is_large_enough_for_a_finger(
    browser: Browser, watch: Watch, in_flight: object, live_server: LiveServer
) -> None:
    context = browser.new_context(**PHONE)
    watch.over(context)
    page = context.new_page()
    annotator = make.user()
    for name, keys in SHOWN.items():
        opened(page, live_server, annotator, name).press(*keys).saved()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
        assert page.evaluate(SMALL) == [], name
    context.close()
