"""Every page in a real browser: no complaint, no barrier, at any width, in light and in dark, with keys alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import schemes
from annotations.models import Event, Project, Report, Role, Run, Score, User
from annotations.services import rubrics, scheme_texts
from tests import doors, make, reports
from tests.browser.conftest import Watch

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LogIn = Callable[..., None]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture
def owner() -> User:
    return make.user("lead")


@pytest.fixture
def project(owner: User) -> Project:
    """A project in which every page has something to show."""
    made = make.project(owner=owner, title="Searching agents", scheme=doors.scheme())
    scheme_texts.save(made, schemes.preset_text("agent-process"), owner)
    gold, judge = make.rater(made, "gold", "import"), make.rater(made, "a-judge")
    made.reference = gold
    made.save()
    annotator = make.user("ines")
    make.member(made, annotator)
    ines = make.rater(made, "ines", "human", annotator)
    of = make.task(made, reference={"target": ["42"]}, source="hotpot")
    rubrics.store(of, "checks", ["Is it so?", "Is it short?"], source="judge", by=None, rater="a-judge")
    for values in ([1, 0, -1], [1, 1, 1], [-1, -1, 0]):
        one = make.trajectory(made, of=of, policy_model="small", outcome={"answer": "41"})
        make.rating(gold, one, values, final=1)
        make.rating(judge, one, [1, 1, -1], final=-1)
        make.rating(ines, one, values, final=1)
    asked = make.thread(make.lease(make.trajectory(made, of=of), owner), "Is a retry wrong?")
    make.answer(asked, owner, "It is neutral.")
    scored(made)
    worked(made, owner)
    return made


def scored(project: Project) -> None:
    run = Run.objects.create(project=project, kind="score", state="done", config={"scorer": "embedded"})
    detail = {"flags": ["truncated"], "why": [{"feature": "repeats a call", "contribution": -1.25}]}
    for trajectory in project.trajectories.all():
        for step, value in zip(trajectory.steps.of_agent(), (0.9, 0.5, 0.1), strict=True):
            facts = {"value": value, "probability": value, "detail": detail}
            Score.objects.create(run=run, trajectory=trajectory, step=step, **facts)


def worked(project: Project, owner: User) -> None:
    problem = {"file": "a.jsonl", "line": 7, "field": "messages", "reason": "found a text"}
    result = {"created": 3, "rejected": [problem], "unmatched": ["x:1:0"]}
    Run.objects.create(project=project, kind="import", state="done", created_by=owner, result=result)
    Run.objects.create(project=project, kind="export", state="failed", error="The disk is full.", config={})
    Run.objects.create(project=project, kind="score", config={"scorer": "embedded"})
    Report.objects.create(project=project, result=reports.full())
    Event.objects.create(
        project=project, actor=owner, verb="project.changed", before={"overlap": 2}, after={"overlap": 3}
    )


def addresses(project: Project) -> Iterator[str]:
    yield from map(
        reverse, ("home", "project_new", "help", "tokens", "preferences", "account_change_password", "account_logout")
    )
    names = "project settings scheme scheme_edit rubrics guidelines members pace trajectories questions imports runs"
    yield from (reverse(name, args=[project.slug]) for name in (*names.split(), "scores", "agreement", "exports"))
    leads = "judges judge_new judge_budget judge_probes leaderboard adjudicate insight quality gold training"
    yield from (reverse(name, args=[project.slug]) for name in leads.split())
    yield reverse("search", args=[project.slug]) + "?q=look"
    yield from (reverse("run", args=[project.slug, run.pk]) for run in project.runs.all())
    first, second = project.trajectories.order_by("pk")[:2]
    yield reverse("trajectory", args=[project.slug, first.pk])
    yield reverse("trajectory_print", args=[project.slug, first.pk])
    yield reverse("compare", args=[project.slug]) + f"?ids={first.pk}&ids={second.pk}"
    yield from (reverse("scheme_help"), reverse("preset", args=["harm-spans"]))
    yield from (reverse(name, args=[project.slug, 2]) for name in ("scheme_version", "scheme_force"))
    task = project.tasks.order_by("pk").first()
    yield reverse("rubric", args=[project.slug, task.pk, "checks"])
    yield reverse("guideline", args=[project.slug, 1])
    yield reverse("thread", args=[project.slug, project.threads.get().pk])
    yield reverse("guidelines", args=[project.slug]) + f"?from={project.threads.get().pk}"
    yield reverse("report", args=[project.slug, project.reports.get().pk])
    yield reverse("trajectories", args=[project.slug]) + "?q=nothing-has-this-name"
    yield "/there-is-no-such-page/"


def barriers(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['target']} {node.get('failureSummary', '')}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_barrier(
    scheme: str, page: Page, live_server: LiveServer, log_in: LogIn, owner: User, project: Project, watch: Watch
) -> None:
    watch.allow("status of 404")
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(live_server.url + reverse("account_login"))
    assert barriers(page) == [], "the login page"
    log_in(owner)
    for address in addresses(project):
        page.goto(live_server.url + address)
        assert barriers(page) == [], address


@pytest.mark.parametrize("width", [360, 800, 3840])
def test_no_page_is_wider_than_its_window(
    width: int, page: Page, live_server: LiveServer, log_in: LogIn, owner: User, project: Project, watch: Watch
) -> None:
    watch.allow("status of 404")
    page.set_viewport_size({"width": width, "height": 800})
    log_in(owner)
    for address in addresses(project):
        page.goto(live_server.url + address)
        beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert beyond <= 0, address


def test_somebody_signs_in_with_keys_alone_and_reaches_their_project(
    page: Page, live_server: LiveServer, owner: User, project: Project
) -> None:
    page.goto(live_server.url + reverse("home"))
    page.keyboard.type(owner.username)
    page.keyboard.press("Tab")
    page.keyboard.type(make.PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(live_server.url + reverse("home"))
    page.get_by_role("link", name=project.title).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=project.title)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_a_wrong_password_is_refused_in_words(page: Page, live_server: LiveServer, owner: User, watch: Watch) -> None:
    page.goto(live_server.url + reverse("account_login"))
    page.get_by_label("User name").fill(owner.username)
    page.get_by_label("Password").fill("not it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not correct")
    expect(page.get_by_label("User name")).to_have_value(owner.username)


def test_a_run_that_ends_is_seen_to_end_without_a_reload(
    page: Page, live_server: LiveServer, log_in: LogIn, owner: User, project: Project
) -> None:
    run = Run.objects.create(project=project, kind="score", state="running", total=10, done=3, beat_at=timezone.now())
    log_in(owner)
    page.goto(live_server.url + reverse("run", args=[project.slug, run.pk]))
    expect(page.locator("#progress")).to_contain_text("3 of 10")
    Run.objects.filter(pk=run.pk).update(state="done", done=10, finished_at=timezone.now())
    expect(page.locator("#progress")).to_contain_text("10 of 10")
    expect(page.locator("#progress")).not_to_have_attribute("hx-trigger", re.compile(".*"))


def test_guidelines_are_seen_while_they_are_written(
    page: Page, live_server: LiveServer, log_in: LogIn, owner: User, project: Project
) -> None:
    log_in(owner)
    page.goto(live_server.url + reverse("guidelines", args=[project.slug]))
    page.get_by_label("Guidelines, in Markdown").fill("## Look at **evidence**")
    expect(page.locator("#preview h2")).to_have_text("Look at evidence")
    page.get_by_role("button", name="Publish as a new version").click()
    expect(page.get_by_text("Version 2 is in force")).to_be_visible()


def test_an_export_is_previewed_as_it_is_chosen(
    page: Page, live_server: LiveServer, log_in: LogIn, owner: User, project: Project
) -> None:
    log_in(owner)
    page.goto(live_server.url + reverse("exports", args=[project.slug]))
    page.get_by_role("radio", name="TRL stepwise").check()
    expect(page.locator("#preview")).to_contain_text('"completions"')
    expect(page.locator("#preview")).to_contain_text("--format trl-stepwise")


def test_filters_live_in_the_address_and_suggest_what_there_is(
    page: Page, live_server: LiveServer, log_in: LogIn, owner: User, project: Project
) -> None:
    log_in(owner)
    page.goto(live_server.url + reverse("trajectories", args=[project.slug]))
    page.get_by_label("Policy model").focus()
    expect(page.locator("#models option")).to_have_count(1)
    page.get_by_label("Has label").select_option("0")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("label=0"))
    expect(page.locator("tbody tr")).to_have_count(2)


def test_a_link_to_a_step_far_down_shows_that_step(
    page: Page, live_server: LiveServer, log_in: LogIn, owner: User, project: Project
) -> None:
    long = make.trajectory(project, steps=130)
    log_in(owner)
    page.goto(live_server.url + reverse("trajectory", args=[project.slug, long.pk]) + "#step-121")
    expect(page.locator("#step-121")).to_be_in_viewport()


def test_on_a_phone_the_open_tab_is_in_sight(
    page: Page, live_server: LiveServer, project: Project, owner: User, log_in: LogIn
) -> None:
    log_in(owner)
    page.set_viewport_size({"width": 400, "height": 800})
    for name in ("project", "members", "settings"):
        page.goto(live_server.url + reverse(name, args=[project.slug]))
        expect(page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=0.95)


def test_removing_a_member_asks_first(
    page: Page, live_server: LiveServer, log_in: LogIn, owner: User, project: Project
) -> None:
    log_in(owner)
    page.goto(live_server.url + reverse("members", args=[project.slug]))
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Remove ines").click()
    assert project.memberships.filter(role=Role.ANNOTATOR).exists()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove ines").click()
    expect(page.get_by_text("ines is no longer a member")).to_be_visible()
