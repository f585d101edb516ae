"""A project's consensus in a browser: asked for by keys, read, followed to its steps, adopted and taken back."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import jobs
from annotations.models import Annotation, Project, Rater, Run, User
from tests import make
from tests.browser.test_pages import barriers

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

GOLD = [1, 1, -1]
SAID = {"ann": [1, 1, -1], "bob": [1, -1, -1], "cyd": [1, 1, 1]}
LOOK = os.environ.get("LOOK", "")  # a folder: keep what each page looks like


@pytest.fixture
def project() -> Project:
    made = make.project(owner=make.user("lead"))
    gold = make.rater(made, "gold", Rater.Kind.IMPORT)
    raters = {name: make.rater(made, name, Rater.Kind.HUMAN) for name in SAID}
    for number in range(6):
        one = make.trajectory(made)
        make.rating(gold, one, GOLD, 1)
        for name, values in SAID.items():
            make.rating(raters[name], one, values if number % 2 else [1, values[1], None], 1)
    made.reference = gold
    made.save()
    return made


def look(page: Page, name: str) -> None:
    for width, scheme in ((1280, "light"), (400, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        if LOOK:
            page.screenshot(path=Path(LOOK) / f"{name}-{width}-{scheme}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")


def done(page: Page, live_server: LiveServer, project: Project, kind: str) -> None:
    """Do the run's work here, and go to its page."""
    expect(page).to_have_url(re.compile("/runs/"))
    run = jobs.run_here(Run.objects.filter(project=project, kind=kind).latest("pk"))
    assert (run.state, run.error) == ("done", "")
    page.goto(live_server.url + reverse("run", args=[project.slug, run.pk]))


def test_from_labels_that_differ_to_adopted_ones_and_back(
    page: Page, live_server: LiveServer, log_in: Callable[[User], None], project: Project
) -> None:
    log_in(project.memberships.get().user)
    page.goto(live_server.url + reverse("agreement", args=[project.slug]))
    page.get_by_role("link", name="Consensus").click()
    expect(page.get_by_role("heading", name="None yet")).to_be_visible()
    assert barriers(page) == []
    look(page, "empty")
    page.locator("summary", has_text="Only some raters").press("Enter")
    expect(page.get_by_label("ann (person)")).to_be_visible()
    page.get_by_role("button", name="Work it out").press("Enter")
    done(page, live_server, project, Run.Kind.CONSENSUS)

    page.get_by_role("link", name="See the consensus").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Consensus on “Step” against gold")
    table = page.get_by_role("region", name="Methods")
    expect(table).to_contain_text("Dawid–Skene")
    expect(table).to_contain_text("alone, the best of them")
    assert barriers(page) == []
    look(page, "report")
    page.get_by_role("navigation", name="Which method").get_by_role("link", name="Majority").press("Enter")
    expect(page.get_by_role("heading", level=2, name="Majority")).to_be_visible()
    page.locator("summary", has_text="What each calls what").press("Enter")
    expect(page.locator(".confusion").first).to_be_visible()
    look(page, "majority")

    sure = page.get_by_role("region", name="Accepted by posterior")
    sure.get_by_role("link", name="Adopt… what has a posterior of at least 0.9", exact=True).press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Adopt labels of Majority")
    assert barriers(page) == []
    look(page, "adopt")
    page.get_by_role("button", name=re.compile(r"Adopt \d+ labels")).press("Enter")
    done(page, live_server, project, Run.Kind.ADOPT)
    page.get_by_role("link", name="See what is adopted").press("Enter")
    rater = Rater.objects.get(project=project, kind=Rater.Kind.CONSENSUS)
    expect(page.get_by_role("region", name="Adopted labels")).to_contain_text(rater.name)
    assert barriers(page) == []
    look(page, "list")

    page.goto(live_server.url + reverse("trajectory", args=[project.slug, project.trajectories.first().pk]))
    expect(page.get_by_role("main")).to_contain_text(rater.name)
    look(page, "trajectory")
    page.goto(live_server.url + reverse("consensus", args=[project.slug]))
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name=f"Take back {rater.name}").press("Enter")
    expect(page.get_by_text("passes of")).to_contain_text("are taken back")
    assert not Annotation.objects.live().filter(rater=rater).exists()


def test_a_report_leads_to_its_least_sure_step_and_says_when_labels_have_changed(
    page: Page, live_server: LiveServer, log_in: Callable[[User], None], project: Project
) -> None:
    log_in(project.memberships.get().user)
    page.goto(live_server.url + reverse("consensus", args=[project.slug]))
    page.get_by_role("button", name="Work it out").click()
    done(page, live_server, project, Run.Kind.CONSENSUS)
    page.get_by_role("link", name="See the consensus").click()
    Annotation.objects.filter(rater__name="ann").update(revision=3)
    page.reload()
    expect(page.get_by_text("Labels have changed since.")).to_be_visible()
    look(page, "stale")
    link = page.get_by_role("region", name="The least sure").get_by_role("link").first
    place = link.get_attribute("href") or ""
    link.click()
    expect(page).to_have_url(re.compile(re.escape(place)))
    expect(page.locator(place[place.index("#") :])).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Work it out again").click()
    expect(page).to_have_url(re.compile("/runs/"))


def test_where_there_is_no_such_field_the_page_says_so(
    page: Page, live_server: LiveServer, log_in: Callable[[User], None]
) -> None:
    project = make.project(owner=make.user("lead"), scheme=make.scheme("rollout-preference"))
    log_in(project.memberships.get().user)
    page.goto(live_server.url + reverse("consensus", args=[project.slug]))
    expect(page.get_by_role("heading", name="Not for this scheme")).to_be_visible()
    assert barriers(page) == []
    look(page, "unfit")
