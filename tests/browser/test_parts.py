"""Fields of parts of a step: of each tool call, of each sentence of the message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import schemes
from annotations.models import Annotation, Label, Step
from annotations.services import projects
from tests import make
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SENTENCES = "It rains \N{UMBRELLA}. \N{CAT FACE} sleeps.\r\n\r\nNobody <b>is</b> out."
EVERY_KIND = """
name: parts
version: "1"
title: Parts
summary: Every kind of field, of each call.
main: verdict
fields:
  - name: verdict
    title: Verdict
    kind: choice
    target: tool_call
    required: true
    choices: [{value: good, title: Good, keys: ["1"]}, {value: bad, title: Bad, keys: ["2"]}]
  - {name: grade, title: Grade, kind: scale, target: tool_call, level: interval, min: 0, max: 4, step: 1}
  - {name: odd, title: Odd, kind: flag, target: tool_call, key: d}
  - {name: why, title: Reason, kind: text, target: tool_call, key: r}
  - {name: better, title: Rewritten, kind: correction, target: tool_call, key: v}
"""


def begun(scheme: Any, **texts: Any) -> Annotation:
    """Two steps on somebody's desk, the first with these texts and two calls."""
    annotator = make.user()
    project = make.project(annotator, scheme=scheme)
    found = make.trajectory(project, steps=2)
    calls = [{"id": one, "name": one, "arguments": f'{{"at": "{one}"}}'} for one in ("look", "move")]
    Step.objects.filter(trajectory=found, index=1).update(**{"tool_calls": calls, "observations": []} | texts)
    return make.lease(found, annotator)


@pytest.fixture
def open_desk(page: Page, live_server: LiveServer, log_in: Callable[..., None]) -> Callable[[Annotation], Desk]:
    def opened(mine: Annotation) -> Desk:
        assert mine.rater.user
        log_in(mine.rater.user)
        return Desk(page, live_server.url, mine).open()

    return opened


def stored(desk: Desk) -> dict[tuple[int | None, str], Any]:
    desk.saved()
    mine = Label.objects.current().filter(annotation=desk.annotation)
    return {(step, field): value for step, field, value in mine.values_list("step__index", "field", "value")}


def meant(desk: Desk, step: int = 1) -> Locator:
    """The part that keys are meant for."""
    return desk.card(step).locator("[data-meant]")


def test_sentences_are_answered_one_after_the_other_by_their_keys(open_desk: Any) -> None:
    desk = open_desk(begun(make.scheme("faithful-correct"), message=SENTENCES))
    expect(desk.card(1).locator(".sentence")).to_have_count(3)
    parts = [one.get_attribute("data-part-box") for one in desk.card(1).locator("[data-part-box]").all()]
    told = [SENTENCES[int(part.split("-")[0]) : int(part.split("-")[1])] for part in parts]
    assert told == ["It rains \N{UMBRELLA}.", "\N{CAT FACE} sleeps.", "Nobody <b>is</b> out."]
    expect(meant(desk)).to_have_attribute("aria-label", "sentence 1 of step 1")

    desk.press("f", "1", "d", "0", "f")
    expect(meant(desk)).to_have_attribute("aria-label", "sentence 3 of step 1")
    desk.press("1")
    expect(meant(desk)).to_have_count(0)

    assert stored(desk) == {
        (1, f"faithful@{parts[0]}"): 1,
        (1, f"correct@{parts[0]}"): 1,
        (1, f"faithful@{parts[1]}"): 0,
        (1, f"correct@{parts[1]}"): 0,
        (1, f"faithful@{parts[2]}"): 1,
        (1, f"correct@{parts[2]}"): 1,
    }


def test_after_the_last_part_the_next_press_goes_on_and_changes_nothing(open_desk: Any) -> None:
    desk = open_desk(begun(schemes_of(EVERY_KIND)))
    desk.press("1", "2")
    said = {(1, "verdict@call-0"): "good", (1, "verdict@call-1"): "bad"}
    assert stored(desk) == said

    desk.press("2")

    desk.in_focus(2)
    assert stored(desk) == said


def test_one_goes_to_a_part_by_arrows_and_changes_it(open_desk: Any) -> None:
    desk = open_desk(begun(schemes_of(EVERY_KIND)))
    desk.press("1", "1", "ArrowRight", "ArrowRight")
    expect(meant(desk)).to_have_attribute("aria-label", "call 2 of step 1")
    desk.press("2")

    assert stored(desk) == {(1, "verdict@call-0"): "good", (1, "verdict@call-1"): "bad"}


def test_every_kind_of_field_is_asked_of_a_call_right_after_it(open_desk: Any) -> None:
    desk = open_desk(begun(schemes_of(EVERY_KIND)))
    second = desk.card(1).get_by_role("group", name="call 2 of step 1", exact=True)
    assert second.evaluate("(part) => part.previousElementSibling.dataset.part") == "call-1"
    second.get_by_role("button", name="Bad").click()
    second.get_by_role("button", name="Odd").click()
    second.get_by_role("button", name="Reason").first.click()
    second.get_by_role("textbox", name="Reason").fill("Too far.")
    second.get_by_role("button", name="Rewritten").first.click()
    box = second.get_by_role("textbox", name="Rewritten")
    expect(box).to_have_value('{"at": "move"}')
    box.fill('{"at": "stay"}')
    second.locator('[data-field="grade"]').get_by_text("3", exact=True).first.click()

    assert stored(desk) == {
        (1, "verdict@call-1"): "bad",
        (1, "odd@call-1"): True,
        (1, "why@call-1"): "Too far.",
        (1, "better@call-1"): '{"at": "stay"}',
        (1, "grade@call-1"): 3,
    }
    desk.page.reload()
    desk.ready()
    expect(second.get_by_role("button", name="Bad")).to_have_attribute("aria-pressed", "true")


def test_a_mouse_on_one_part_makes_it_the_one_that_keys_are_meant_for(open_desk: Any) -> None:
    desk = open_desk(begun(schemes_of(EVERY_KIND)))
    second = desk.card(1).get_by_role("group", name="call 2 of step 1", exact=True)
    second.get_by_role("button", name="Odd").click()
    desk.press("2")
    expect(meant(desk)).to_have_attribute("aria-label", "call 1 of step 1")

    assert stored(desk) == {(1, "odd@call-1"): True, (1, "verdict@call-1"): "bad"}


def test_what_depends_on_a_part_is_asked_of_the_same_part(open_desk: Any) -> None:
    desk = open_desk(begun(make.scheme("tool-edit")))
    desk.press("1", "2", "3", "v")
    box = desk.card(1).locator('[data-field="call_edit"][data-part="call-1"] textarea')
    expect(box).to_be_focused()
    expect(box).to_have_value('{"at": "move"}')
    desk.page.keyboard.type(" ")
    desk.press("Escape", "u", "u")

    found = stored(desk)
    assert found[(1, "call@call-0")] == 1
    assert desk.card(1).locator('[data-field="call_edit"][data-part="call-0"]').is_hidden()


def test_find_reads_the_message_across_its_sentences_and_not_their_controls(open_desk: Any) -> None:
    desk = open_desk(begun(make.scheme("faithful-correct"), message=SENTENCES))
    desk.press("/")
    desk.page.keyboard.type("sleeps")
    expect(desk.page.locator("[data-find-count]")).to_have_text("1 found in step 1")
    desk.press("Enter")
    expect(desk.page.locator("[data-find-count]")).to_have_text("1 of 1")
    found = desk.page.evaluate("() => [...CSS.highlights.get('found-here')].map(String)")
    assert found == ["sleeps"]
    desk.page.locator("#find-text").fill("not in the documents")
    desk.press("Enter")
    expect(desk.page.locator("[data-find-count]")).to_have_text("Nothing found")


def test_spans_reach_across_sentences_that_are_asked_about(open_desk: Any) -> None:
    both = """
name: both
version: "1"
title: Both
summary: Sentences and words.
main: fine
fields:
  - {name: fine, title: Fine, kind: flag, target: sentence, key: f}
  - {name: words, title: Words, kind: spans, target: step, key: c, types: [{value: odd, title: Odd, keys: ["2"]}]}
"""
    desk = open_desk(begun(schemes_of(both), message=SENTENCES))
    desk.press("c", "Control+a", "2")

    assert stored(desk)[(1, "words")] == [{"part": "message", "start": 0, "end": len(SENTENCES), "type": "odd"}]


def schemes_of(text: str) -> Any:
    return projects.freeze(schemes.read(text))


def test_a_message_that_a_page_would_cut_is_asked_about_to_its_last_sentence(open_desk: Any) -> None:
    long = " ".join(f"This is sentence {number}, which says something." for number in range(600))
    fine = """
name: fine
version: "1"
title: Fine
summary: Sentences.
main: fine
fields:
  - {name: fine, title: Fine, kind: flag, target: sentence, key: f}
"""
    desk = open_desk(begun(schemes_of(fine), message=long))
    expect(desk.card(1).locator(".sentence")).to_have_count(600)
    desk.card(1).locator("[data-part-box]").last.get_by_role("button", name="Fine").click()

    assert stored(desk) == {(1, f"fine@{long.rindex('This')}-{len(long)}"): True}


def test_a_pass_that_comes_to_its_steps_one_by_one_is_asked_for_their_parts(open_desk: Any) -> None:
    mine = begun(schemes_of(EVERY_KIND))
    Annotation.objects.filter(pk=mine.pk).update(mode="progressive", frontier=1)
    desk = open_desk(mine)
    expect(desk.card(2)).to_have_count(0)
    desk.press("1", "1")
    expect(desk.card(2)).to_have_count(1)
    expect(desk.page.locator("[data-do=reveal]")).to_be_disabled()
    desk.press("j", "2")
    expect(desk.page.locator("[data-do=reveal]")).to_be_enabled()

    assert stored(desk) == {(1, "verdict@call-0"): "good", (1, "verdict@call-1"): "good", (2, "verdict@call-0"): "bad"}
