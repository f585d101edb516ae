"""The leaderboard, asked for by keys, read, sorted, compared and followed to the steps behind a number."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import jobs
from annotations.models import Project, Rater, Role, Run
from tests import make

LogIn = Callable[..., None]


@pytest.fixture
def project(page: Page, live_server: LiveServer, log_in: LogIn) -> Project:
    """A good judge and a poor one against gold, and the page that measures them open."""
    owner = make.user("olga")
    made = make.project()
    make.member(made, owner, Role.OWNER)
    gold = make.rater(made, "gold", Rater.Kind.IMPORT)
    good, poor = make.rater(made, "good judge"), make.rater(made, "poor judge")
    for number in range(4):
        trajectory = make.trajectory(made, steps=3)
        make.rating(gold, trajectory, [1, 1, -1])
        make.rating(good, trajectory, [1, 1, -1] if number else [1, 0, -1])
        make.rating(poor, trajectory, [0, -1, -1])
    made.reference = gold
    made.save()
    log_in(owner)
    page.goto(live_server.url + reverse("agreement", args=[made.slug]))
    return made


def measure(page: Page, live_server: LiveServer, project: Project) -> None:
    """Ask for it by keys, do the work here, and go to what came of it."""
    page.get_by_role("link", name="Judges against people").click()
    expect(page.get_by_role("heading", name="No leaderboard yet")).to_be_visible()
    page.get_by_label("Reference").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/runs/"))
    run = Run.objects.get(project=project, kind=Run.Kind.LEADERBOARD)
    jobs.run_here(run)
    page.goto(live_server.url + reverse("run", args=[project.slug, run.pk]))
    page.get_by_role("link", name="See the leaderboard").click()
    expect(page.get_by_role("heading", name="Judges against gold")).to_be_visible()


def test_a_leaderboard_is_asked_for_and_leads_to_the_steps_behind_a_number(
    page: Page, live_server: LiveServer, project: Project
) -> None:
    measure(page, live_server, project)
    table = page.get_by_role("region", name="Leaderboard", exact=True)
    names = table.locator("tbody th")
    expect(names).to_contain_text(["good judge", "always +1", "poor judge", "always -1", "always 0"])
    marked = table.get_by_role("row").filter(has_text="below a constant answer")
    expect(marked.filter(has_text="poor judge")).to_have_count(1)
    expect(marked.filter(has_text="good judge")).to_have_count(0)

    table.get_by_role("link", name="Judge", exact=True).click()
    expect(page).to_have_url(re.compile("sort=name"))
    expect(table.locator("th[aria-sort=ascending]")).to_have_text("Judge")
    expect(names).to_contain_text(["always +1", "always -1", "always 0", "good judge", "poor judge"])

    page.get_by_label("Is", exact=True).select_option("poor judge")
    page.get_by_label("better than").select_option("good judge")
    page.get_by_role("button", name="Compare").click()
    expect(
        page.get_by_role("region", name="poor judge and good judge compared").get_by_text("worse").first
    ).to_be_visible()

    table.get_by_role("link", name="good judge").click()
    expect(page.get_by_role("heading", name="What it says for what")).to_be_visible()
    page.get_by_role("link", name="1 steps: gold says 1, good judge 0").click()
    expect(page.get_by_role("heading", name="gold says 1, good judge 0")).to_be_visible()
    page.get_by_role("region", name="Steps of this cell").get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/trajectories/\d+/#step-2$"))


def test_judges_that_were_chosen_are_suggested_by_keys_and_offered_while_labelling(
    page: Page, live_server: LiveServer, project: Project
) -> None:
    """Three more judges of whom each errs in another third: together they are right everywhere."""
    voices = [make.rater(project, name) for name in ("red", "green", "blue")]
    for number in range(12):
        trajectory = make.trajectory(project, steps=2)
        make.rating(project.reference, trajectory, [1, -1])
        for place, one in enumerate(voices):
            make.rating(one, trajectory, [-1, 1] if number % 3 == place else [1, -1])
    Project.objects.filter(pk=project.pk).update(mode="assisted", prefill_confidence=0.6, blind_share=0)
    measure(page, live_server, project)
    expect(page.get_by_role("region", name="Judges that were chosen")).to_be_visible()
    button = page.get_by_role("button", name=re.compile(r"Suggest what these \d say together"))
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("suggested now")).to_be_visible()
    expect(button).to_have_count(0)
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    assert Axe().run(page).response["violations"] == []


def test_pages_fit_a_narrow_screen_and_everyone(page: Page, live_server: LiveServer, project: Project) -> None:
    measure(page, live_server, project)
    judge = page.url + f"{Rater.objects.get(name='good judge').pk}/"
    page.set_viewport_size({"width": 400, "height": 800})
    for where, heading in ((page.url, "Judges against gold"), (judge, "good judge")):
        page.goto(where)
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 400
        assert Axe().run(page).response["violations"] == []
