"""The page of traces in a browser: read at any width, worked by keys, kept up to date without losing one's place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Event, Project, Trace
from tests import make
from tests.browser.conftest import Watch
from tests.browser.test_pages import barriers
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def project() -> Project:
    made = make.project(owner=make.user("lead"), slug="live")
    make.trace(made, trace_id="aa" * 16, taken=0, service="weather-bot", session="talk-7")
    make.trace(made, trace_id="bb" * 16, problem="Found no span that says what a model answered")
    make.trace(made, trace_id="cc" * 16, problem="x <b>bold</b> " * 40)
    return made


@pytest.fixture
def traces(page: Page, live_server: LiveServer, log_in: Callable[..., None], project: Project) -> Iterator[Page]:
    log_in(project.memberships.get().user)
    page.goto(live_server.url + reverse("traces", args=["live"]))
    yield page


def button(page: Page, name: str) -> None:
    """Walk to it by Tab, and press it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if name in str(page.evaluate("document.activeElement.closest('button')?.textContent")):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"no way by keys to {name!r}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_has_no_barrier_and_does_not_scroll_sideways(traces: Page, width: int, scheme: str) -> None:
    traces.set_viewport_size({"width": width, "height": 900})
    traces.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    traces.reload()
    expect(traces.get_by_role("heading", name="Traces")).to_be_visible()
    assert barriers(traces) == []
    assert traces.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_a_trace_says_of_itself_is_text(traces: Page) -> None:
    expect(traces.get_by_text("x <b>bold</b>").first).to_be_visible()
    expect(traces.locator("td b")).to_have_count(0)


def test_a_trace_is_made_and_one_deleted_with_keys_alone(traces: Page, project: Project) -> None:
    button(traces, f"Make it now: {'aa' * 16}")
    expect(traces.get_by_text("It is made in a few seconds")).to_be_visible()
    assert Trace.objects.get(trace_id="aa" * 16).ended

    traces.once("dialog", lambda asked: asked.dismiss())
    button(traces, f"Delete {'bb' * 16}")
    assert Trace.objects.filter(trace_id="bb" * 16).exists()

    traces.once("dialog", lambda asked: asked.accept())
    button(traces, f"Delete {'bb' * 16}")
    expect(traces.get_by_text("1 trace deleted")).to_be_visible()
    assert not Trace.objects.filter(trace_id="bb" * 16).exists()
    assert Event.objects.get(project=project, verb="traces.deleted").after == {"traces": 1}


def test_the_list_renews_itself_and_the_focus_stays(traces: Page, project: Project) -> None:
    mine = traces.get_by_role("button", name=re.compile(f"Try again.*{'cc' * 16}"))
    mine.focus()
    make.trace(project, trace_id="dd" * 16, taken=0)
    expect(traces.get_by_text("dd" * 8).first).to_be_visible(timeout=10_000)
    until(traces, "document.activeElement.id.startsWith('again-')")
    expect(mine).to_be_focused()


def test_without_traces_the_page_says_how_to_send_some(
    page: Page, live_server: LiveServer, log_in: Callable[..., None], watch: Watch
) -> None:
    log_in(make.project(owner=make.user("other"), slug="none").memberships.get().user)
    page.goto(live_server.url + reverse("traces", args=["none"]))
    expect(page.get_by_role("heading", name="No traces yet")).to_be_visible()
    expect(page.get_by_text(f"{live_server.url}/v1/traces").first).to_be_visible()
    assert barriers(page) == []
