"""Marking words in a step's texts: with the mouse, from the keyboard, by touch."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import schemes
from annotations.models import Annotation, Label, Step
from annotations.schemes.fields.spans import ordered
from annotations.services import projects
from tests import make
from tests.browser.conftest import Watch
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SCHEME = """
name: claims
version: "1"
title: Claims
summary: What each step claims.
main: claims
fields:
  - name: claims
    title: Claims
    kind: spans
    target: step
    parts: [message, reasoning, call, observation]
    evidence: optional
    key: c
    types:
      - {value: wrong, title: Wrong, keys: ["2"], tone: wrong}
      - {value: shown, title: Shown, tone: right}
      - {value: unclear, title: Unclear}
"""
MESSAGE = "The cat sat on the mat. It was late."


def begun(message: str = MESSAGE, scheme: str = SCHEME, **texts: Any) -> Annotation:
    """Two steps on somebody's desk, the first with these texts."""
    annotator = make.user()
    project = make.project(annotator, scheme=projects.freeze(schemes.read(scheme)))
    found = make.trajectory(project, steps=2)
    Step.objects.filter(trajectory=found, index=1).update(message=message, **texts)
    return make.lease(found, annotator)


@pytest.fixture
def open_desk(page: Page, live_server: LiveServer, log_in: Callable[..., None]) -> Callable[[Annotation], Desk]:
    def opened(mine: Annotation) -> Desk:
        assert mine.rater.user
        log_in(mine.rater.user)
        return Desk(page, live_server.url, mine).open()

    return opened


def span(start: int, end: int, type_: str = "wrong", part: str = "message", **more: Any) -> dict[str, Any]:
    return {"part": part, "start": start, "end": end, "type": type_, **more}


def text_of(desk: Desk, part: str = "message", step: int = 1) -> Any:
    return desk.page.locator(f'.block[data-of="{step}"][data-part="{part}"] > .shown')


def drag_over(desk: Desk, words: str, part: str = "message", step: int = 1) -> None:
    """Select the words with the mouse."""
    box = text_of(desk, part, step).evaluate(
        """(shown, words) => {
            const node = [...shown.querySelector("pre").childNodes].find((one) => one.data?.includes(words));
            const range = new Range();
            range.setStart(node, node.data.indexOf(words));
            range.setEnd(node, node.data.indexOf(words) + words.length);
            const { left, right, top, bottom } = range.getBoundingClientRect();
            return [left, right, (top + bottom) / 2];
        }""",
        words,
    )
    left, right, middle = box
    desk.page.mouse.move(left + 1, middle)
    desk.page.mouse.down()
    desk.page.mouse.move((left + right) / 2, middle)
    desk.page.mouse.move(right, middle)
    desk.page.mouse.up()


def bar(desk: Desk) -> Any:
    return desk.page.locator("[data-bar]:popover-open")


def stored(desk: Desk, step: int = 1) -> Any:
    return desk.saved().stored("claims").get(step)


def test_words_selected_with_the_mouse_become_a_span_of_the_type_that_is_pressed(open_desk: Any) -> None:
    desk = open_desk(begun())
    drag_over(desk, "cat sat")
    expect(bar(desk).locator("[data-picked]")).to_have_text("cat sat")

    bar(desk).get_by_role("button", name="Shown").click()

    expect(bar(desk)).to_have_count(0)
    expect(desk.card(1).locator("[data-row]")).to_have_text("Shown “cat sat” Message")
    assert stored(desk) == [span(4, 11, "shown")]


def test_a_type_is_given_by_its_key_or_by_its_place(open_desk: Any) -> None:
    desk = open_desk(begun())
    drag_over(desk, "cat")
    expect(bar(desk)).to_have_count(1)
    desk.press("2")
    drag_over(desk, "mat")
    expect(bar(desk)).to_have_count(1)
    desk.press("3")

    assert stored(desk) == [span(4, 7, "wrong"), span(19, 22, "unclear")]


def test_words_are_marked_from_the_keyboard_alone(open_desk: Any) -> None:
    desk = open_desk(begun())
    desk.press("c", "Control+ArrowRight", "ArrowRight")
    desk.press("Shift+Control+ArrowRight")
    expect(bar(desk).locator("[data-picked]")).to_have_text("cat")
    desk.press("2")

    assert stored(desk) == [span(4, 7)]


def test_a_span_is_changed_and_taken_away_from_its_row(open_desk: Any) -> None:
    desk = open_desk(begun())
    drag_over(desk, "cat sat")
    desk.press("2")
    row = desk.card(1).locator("[data-row]")
    row.focus()

    desk.press("ArrowLeft", "Control+Shift+ArrowRight", "Shift+ArrowRight")
    expect(row).to_contain_text("“ cat sat on ”")
    desk.press("3")
    assert stored(desk) == [span(3, 15, "unclear")]
    expect(row).to_be_focused()

    desk.press("Delete")
    expect(row).to_have_count(0)
    assert stored(desk) is None
    desk.press("Control+z")
    assert stored(desk) == [span(3, 15, "unclear")]


def test_overlapping_spans_of_one_type_and_of_several_are_all_there_after_a_reload(open_desk: Any) -> None:
    desk = open_desk(begun())
    for words, key in (("cat sat on", "2"), ("sat on the", "3"), ("on the mat", "2")):
        drag_over(desk, words)
        desk.press(key)
    said = [span(4, 14), span(8, 18, "unclear"), span(12, 22)]
    assert stored(desk) == said

    desk.page.reload()
    desk.ready()

    assert highlighted(desk) == {"span-0": ["cat sat on", "on the mat"], "span-2": ["sat on the"], "span-twice": ["on"]}


def highlighted(desk: Desk) -> dict[str, list[str]]:
    """What the browser draws as marked, by highlight."""
    found = desk.page.evaluate(
        """() => Object.fromEntries([...CSS.highlights].filter(([name]) => name.startsWith("span-"))
            .map(([name, ranges]) => [name, [...ranges].map(String).sort()]))"""
    )
    return {name: words for name, words in found.items() if words}


def test_a_press_on_overlapping_spans_chooses_one_after_the_other(open_desk: Any) -> None:
    desk = open_desk(begun())
    for words, key in (("cat sat on", "2"), ("sat on the", "3")):
        drag_over(desk, words)
        desk.press(key)
    x, y = desk.page.evaluate(
        """() => {
            const [range] = CSS.highlights.get("span-2");
            const { left, top } = range.getClientRects()[0];
            return [left + 12, top + 8];
        }"""
    )

    desk.page.mouse.click(x, y)
    expect(bar(desk).locator("[data-picked]")).to_have_text("cat sat on")
    desk.page.mouse.click(x, y)
    expect(bar(desk).locator("[data-picked]")).to_have_text("sat on the")
    bar(desk).get_by_role("button", name="Shown").click()
    bar(desk).get_by_role("button", name="Ends a word later").click()
    bar(desk).get_by_label("Note").fill("As the picture has it.")
    bar(desk).get_by_role("button", name="Close").click()

    assert stored(desk) == [span(4, 14), span(8, 22, "shown", note="As the picture has it.")]


def test_evidence_is_a_place_in_another_step_or_a_quotation(open_desk: Any) -> None:
    desk = open_desk(begun())
    drag_over(desk, "cat")
    desk.press("2")
    drag_over(desk, "mat")
    desk.press("2")
    desk.card(1).locator("[data-row]").first.click()
    bar(desk).get_by_role("button", name="Mark a place").click()
    drag_over(desk, "try 2", step=2)
    expect(bar(desk)).to_have_count(1)
    bar(desk).get_by_role("button", name="Take as evidence").click()
    desk.card(1).locator("[data-row]").last.click()
    bar(desk).get_by_label("Evidence").fill("https://example.org/mats")
    desk.press("Enter")

    assert stored(desk) == [
        span(4, 7, evidence={"step": 2, "part": "message", "start": 2, "end": 7}),
        span(19, 22, evidence={"text": "https://example.org/mats"}),
    ]


def test_evidence_is_found_from_the_keyboard_alone(open_desk: Any) -> None:
    desk = open_desk(begun())
    desk.press("c", "Shift+Control+ArrowRight")
    expect(bar(desk)).to_have_count(1)
    desk.press("2", "Escape")
    desk.card(1).locator("[data-row]").focus()
    desk.press("Enter")
    bar(desk).get_by_role("button", name="Mark a place").focus()
    desk.press("Enter")
    expect(text_of(desk)).to_be_focused()
    desk.press("PageDown")
    expect(text_of(desk, step=2)).to_be_focused()
    desk.press("Shift+End")
    expect(bar(desk)).to_have_count(1)
    desk.press("Enter")

    assert stored(desk) == [span(0, 3, evidence={"step": 2, "part": "message", "start": 0, "end": 8})]
    expect(desk.card(1).locator("[data-row]")).to_be_focused()


def test_a_text_that_is_laid_out_is_marked_as_it_was_written(open_desk: Any) -> None:
    calls = [{"id": "c", "name": "look", "arguments": '{"at":  [1,2],"where":"home"}'}]
    desk = open_desk(begun(tool_calls=calls))
    shown = text_of(desk, "call-0")
    shown.locator(".t-str", has_text="home").dblclick()
    expect(bar(desk)).to_contain_text("laid out")
    bar(desk).get_by_role("button", name="Show it as written").click()
    expect(bar(desk).get_by_role("button", name="Wrong")).to_be_visible()
    desk.press("2")

    [said] = stored(desk)
    assert calls[0]["arguments"][said["start"] : said["end"]].strip('"') == "home"


def test_tab_goes_through_the_texts_that_may_be_marked(open_desk: Any) -> None:
    desk = open_desk(begun(reasoning="First I think."))
    desk.press("c")
    expect(text_of(desk, "reasoning")).to_be_focused()
    for part in ("message", "call-0", "observation-0"):
        desk.press("Tab")
        expect(text_of(desk, part)).to_be_focused()
    desk.press("Control+a")
    expect(bar(desk)).to_have_count(1)
    desk.press("2")

    assert stored(desk) == [span(0, 6, part="observation-0")]


def test_what_is_marked_without_a_server_is_sent_when_it_is_back(open_desk: Any, watch: Any) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED")
    desk = open_desk(begun())
    desk.page.context.set_offline(True)
    drag_over(desk, "cat")
    desk.press("2")
    desk.trouble("1 change")
    desk.page.context.set_offline(False)

    assert stored(desk) == [span(4, 7)]


def test_a_drawn_text_shows_its_spans_again_when_it_is_turned_to_what_was_written(open_desk: Any) -> None:
    desk = open_desk(begun("# Cats\n\nThe **cat** sat on the mat, and it was late."))
    drag_over(desk, "cat")
    desk.press("2")
    assert highlighted(desk) == {"span-0": ["cat"]}
    block = desk.page.locator('.block[data-of="1"][data-part="message"]')

    block.get_by_role("button", name="rendered").click()
    expect(block.locator("strong")).to_have_count(2)
    assert highlighted(desk) == {}
    desk.card(1).locator("[data-row]").click()
    expect(block.locator("strong")).to_have_count(0)
    assert highlighted(desk) == {"span-0": ["cat"], "span-chosen": ["cat"]}


def test_what_is_marked_in_a_text_that_comes_laid_out_is_seen_after_a_reload(open_desk: Any) -> None:
    calls = [{"id": "c", "name": "look", "arguments": '{"at":  [1,2],"where":"home"}'}]
    mine = begun(tool_calls=calls)
    said = [span(0, 5, part="call-0")]
    Label.objects.create(
        annotation=mine, step=mine.trajectory.steps.get(index=1), field="claims", value=said, origin="human"
    )
    desk = open_desk(mine)

    expect(text_of(desk, "call-0").locator("pre")).to_have_text(calls[0]["arguments"])
    assert highlighted(desk) == {"span-0": ['{"at"']}


def test_words_far_down_in_a_text_of_many_pieces_are_marked_where_they_stand(open_desk: Any) -> None:
    lines = "".join(f"Line {number}: nothing \N{GRINNING FACE} here.\n" for number in range(20_000))
    desk = open_desk(begun(lines + "The needle is here.\n" + lines))
    desk.press("c")
    expect(text_of(desk)).to_be_focused()
    desk.press("Control+End", "Shift+Home")
    expect(bar(desk).locator("[data-picked]")).to_have_text("Line 19999: nothing \N{GRINNING FACE} here.")
    desk.press("2")

    whole = lines + "The needle is here.\n" + lines
    [said] = stored(desk)
    assert whole[said["start"] : said["end"]] == "Line 19999: nothing \N{GRINNING FACE} here."


LONG_PRESS = """() => {
    const node = document.querySelector('.block[data-of="1"][data-part="message"] pre').firstChild;
    getSelection().setBaseAndExtent(node, 4, node, 7);
}"""


def test_a_finger_selects_a_word_and_a_tap_on_its_type_marks_it(
    browser: Browser, live_server: LiveServer, log_in: Callable[..., None], watch: Watch, in_flight: Any
) -> None:
    mine = begun()
    context = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 400, "height": 800})
    watch.over(context)
    assert mine.rater.user
    log_in(mine.rater.user, context)
    desk = Desk(context.new_page(), live_server.url, mine).open()
    box = text_of(desk).bounding_box()
    assert box
    touch = context.new_cdp_session(desk.page)
    where = {"x": box["x"] + 40, "y": box["y"] + 10}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [where]})
    desk.page.evaluate(LONG_PRESS)  # the system selects the word; this Chromium has no system around it
    touch.send("Input.dispatchTouchEvent", {"type": "touchCancel", "touchPoints": []})  # and keeps the touch for itself
    expect(bar(desk).locator("[data-picked]")).to_have_text("cat")

    bar(desk).get_by_role("button", name="Unclear").tap()

    assert stored(desk) == [span(4, 7, "unclear")]
    context.close()


def test_spans_that_may_not_overlap_are_refused_on_the_page(open_desk: Any) -> None:
    alone = SCHEME.replace("    evidence: optional\n", "    overlap: false\n")
    desk = open_desk(begun(scheme=alone))
    for words, key in (("cat sat on", "2"), ("sat on the", "3")):
        drag_over(desk, words)
        desk.press(key)
    expect(desk.page.locator("[data-says].shown")).to_contain_text("must not overlap")

    assert stored(desk) == [span(4, 14)]


def test_an_item_that_is_handed_in_shows_its_spans_and_takes_none(open_desk: Any) -> None:
    mine = begun()
    first = mine.trajectory.steps.get(index=1)
    Label.objects.create(annotation=mine, step=first, field="claims", value=[span(4, 7)], origin="human")
    Annotation.objects.filter(pk=mine.pk).update(state="submitted", seat=None, lease_until=None)
    desk = open_desk(mine)
    assert highlighted(desk) == {"span-0": ["cat"]}
    drag_over(desk, "sat on")
    desk.press("2")
    expect(bar(desk)).to_have_count(0)
    desk.card(1).locator("[data-row]").focus()
    desk.press("Delete", "Enter")

    expect(desk.card(1).locator("[data-row]")).to_have_count(1)
    assert stored(desk) == [span(4, 7)]


# What takes more than one UTF-16 unit, or more than one character to be one, or turns the direction, or is not seen.
HARD = [
    *("a", "b ", "\u00e9", "e\u0301", "n\u0303\u0323", "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
    *("\U0001f3f3\ufe0f\u200d\U0001f308", "\U0001f1e9\U0001f1ea", "\u05e9\u05dc\u05d5\u05dd", "\u0645\u0631\u062d"),
    *("\u0915\u094d\u0937", "\u0e01\u0e33", "\ud55c", "\u1112\u1161\u11ab", "\r\n", "\n", "\t", "\r", "\x1b", "\x07"),
    *("\u200b", "\u202e", "\u2066", "\ufeff", "\u00ad", "\U000e0041", "<b>", "&amp;", "  ", "\u3000", "\U0001d54f"),
]


@pytest.mark.parametrize("seed", range(4))
def test_what_is_drawn_is_what_the_characters_say_in_any_text(open_desk: Any, seed: int) -> None:
    chance = random.Random(seed)
    texts = {part: "x" + "".join(chance.choices(HARD, k=chance.randint(5, 60))) for part in ("message", "reasoning")}
    cuts = [(part, *sorted(chance.sample(range(len(text) + 1), 2))) for part, text in texts.items() for _ in range(6)]
    mine = begun(texts["message"], reasoning=texts["reasoning"])
    told = ordered([span(start, end, "unclear", part) for part, start, end in cuts])
    first = mine.trajectory.steps.get(index=1)
    Label.objects.create(annotation=mine, step=first, field="claims", value=told, origin="human")

    desk = open_desk(mine)

    drawn = desk.page.evaluate(READ_BACK)
    assert sorted(drawn["span-2"]) == sorted(texts[one["part"]][one["start"] : one["end"]] for one in told)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_selected_is_stored_by_the_characters_of_any_text(open_desk: Any, seed: int) -> None:
    chance = random.Random(100 + seed)
    text = "x" + "".join(chance.choices(HARD, k=25)) + "y"
    desk = open_desk(begun(text))
    desk.press("c")
    expect(text_of(desk)).to_be_focused()
    desk.press(*["ArrowRight"] * chance.randint(0, 6), *["Shift+ArrowRight"] * chance.randint(1, 9))
    drawn = desk.page.evaluate(READ_SELECTED)
    desk.press("2")

    [said] = stored(desk)
    assert text[said["start"] : said["end"]] == drawn
    desk.page.reload()
    desk.ready()
    assert desk.page.evaluate(READ_BACK)["span-0"] == [drawn]


# The words of a range as they were written: a mark gives back the character that it names.
WORDS = """
    const words = (range) => {
        const part = range.cloneContents();
        for (const mark of part.querySelectorAll(".hidden-character")) {
            mark.replaceWith(String.fromCodePoint(parseInt(mark.textContent.slice(2), 16)));
        }
        return part.textContent;
    };
"""
EACH = "[...CSS.highlights].map(([name, ranges]) => [name, [...ranges].map(words)])"
READ_BACK = f"() => {{ {WORDS} return Object.fromEntries({EACH}); }}"
READ_SELECTED = f"() => {{ {WORDS} return words(getSelection().getRangeAt(0)); }}"
