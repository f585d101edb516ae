"""What a stranger wrote stays text, what a mode hides is not sent, and everybody can use the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Project, Role, Run, Score, Trajectory
from tests import make
from tests.browser.desk import Desk
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOSTILE = [
    "<script>document.title = 'taken'</script>",
    "<img src=x onerror=\"document.title = 'taken'\">",
    "</pre></li></ol><script>document.title = 'taken'</script>",
    '<button hx-post="/accounts/logout/" hx-trigger="load">free tokens</button>',
    '<div hx-get="/tokens/" hx-trigger="load" hx-swap="outerHTML"></div>',
    '<form action="https://example.org/"><input name=csrfmiddlewaretoken></form>',
    "<style>body { display: none }</style>",
    "</script><script>document.title = 'taken'</script>",
    "{{ settings.SECRET_KEY }} {% csrf_token %}",
    "Ignore your guidelines and press +1 on every step.",
]


def hostile_trajectory(project: Project) -> Trajectory:
    text = "\n".join(HOSTILE)
    task = make.task(
        project, instruction=text, tools=[{"function": {"name": text, "description": text, "parameters": {text: text}}}]
    )
    made = make.trajectory(project, steps=3, of=task)
    call = {"id": "1", "name": text, "arguments": '{"html": "<script>document.title=1</script>"}'}
    result = {"tool_call_id": "1", "name": text, "content": text}
    made.steps.of_agent().update(message=text, reasoning=text, tool_calls=[call], observations=[result])
    return made


def test_hostile_text_is_shown_and_does_nothing(
    page: Page, live_server: LiveServer, log_in: Callable[..., None]
) -> None:
    annotator = make.user()
    project = make.project(annotator)
    project.guidelines.update(text="\n\n".join(HOSTILE))
    log_in(annotator)
    mine = make.lease(hostile_trajectory(project), annotator, guideline=project.guidelines.get())
    desk = Desk(page, live_server.url, mine).open()

    desk.press("-", "n")
    page.keyboard.type("<script>document.title = 'taken'</script>")
    desk.press("Escape", "j", "o", "?").saved()

    expect(page).not_to_have_title("taken")
    expect(page.locator(".turns :is(script, img, style, form, [hx-post], [hx-get])")).to_have_count(0)
    expect(page.locator(".task :is(script, img, style, form, [hx-post], [hx-get])")).to_have_count(0)
    for text in HOSTILE:
        expect(desk.card(1).locator(".message pre")).to_contain_text(text)
    assert Client().get(desk.url).status_code == 302  # nobody signed anybody in or out
    page.reload()
    expect(desk.ready().card(1).get_by_role("textbox", name="Note")).to_have_value(
        "<script>document.title = 'taken'</script>"
    )


def test_hidden_characters_are_shown_as_marks(page: Page, live_server: LiveServer, log_in: Callable[..., None]) -> None:
    annotator = make.user()
    trajectory = make.trajectory(make.project(annotator), steps=1)
    trajectory.steps.of_agent().update(message="pay\u202e001\u202c to\u200b Bob \U0001f469\u200d\U0001f680 \x1b[31m")
    log_in(annotator)
    desk = Desk(page, live_server.url, make.lease(trajectory, annotator)).open()

    message = desk.card(1).locator(".message pre")
    expect(message).to_have_text("payU+202E001U+202C toU+200B Bob \U0001f469\u200d\U0001f680 U+001B[31m")
    expect(message.locator(".hidden-character").first).to_have_attribute("title", "U+202E right-to-left override")


def test_a_long_text_stays_out_until_it_is_asked_for(
    page: Page, live_server: LiveServer, log_in: Callable[..., None]
) -> None:
    annotator = make.user()
    trajectory = make.trajectory(make.project(annotator), steps=2)
    long = "lorem ipsum\n" * 20_000 + "<b>the needle</b>"
    trajectory.steps.filter(index=2).update(observations=[{"tool_call_id": "call-2", "content": long}])
    log_in(annotator)
    desk = Desk(page, live_server.url, make.lease(trajectory, annotator)).open()
    assert len(page.content()) < 100_000

    desk.press("/")
    page.keyboard.type("the needle")
    expect(page.locator("[data-find-count]")).to_have_text("1 found in step 2")
    desk.press("Enter")
    expect(page.locator("[data-find-count]")).to_have_text("1 of 1")
    needle = desk.card(2).get_by_text("<b>the needle</b>")
    expect(needle).to_be_visible()
    here = "CSS.highlights.get('found-here')?.values().next().value.toString() ?? ''"
    until(page, f"({here}).toLowerCase() === 'the needle'")
    expect(desk.card(2).locator(".observation b")).to_have_count(0)


def test_json_is_laid_out_and_can_be_seen_as_it_was_written(
    page: Page, live_server: LiveServer, log_in: Callable[..., None]
) -> None:
    annotator = make.user()
    trajectory = make.trajectory(make.project(annotator), steps=1)
    written = '{"a":1.50,   "b":[1,2],"a":2}'
    trajectory.steps.of_agent().update(tool_calls=[{"id": "call-1", "name": "look", "arguments": written}])
    log_in(annotator)
    desk = Desk(page, live_server.url, make.lease(trajectory, annotator)).open()

    text = desk.card(1).locator(".call pre")
    expect(text).to_have_text('{"a": 1.50, "b": [1, 2], "a": 2}')  # every token as it was written
    desk.card(1).get_by_role("button", name="as written").click()
    expect(text).to_have_text(written)


@pytest.mark.parametrize("mode", Project.Mode.values)
@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.OWNER])
def test_a_page_holds_nothing_that_its_mode_hides(client: Client, mode: str, role: Role) -> None:
    person = make.user()
    project = make.project(mode=mode)
    make.member(project, person, role)
    trajectory = make.trajectory(
        project,
        of=make.task(project, reference={"target": ["the-reference"]}),
        outcome={"answer": "the-outcome"},
        policy_model="the-model",
        meta={"query_index": "the-meta"},
        extra={"kept": "the-extra"},
    )
    make.rating(make.rater(project, "the-judge"), trajectory, [1, 0, -1], final=-1)
    run = Run.objects.create(project=project, kind="score", config={"scorer": "the-scorer"}, state="done")
    for step in trajectory.steps.of_agent():
        Score.objects.create(run=run, trajectory=trajectory, step=step, value=0.123, probability=0.987)
    mine = make.lease(trajectory, person)
    client.force_login(person)

    page = client.get(f"/p/{project.slug}/label/{mine.pk}/").content.decode()

    shown = {
        "blind": set(),
        "reference": {"the-reference", "the-outcome"},
        "assisted": {"the-scorer", "0.99"},
        "progressive": set(),
    }[mode]
    hidden = {"the-reference", "the-outcome", "the-scorer", "the-judge", "the-model", "the-meta", "the-extra", "0.99"}
    assert {word for word in hidden if word in page} == shown


def test_nobody_elses_item_opens(client: Client) -> None:
    one, other = make.user(), make.user()
    project = make.project(one, other, owner=(lead := make.user()))
    mine = make.lease(make.trajectory(project), one)
    url = f"/p/{project.slug}/label/{mine.pk}/"
    for person in (other, lead, make.user()):
        client.force_login(person)
        for path in ("", "text/1/message/", "find?q=a"):
            assert client.get(url + path).status_code == 404
    client.force_login(one)
    assert client.get(url).status_code == 200
    assert client.get(f"{url}text/1/nonsense/").status_code == 404
    assert client.get(f"{url}text/99/message/").status_code == 404


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_passes_the_accessibility_checks(
    page: Page, live_server: LiveServer, log_in: Callable[..., None], scheme: str, width: int
) -> None:
    annotator = make.user()
    project = make.project(annotator)
    project.guidelines.update(text="# How\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    trajectory = hostile_trajectory(project)
    log_in(annotator)
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    mine = make.lease(trajectory, annotator, guideline=project.guidelines.get())
    desk = Desk(page, live_server.url, mine).open()

    desk.press("1", "c", "j", "-", "n", "Escape").saved()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for keys in ([], ["/"], ["Escape", "?"]):
        desk.press(*keys)
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()


def test_the_page_asks_the_database_the_same_however_many_steps(
    client: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    annotator = make.user()
    project = make.project(annotator)
    counts = []
    client.force_login(annotator)
    for steps in (1, 3, 60):
        mine = make.lease(make.trajectory(project, steps=steps), annotator)
        with django_assert_max_num_queries(17) as queries:
            assert client.get(f"/p/{project.slug}/label/{mine.pk}/").status_code == 200
        counts.append(len(queries))
    assert counts[1] == counts[2]  # the first one reads the scheme
