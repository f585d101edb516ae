"""Texts as people read them, on the label page and the trajectory page alike: turned, loaded, drawn, always inert."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Annotation, Trajectory, User
from annotations.rendering.outline import outline
from annotations.rendering.parts import parts
from tests import make, pictures
from tests.browser.conftest import Watch, cookie_of
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CORPUS: dict[str, str] = json.loads((Path(__file__).parents[1] / "samples" / "hostile.json").read_text())
PROSE = "# Plan\n\nI add \\(x^2\\) and\n\n\\[\\boxed{\\frac{a}{b}}\\]\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n[here](https://a.example/b)"
BIG = "".join(f"line {number} of ten megabytes of text, as a tool may well print it\n" for number in range(1, 160_001))


def store(trajectory: Trajectory, index: int, **fields: Any) -> None:
    """Another content for a step, with the outline an import would give it."""
    trajectory.steps.filter(index=index).update(**fields)
    step = trajectory.steps.get(index=index)
    step.outline = outline(parts(step))
    step.save(update_fields=["outline"])


class Reader:
    """One trajectory, open on the label page or on the trajectory page."""

    def __init__(self, page: Page, live_url: str, mine: Annotation, where: str) -> None:
        self.page, self.mine, self.where = page, mine, where
        slug, trajectory = mine.rater.project.slug, mine.trajectory_id
        path = f"label/{mine.pk}" if where == "label page" else f"trajectories/{trajectory}"
        self.url = f"{live_url}/p/{slug}/{path}/"

    def open(self) -> Reader:
        self.page.goto(self.url)
        expect(self.page.locator("html[data-ready]")).to_have_count(1)
        return self

    def card(self, step: int) -> Locator:
        return self.page.locator(f"#step-{step}")

    def block(self, step: int, part: str) -> Locator:
        return self.page.locator(f'.block[data-of="{step}"][data-part="{part}"]')

    def text(self, step: int, part: str) -> Locator:
        return self.block(step, part).locator(".shown")

    def press(self, step: int, part: str, name: str) -> None:
        self.block(step, part).get_by_role("button", name=name).click()


@pytest.fixture
def trajectory(annotator: User) -> Trajectory:
    return make.trajectory(make.project(annotator), steps=3)


@pytest.fixture
def annotator() -> User:
    return make.user()


@pytest.fixture(params=["label page", "trajectory page"])
def reader(
    request: pytest.FixtureRequest,
    page: Page,
    live_server: LiveServer,
    log_in: Callable[..., None],
    annotator: User,
    trajectory: Trajectory,
) -> Reader:
    log_in(annotator)
    return Reader(page, live_server.url, make.lease(trajectory, annotator), request.param)


def test_a_text_turns_between_what_is_shown_and_what_was_written(reader: Reader, trajectory: Trajectory) -> None:
    written = '{"b":1.50,   "a":[1,2]}'
    store(trajectory, 1, message=PROSE, observations=[{"content": written}])
    reader.open()

    expect(reader.text(1, "observation-0")).to_have_text('{"b": 1.50, "a": [1, 2]}')
    reader.press(1, "observation-0", "as written")
    expect(reader.text(1, "observation-0")).to_have_text(written)
    expect(reader.block(1, "observation-0").get_by_role("button", name="as written", pressed=True)).to_be_visible()
    reader.press(1, "observation-0", "as written")
    expect(reader.text(1, "observation-0")).to_have_text('{"b": 1.50, "a": [1, 2]}')

    expect(reader.text(1, "message")).to_contain_text("| a | b |")
    reader.press(1, "message", "rendered")
    expect(reader.text(1, "message").get_by_role("cell", name="2")).to_be_visible()
    expect(reader.text(1, "message").get_by_role("link", name="here https://a.example/b")).to_be_visible()
    reader.press(1, "message", "rendered")
    expect(reader.text(1, "message")).to_contain_text("| a | b |")


def test_maths_is_drawn_and_says_itself_to_screen_readers(reader: Reader, trajectory: Trajectory) -> None:
    store(trajectory, 1, message=PROSE)
    reader.open()
    reader.press(1, "message", "rendered")
    expect(reader.text(1, "message").locator(".maths[data-drawn=''] .katex-html")).to_have_count(2)
    expect(reader.text(1, "message").locator("math mfrac")).to_have_count(1)
    until(reader.page, "document.fonts.check('1em KaTeX_Main')")


def test_tex_that_cannot_be_drawn_stays_tex(reader: Reader, trajectory: Trajectory) -> None:
    store(trajectory, 1, message=r"\(\frac{1\) and \(\nosuchcommand\) and \(a\)")
    reader.open()
    reader.press(1, "message", "rendered")
    expect(reader.text(1, "message").locator(".maths[data-drawn=not]")).to_have_text([r"\frac{1", r"\nosuchcommand"])
    expect(reader.text(1, "message").locator(".maths[data-drawn='']")).to_have_count(1)


def test_drawn_maths_hides_nothing_by_its_colours(reader: Reader, trajectory: Trajectory) -> None:
    store(trajectory, 1, message=r"\(\color{white}a \textcolor{#fff}{b} \colorbox{black}{c} \pmb{d} \fbox{e}\)")
    reader.open()
    reader.press(1, "message", "rendered")
    drawn = reader.text(1, "message").locator(".maths[data-drawn='']")
    expect(drawn.locator(".katex-html")).to_contain_text("abcde")
    script = "one => [...one.querySelectorAll('*')].every((part) => !part.style.color && !part.style.backgroundColor)"
    assert drawn.evaluate(script)


def test_the_whole_page_can_be_drawn_and_this_is_remembered(reader: Reader, trajectory: Trajectory) -> None:
    for step in (1, 2, 3):
        store(trajectory, step, message=PROSE)
    reader.open()
    reader.press(1, "message", "rendered")
    reader.press(1, "message", "rendered")  # this one was turned by hand: it stays as it was turned
    reader.page.evaluate("localStorage.setItem('stepmark.rendered', 'true')")
    reader.open()
    for step in (1, 2, 3):
        reader.card(step).scroll_into_view_if_needed()
        expect(reader.block(step, "message")).to_have_attribute("data-view", "rendered")
    reader.press(2, "message", "rendered")
    expect(reader.text(2, "message")).to_contain_text("| a | b |")


def test_the_switch_of_the_trajectory_page_draws_and_undoes_all(
    page: Page, live_server: LiveServer, log_in: Callable[..., None], annotator: User, trajectory: Trajectory
) -> None:
    store(trajectory, 1, message=PROSE, observations=[{"content": '{"a":   1}'}])
    log_in(annotator)
    reader = Reader(page, live_server.url, make.lease(trajectory, annotator), "trajectory page").open()
    switch = page.get_by_role("button", name="Rendered texts")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "true")
    expect(reader.block(1, "message")).to_have_attribute("data-view", "rendered")
    expect(reader.text(1, "observation-0")).to_have_text('{"a": 1}')
    switch.click()
    expect(reader.text(1, "message")).to_contain_text("| a | b |")
    assert page.evaluate("localStorage.getItem('stepmark.rendered')") is None


def test_what_was_done_to_a_text_is_still_done_when_its_card_comes_back(
    page: Page, live_server: LiveServer, log_in: Callable[..., None], annotator: User
) -> None:
    trajectory = make.trajectory(make.project(annotator), steps=120)
    store(trajectory, 2, message=BIG[:600_000])
    lines = "\n".join(f"line {number}" for number in range(60))
    store(trajectory, 1, message=PROSE, observations=[{"content": lines}])
    log_in(annotator)
    reader = Reader(page, live_server.url, make.lease(trajectory, annotator), "label page").open()
    reader.press(1, "message", "rendered")
    reader.press(1, "observation-0", "Show all")
    reader.press(2, "message", "Load the rest")
    reader.text(2, "message").get_by_label("Line").fill("7000")
    reader.text(2, "message").get_by_role("button", name="Go").click()
    expect(reader.text(2, "message")).to_contain_text("line 7000 of")
    reader.card(2).locator("h2").click()
    page.keyboard.press("G")
    expect(reader.card(1)).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("g")
    expect(reader.block(1, "message")).to_have_attribute("data-view", "rendered")
    expect(reader.block(1, "observation-0").get_by_role("button", name="Show less")).to_be_visible()
    expect(reader.text(1, "message").locator(".katex-html")).to_have_count(2)
    expect(reader.text(2, "message")).to_contain_text(re.compile(r"about line (6,9|7,0)\d\d of"))


def test_a_text_that_was_cut_comes_whole_and_may_then_be_turned(reader: Reader, trajectory: Trajectory) -> None:
    store(trajectory, 1, message="intro\n\n" * 5_000 + PROSE)
    reader.open()
    expect(reader.block(1, "message").get_by_role("button", name="rendered")).to_have_count(0)
    reader.press(1, "message", "Load the rest")
    expect(reader.text(1, "message")).to_contain_text("| a | b |")
    reader.press(1, "message", "rendered")
    expect(reader.text(1, "message").get_by_role("cell", name="2")).to_have_count(1)


def test_a_server_that_is_away_is_named_and_the_text_stays(
    reader: Reader, trajectory: Trajectory, watch: Watch
) -> None:
    store(trajectory, 1, message=PROSE)
    reader.open()
    watch.allow("Failed to load resource|ERR_FAILED")
    reader.page.route("**/message/*", lambda route: route.abort())
    reader.press(1, "message", "rendered")
    expect(reader.page.locator("[data-says]")).to_have_text("The text could not be loaded: the server is away.")
    expect(reader.text(1, "message")).to_contain_text("| a | b |")


# --- very long texts


@pytest.fixture
def big(reader: Reader, trajectory: Trajectory) -> Reader:
    store(trajectory, 2, message=BIG)
    reader.page.add_init_script(
        "window.longest = 0; new PerformanceObserver((list) => list.getEntries().forEach((one) =>"
        "(window.longest = Math.max(window.longest, one.duration)))).observe({entryTypes: ['longtask']});"
    )
    reader.open()
    assert len(reader.page.content()) < 200_000
    reader.press(2, "message", "Load the rest")
    expect(reader.text(2, "message").locator(".piece pre").first).to_contain_text("line 1 of")
    return reader


def visible(reader: Reader) -> str:
    """The line in the upper part of the box of the long text."""
    script = """box => {
        const {left, top} = box.getBoundingClientRect();
        const {offsetNode, offset} = document.caretPositionFromPoint(left + 60, top + 40);
        const from = offsetNode.data.lastIndexOf("\\n", offset - 1) + 1;
        return offsetNode.data.slice(from, offsetNode.data.indexOf("\\n", from));
    }"""
    return str(reader.text(2, "message").locator(".big-box").evaluate(script))


def test_ten_megabytes_open_scroll_jump_and_are_found_in_without_freezing(big: Reader) -> None:
    shown = big.text(2, "message")
    box = shown.locator(".big-box")
    box.scroll_into_view_if_needed()

    shown.get_by_role("button", name="End").click()
    expect(box).to_contain_text("line 160000 of")
    shown.get_by_label("Line").fill("81234")
    shown.get_by_label("Line").press("Enter")
    expect(box).to_contain_text("line 81234 of")
    assert int(re.findall(r"\d+", visible(big))[0]) in range(81_230, 81_240)
    expect(shown).to_contain_text(re.compile(r"about line 81,2\d\d of 160,001"))

    for _ in range(10):
        box.hover()
        big.page.mouse.wheel(0, 3_000)
    expect(box).to_contain_text("line 82500 of")
    shown.get_by_label("Find here").fill("LINE 12345 of")
    shown.get_by_label("Find here").press("Enter")
    expect(shown.locator("output")).to_have_text("1 of 1")
    expect(box).to_contain_text("line 12345 of")

    assert shown.locator(".piece pre").count() < 12  # what is far goes again
    assert big.page.evaluate("window.longest") < 1_000


def test_a_place_in_a_long_text_can_be_gone_to(big: Reader) -> None:
    place = BIG.index("line 100000 of")
    script = """async ([place, length]) => {
        const {Reading} = await import("/static/js/reading.js");
        window.reading ??= new Reading({root: document.querySelector("[data-reading], .turns")});
        const range = await window.reading.showOffset(2, "message", place, length);
        return range && range.toString();
    }"""
    big.page.reload()
    expect(big.page.locator("html[data-ready]")).to_have_count(1)
    assert big.page.evaluate(script, [place, 14]) == "line 100000 of"
    assert big.page.evaluate(script, [len(BIG) - 5, 4]) == "t it"


def test_a_place_in_any_text_can_be_gone_to_whatever_is_folded_or_drawn_over_it(
    reader: Reader, trajectory: Trajectory
) -> None:
    text = '{"a":1,  "b":"x\u202ey \U0001f600 here\\n' + "z" * 80 + '",   "end":2}' + "\n" * 40
    store(trajectory, 1, observations=[{"content": text}])
    reader.open()
    script = """async (place) => {
        const {Reading} = await import("/static/js/reading.js");
        window.reading ??= new Reading({root: document.querySelector("[data-reading], .turns")});
        const range = await window.reading.showOffset(1, "observation-0", place, 4);
        return range && [range.toString(), range.getBoundingClientRect().height > 0];
    }"""
    assert reader.page.evaluate(script, text.index("here")) == ["here", True]
    assert reader.page.evaluate(script, text.index('"end')) == ['"end', True]
    assert reader.page.evaluate(script, len(text) + 1) is None


# --- pictures


def test_a_picture_is_shown_enlarged_and_left_by_key(reader: Reader, trajectory: Trajectory) -> None:
    store(trajectory, 1, observations=[{"content": [pictures.as_openai(pictures.png(600, 400))]}])
    call = {"id": "1", "name": "computer", "arguments": '{"action": "left_click", "coordinate": [300, 100]}'}
    store(trajectory, 2, tool_calls=[call], observations=[])
    reader.open()
    picture = reader.card(2).locator("figure.screen")
    picture.scroll_into_view_if_needed()
    expect(picture.locator("figcaption")).to_contain_text(
        "On the picture before this call (600 × 400): left_click at 300, 100"
    )
    until(reader.page, "document.querySelector('figure.screen img').naturalWidth === 600")
    spot, frame = picture.locator("circle.dot").bounding_box(), picture.locator("img").bounding_box()
    assert spot and frame
    assert abs((spot["x"] + spot["width"] / 2 - frame["x"]) / frame["width"] - 0.5) < 0.02
    assert abs((spot["y"] + spot["height"] / 2 - frame["y"]) / frame["height"] - 0.25) < 0.02

    picture.get_by_role("button", name="marks").click()
    expect(picture.locator("svg.marks")).to_be_hidden()
    picture.get_by_role("button", name="marks").click()
    expect(picture.locator("svg.marks")).to_be_visible()

    picture.get_by_role("link").focus()
    reader.page.keyboard.press("Enter")
    dialog = reader.page.get_by_role("dialog")
    expect(dialog.locator("img")).to_be_visible()
    expect(dialog.locator("svg.marks")).to_be_visible()
    results = Axe().run(reader.page)
    assert results.violations_count == 0, results.generate_report()
    reader.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(picture.get_by_role("link")).to_be_focused()


# --- hostile texts


def hostile(trajectory: Trajectory) -> None:
    """Every text of the corpus in one of the places where a step has texts, names of tools among them."""
    texts = [text.replace("\x00", "\u2400") for text in CORPUS.values()]
    for step, first in enumerate(range(0, len(texts), 4), start=1):
        message, reasoning, arguments, seen = (texts[first : first + 4] + texts[:3])[:4]
        call = {"id": "1", "name": seen[:60], "arguments": arguments}
        result = {"tool_call_id": "1", "name": message[:60], "content": seen}
        store(trajectory, step, message=message, reasoning=reasoning, tool_calls=[call], observations=[result])


ALIVE = """() => {
    const inline = "SPAN INS DEL BR STRONG EM S A CODE", blocks = "PRE DIV P HR UL OL LI BLOCKQUOTE";
    const allowed = new Set(`${inline} ${blocks} TABLE THEAD TBODY TR TH TD`.split(" "));
    const acts = /^(on|hx-|data-hx|id$|src|href$|xlink|action|formaction|background|poster)/;
    const found = [];
    for (const element of document.querySelectorAll(".shown *, .name *")) {
        const drawn = element.parentElement.closest(".maths[data-drawn='']");
        const isLink = element.tagName === "A";
        const bad = element.getAttributeNames().some((name) => acts.test(name) && !(name === "href" && isLink));
        const foreign = !drawn && (!allowed.has(element.tagName) || element.hasAttribute("style"));
        const leads = isLink && (drawn || !/^(https?:|mailto:|$)/.test(element.href));
        if (bad || foreign || leads) found.push(element.outerHTML.slice(0, 200));
    }
    return found;
}"""


@pytest.mark.parametrize(("drawn", "scheme"), [(False, "light"), (True, "dark")], ids=["as first", "drawn"])
def test_a_trajectory_of_hostile_texts_does_nothing_on_either_page_in_any_view(
    reader: Reader, trajectory: Trajectory, drawn: bool, scheme: str
) -> None:
    count = -(-len(CORPUS) // 4)
    for number in range(4, count + 1):
        fields = {"trajectory": trajectory, "source": "agent", "source_index": 2 * number, "content_hash": "0" * 64}
        trajectory.steps.create(index=number, **fields)
    hostile(trajectory)
    page = reader.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail(f"a text asked: {dialog.message}"))
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(reader.url)
    if drawn:
        page.evaluate("localStorage.setItem('stepmark.rendered', 'true')")
    reader.open()
    title, alive, checked = page.title(), list[str](), 0

    for step in range(1, count + 1):
        go_to(reader, step)
        until(page, f"document.querySelector('#step-{step} .shown')")
        for name in ("as written",) if not drawn else ():
            for button in reader.card(step).get_by_role("button", name=name).all():
                button.click()
        alive += page.evaluate(ALIVE)
        if drawn:
            waiting = f'#step-{step} .block:has(> .shown[data-offers="rendered"]):not([data-view="rendered"])'
            expect(page.locator(waiting)).to_have_count(0)
            expect(page.locator(f"#step-{step} .maths:not([data-drawn])")).to_have_count(0)
        checked += reader.card(step).locator(".shown").count()
        alive += page.evaluate(ALIVE)
    assert alive == []
    assert checked >= len(CORPUS)
    assert page.title() == title
    assert [url for url in asked if re.search(r"/tokens/|logout|evil|/etc/", url)] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    results = Axe().run(page, options={"resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()


def go_to(reader: Reader, step: int) -> None:
    """Bring the step into the page and into sight, as the page itself would."""
    card = reader.card(step)
    if not card.count():
        later = "[data-more=later]" if reader.where == "trajectory page" else f'[data-chunk="{step // 20}"]'
        reader.page.evaluate("(place) => document.querySelector(place)?.scrollIntoView()", later)
    expect(card).to_have_count(1)
    card.scroll_into_view_if_needed()


# --- without JavaScript, and for everybody


def test_texts_are_read_without_javascript(
    browser: Browser, live_server: LiveServer, annotator: User, trajectory: Trajectory, in_flight: object
) -> None:
    lines = "\n".join(f"line {number}" for number in range(60))
    store(trajectory, 1, message="x" * 30_000 + " end", observations=[{"content": lines}])
    store(trajectory, 2, message=BIG)
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([cookie_of(annotator, live_server.url)])
    page = context.new_page()
    reader = Reader(page, live_server.url, make.lease(trajectory, annotator), "trajectory page")
    page.goto(reader.url)
    text = reader.text(1, "observation-0")
    assert text.evaluate("one => one.scrollHeight - one.clientHeight") <= 1  # nothing of it is folded away
    expect(reader.card(1).get_by_role("button", name="Show all")).to_have_count(0)
    reader.block(2, "message").get_by_role("link", name="The whole text").click()
    page.get_by_role("link", name="Later").click()
    expect(page.locator("pre")).to_contain_text("of ten megabytes")
    expect(page.get_by_role("link", name="Earlier")).to_be_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_drawn_texts_pass_the_accessibility_checks(
    reader: Reader, trajectory: Trajectory, scheme: str, width: int
) -> None:
    every = [
        f"\x1b[{front};{back}mx\x1b[0m" for front in (*range(30, 38), *range(90, 98)) for back in (40, 43, 47, 100, 107)
    ]
    seen = [
        {"tool_call_id": "1", "content": "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"},
        {"tool_call_id": "2", "content": " ".join(every)},
        {"tool_call_id": "3", "content": "a,b,c\n1,2,3\n4,5,6\n"},
    ]
    calls = [
        {"id": "1", "name": "look", "arguments": '{"a": [1, "b", null, true, "c\\n' + "d" * 80 + '"]}'},
        {"id": "2", "name": "python", "arguments": "@x\ndef f(a):  # why\n    return None, 'b', 1, $c"},
        {"id": "3", "name": "look", "arguments": "{}"},
    ]
    store(trajectory, 1, message=PROSE, reasoning="Let me think.\n" * 20, tool_calls=calls, observations=seen)
    page = reader.page
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    reader.open()
    for button in page.locator("#step-1 [data-render]").all():
        button.click()
    expect(page.locator('#step-1 [data-view="rendered"]')).to_have_count(2)
    expect(page.locator("#step-1 .maths:not([data-drawn])")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
