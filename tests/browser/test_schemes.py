"""A scheme is written in the browser: with a preview as one types, mistakes by their line, and nothing ever lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Project, User
from annotations.services import projects, rubrics, scheme_texts
from tests import make
from tests.browser.conftest import Watch
from tests.browser.test_pages import barriers
from tests.db.test_rubrics import TEXT as LISTS
from tests.unit.test_docs_schemes import example

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LogIn = Callable[..., None]
FIVE = example()
CHOSEN = """() => {
  const { value, selectionStart, selectionEnd } = document.activeElement;
  return value.slice(selectionStart, selectionEnd);
}"""
DROP = """text => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([text], "dropped.yaml"));
  const drop = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
  document.querySelector("[data-lines]").dispatchEvent(drop);
}"""
ONE = """\
name: one
version: "1"
title: One
main: label
fields:
  - {name: label, title: Step, kind: flag}
"""


@pytest.fixture
def owner() -> User:
    return make.user("lead")


@pytest.fixture
def project(owner: User) -> Project:
    return projects.create(slug="mine", title="Mine", text=ONE, owner=owner)


@pytest.fixture
def editor(page: Page, live_server: LiveServer, log_in: LogIn, owner: User, project: Project) -> Page:
    log_in(owner)
    page.goto(live_server.url + reverse("scheme_edit", args=[project.slug]))
    page.wait_for_selector("html[data-ready]", state="attached")
    return page


def text_of(page: Page):  # type: ignore[no-untyped-def]
    return page.get_by_label("The scheme, in YAML")


def kinds_in(page: Page) -> set[str]:
    return set(
        page.locator("[data-preview] [data-kind][data-field]").evaluate_all("all => all.map(e => e.dataset.kind)")
    )


def test_a_scheme_of_five_kinds_is_written_previewed_saved_and_put_in_force(editor: Page, project: Project) -> None:
    text_of(editor).fill(FIVE)
    step = editor.locator('[data-preview] [data-step="1"]')
    expect(step.get_by_role("button", name="Harms")).to_be_visible()
    assert kinds_in(editor) == {"choice", "taxonomy", "scale", "flag", "text"}
    step.get_by_role("button", name="Harms").click()
    expect(editor.locator('[data-place="1"] [data-stored]')).to_have_text('label: "harms"')
    step.get_by_role("button", name="Impolite").click()
    expect(editor.locator('[data-place="1"] [data-stored]')).to_contain_text("polite: true")
    editor.get_by_role("button", name="Save as a new version").click()
    expect(editor.get_by_text("Version 2 is saved")).to_be_visible()
    editor.get_by_role("button", name="Put version 2 in force").click()
    expect(editor.get_by_text("Version 2 is in force.")).to_be_visible()
    project.refresh_from_db()
    assert project.scheme.name == "support-steps"
    assert scheme_texts.in_force(project).text == FIVE  # type: ignore[union-attr]


def test_a_scheme_with_a_mistake_is_refused_with_the_line_the_key_and_what_is_accepted(
    editor: Page, project: Project, watch: Watch
) -> None:
    watch.allow("status of 422")
    wrong = FIVE.replace("kind: taxonomy", "kind: taxonmy")
    line = wrong.splitlines().index("    kind: taxonmy") + 1
    text_of(editor).fill(wrong)
    mistakes = editor.locator("[data-mistakes]")
    expect(mistakes).to_contain_text(f"line {line}, fields.1.kind")
    expect(mistakes).to_contain_text("found 'taxonmy'; accepted is one of choice, taxonomy, scale")
    expect(editor.locator("[data-gutter] .bad")).to_have_text(str(line))
    editor.get_by_role("button", name="Save as a new version").click()
    expect(editor.get_by_role("status").get_by_text("Not saved: 1 mistake.")).to_be_visible()
    assert project.schemes.count() == 1
    expect(mistakes.get_by_role("link")).to_be_focused()
    editor.keyboard.press("Enter")
    expect(text_of(editor)).to_be_focused()
    assert editor.evaluate(CHOSEN) == "kind: taxonmy"
    expect(text_of(editor)).to_have_value(wrong)


def test_the_preview_of_a_preset_marks_words_and_asks_of_each_tool_call(
    page: Page, live_server: LiveServer, log_in: LogIn, owner: User
) -> None:
    log_in(owner)
    page.goto(live_server.url + reverse("preset", args=["harm-spans"]))
    assert page.evaluate("CSS.highlights.size") > 0, "what the sample marks is to be seen"
    step = page.locator('[data-place="3"]')
    step.get_by_role("button", name="Harmful").click()
    step.locator(".block pre").dblclick(position={"x": 60, "y": 10})
    step.locator("[data-bar] [data-type]").click()
    expect(step.locator("[data-stored]")).to_contain_text('"part":"message","start":')
    page.goto(live_server.url + reverse("preset", args=["tool-edit"]))
    expect(page.locator('[data-place="1"] [data-stored]')).to_contain_text("call@call-0: 0")


def test_tab_indents_and_after_escape_it_leaves(editor: Page) -> None:
    text_of(editor).fill("a:\nb: 1\n")
    editor.keyboard.press("Control+Home")
    editor.keyboard.press("ArrowDown")
    editor.keyboard.press("Tab")
    expect(text_of(editor)).to_have_value("a:\n  b: 1\n")
    editor.keyboard.press("Shift+Tab")
    expect(text_of(editor)).to_have_value("a:\nb: 1\n")
    editor.keyboard.press("Control+z")
    expect(text_of(editor)).to_have_value("a:\n  b: 1\n")
    editor.keyboard.press("Escape")
    editor.keyboard.press("Tab")
    expect(text_of(editor)).not_to_be_focused()
    text_of(editor).focus()
    editor.keyboard.press("Tab")
    expect(text_of(editor)).to_be_focused()


def test_what_was_typed_outlives_a_reload_and_can_be_given_up(editor: Page) -> None:
    text_of(editor).fill(FIVE)
    editor.reload()
    expect(text_of(editor)).to_have_value(FIVE)
    expect(editor.get_by_role("status").get_by_text("was not saved yet")).to_be_visible()
    expect(editor.locator("[data-preview]").get_by_role("button", name="Harms").first).to_be_visible()
    editor.get_by_role("button", name="Discard it").click()
    expect(text_of(editor)).to_have_value(ONE)
    editor.reload()
    expect(text_of(editor)).to_have_value(ONE)


def test_a_dead_server_and_a_sign_out_lose_nothing(editor: Page, project: Project, watch: Watch, log_in: LogIn) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED")
    text_of(editor).fill(FIVE)
    editor.context.set_offline(True)
    editor.keyboard.press("Control+s")
    expect(editor.get_by_role("status").get_by_text("the server cannot be reached")).to_be_visible()
    editor.context.set_offline(False)
    editor.context.clear_cookies(name="sessionid")
    editor.keyboard.press("Control+s")
    expect(editor.get_by_role("status").get_by_text("you are signed out")).to_be_visible()
    assert project.schemes.count() == 1
    log_in(User.objects.get(username="lead"))
    editor.keyboard.press("Control+s")
    expect(editor.get_by_text("Version 2 is saved")).to_be_visible()
    assert project.schemes.get(number=2).text == FIVE


def test_who_saves_second_sees_what_the_first_changed_and_keeps_their_own_text(
    editor: Page, project: Project, watch: Watch
) -> None:
    watch.allow("status of 409")
    scheme_texts.save(project, ONE.replace("title: Step", "title: Turn"), make.user("sven"), base=1)
    mine = ONE.replace("title: One", "title: Mine")
    text_of(editor).fill(mine)
    editor.get_by_role("button", name="Save as a new version").click()
    alert = editor.get_by_role("alert")
    expect(alert).to_contain_text("version 2 was saved by sven")
    expect(alert.locator("ins").first).to_contain_text("title: Turn")
    expect(text_of(editor)).to_have_value(mine)
    editor.get_by_role("button", name="Save as a new version").click()
    expect(editor.get_by_text("Version 3 is saved")).to_be_visible()
    assert project.schemes.get(number=3).text == mine


def test_a_file_takes_the_place_of_the_text_and_undo_brings_it_back(editor: Page) -> None:
    file = {"name": "five.yaml", "mimeType": "application/yaml", "buffer": FIVE.replace("\n", "\r\n").encode()}
    editor.locator("#id_file").set_input_files(file)  # type: ignore[arg-type]
    expect(text_of(editor)).to_have_value(FIVE)
    expect(editor.locator("[data-preview]").get_by_role("button", name="Harms").first).to_be_visible()
    text_of(editor).focus()
    editor.keyboard.press("Control+z")
    expect(text_of(editor)).to_have_value(ONE)


def test_a_file_can_be_dropped_on_the_text(editor: Page) -> None:
    editor.evaluate(DROP, FIVE)
    expect(text_of(editor)).to_have_value(FIVE)


def test_a_preset_is_found_by_its_words_and_chosen_with_one_of_its_guidelines(
    page: Page, live_server: LiveServer, log_in: LogIn, owner: User
) -> None:
    log_in(owner)
    page.goto(live_server.url + reverse("project_new"))
    page.get_by_label("Title").fill("Agents")
    page.get_by_label("Short name").fill("agents")
    page.get_by_label(re.compile(r"^Search \d+ schemes")).fill("AgentProcessBench ternary")
    expect(page.locator(".preset:visible")).to_have_count(1)
    page.get_by_label("Agent process").check()
    page.get_by_label("Guidelines to begin with").select_option(index=1)
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_text("Agents is ready")).to_be_visible()
    made = Project.objects.get(slug="agents")
    assert made.guidelines.get().text == scheme_texts.of_project(made).scheme.guidelines[1].text


def test_a_judges_list_is_read_edited_and_approved(
    page: Page, live_server: LiveServer, log_in: LogIn, owner: User
) -> None:
    made = projects.create(slug="lists", text=LISTS, owner=owner)
    task = make.task(made, external_id="task-1")
    rubrics.store(task, "checks", ["Is it so short?", "Is it true?"], source="judge", by=None, rater="a-judge")
    log_in(owner)
    page.goto(live_server.url + reverse("scheme", args=["lists"]))
    page.get_by_role("link", name="Lists of tasks").click()
    page.get_by_role("link", name="task-1").click()
    page.get_by_label("Its 2 items").fill("- Is it short?\n- Is it true?\n")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved as you wrote it. It is asked")).to_be_visible()
    expect(page.locator(".rubric-items li").first).to_have_text("Is it short?")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_editor_has_no_barrier_with_mistakes_and_without(scheme: str, editor: Page) -> None:
    editor.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    assert barriers(editor) == []
    text_of(editor).fill(FIVE)
    expect(editor.locator("[data-preview]").get_by_role("button", name="Harms").first).to_be_visible()
    assert barriers(editor) == []
    text_of(editor).fill("name: [")
    expect(editor.locator("[data-mistakes]")).to_be_visible()
    assert barriers(editor) == []
