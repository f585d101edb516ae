"""What comes next, in a browser: read at any width, worked by keys; and the setting that decides it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import jobs
from annotations.models import Project, Run, User
from annotations.services import setup
from tests import make
from tests.browser.conftest import Watch
from tests.browser.test_pages import barriers
from tests.queued import ordered, scored

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def lead() -> User:
    return make.user("lead")


@pytest.fixture
def project(lead: User) -> Project:
    made = make.project(make.user("ann"), owner=lead, slug="errands", title="Errands")
    scored(made, [[0.95, (number % 40) / 40, 0.6] for number in range(60)])
    ordered(made, lead, queue_policy="wrong")
    return made


@pytest.fixture
def coming(page: Page, live_server: LiveServer, log_in: Callable[..., None], project: Project) -> Iterator[Page]:
    log_in(project.memberships.get(role="owner").user)
    page.goto(live_server.url + reverse("queue", args=["errands"]))
    yield page


def press(page: Page, name: str) -> None:
    """Walk to the button or link by Tab, and press it."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if name in str(page.evaluate("document.activeElement.closest('button, a')?.textContent")):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"no way by keys to {name!r}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("name", ["queue", "settings"])
def test_the_pages_have_no_barrier_and_do_not_scroll_sideways(
    coming: Page, live_server: LiveServer, name: str, width: int, scheme: str
) -> None:
    coming.set_viewport_size({"width": width, "height": 900})
    coming.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    coming.goto(live_server.url + reverse(name, args=["errands"]))
    expect(coming.get_by_text("scores of run")).to_be_visible()
    assert barriers(coming) == []
    assert coming.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_next_page_of_the_list_has_an_address_of_its_own(coming: Page) -> None:
    expect(coming.locator("tbody tr")).to_have_count(50)
    press(coming, "Next page")
    expect(coming).to_have_url(re.compile(r"\?after=50$"))
    expect(coming.locator("tbody tr")).to_have_count(10)
    expect(coming.locator("#place-60")).to_be_visible()
    press(coming, "To the start")
    expect(coming.locator("tbody tr")).to_have_count(50)


def test_a_lead_orders_it_again_by_keys(coming: Page, watch: Watch) -> None:
    press(coming, "Order again")
    expect(coming.get_by_text(re.compile(r"Run \d+ orders the queue"))).to_be_visible()
    expect(coming.get_by_text("A new order is being worked out")).to_be_visible()
    run = Run.objects.filter(kind="queue", state="queued").get()
    jobs.run_here(run)
    coming.reload()
    expect(coming.get_by_role("link", name=f"run {run.pk}")).to_be_visible()
    expect(coming.get_by_text("A new order is being worked out")).to_have_count(0)


def test_the_policy_is_chosen_in_the_settings(coming: Page, live_server: LiveServer, project: Project) -> None:
    press(coming, "Change the order")
    expect(coming).to_have_url(re.compile("settings/#id_queue_policy$"))
    coming.get_by_label("What comes next").select_option("active")
    coming.get_by_label("Drawn by chance, %").fill("25")
    coming.get_by_role("button", name="Save").focus()
    coming.keyboard.press("Enter")
    expect(coming.get_by_text("Settings saved.")).to_be_visible()
    project.refresh_from_db()
    assert (project.queue_policy, project.queue_random) == ("active", 25)
    assert Run.objects.filter(kind="queue", state="queued").get().config["policy"] == "active"


def test_the_page_of_an_annotator_says_nothing_of_it(
    page: Page, live_server: LiveServer, log_in: Callable[..., None], project: Project, watch: Watch
) -> None:
    watch.allow("status of 403")
    log_in(project.memberships.get(role="annotator").user)
    page.goto(live_server.url + reverse("project", args=["errands"]))
    expect(page.get_by_role("heading", name="Errands")).to_be_visible()
    assert "chance" not in page.content()
    page.goto(live_server.url + reverse("queue", args=["errands"]))
    expect(page.get_by_role("heading", name="What comes next")).to_have_count(0)


def test_a_project_without_scores_says_so(coming: Page, live_server: LiveServer, lead: User) -> None:
    bare = make.project(owner=lead, slug="bare")
    make.trajectory(bare)
    setup.change(bare, lead, queue_policy="wrong")
    coming.goto(live_server.url + reverse("settings", args=["bare"]))
    expect(coming.get_by_text("Nothing scored the trajectories yet")).to_be_visible()
