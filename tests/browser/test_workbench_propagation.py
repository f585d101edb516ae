"""The rules that fill in labels say the same in the browser as on the server."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import schemes
from annotations.models import Project
from annotations.schemes import rules
from tests import make
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

IN_BROWSER = """async (cases) => {
    const { RULES } = await import("/static/js/propagation.js");
    return cases.map(({ rule, said, stops, value }) => [...RULES[rule](said, stops, value)]);
}"""


def cases(count: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(20)
    for _ in range(count):
        length = chance.choice([0, 1, 2, 3, 5, 8, 13, 40])
        silence = chance.random()
        said = [None if chance.random() < silence else chance.choice([1, 0, -1]) for _ in range(length)]
        stops = [chance.random() < 0.25 for _ in range(length)]
        yield {"rule": chance.choice(list(rules.RULES)), "said": said, "stops": stops, "value": chance.choice([-1, 0])}


@pytest.fixture
def desk(page: Page, live_server: LiveServer, log_in: Callable[..., None], request: pytest.FixtureRequest) -> Desk:
    annotator = make.user()
    project = make.project(annotator, propagation=getattr(request, "param", Project.Propagation.SUGGEST))
    log_in(annotator)
    return Desk(page, live_server.url, make.lease(make.trajectory(project, steps=6), annotator)).open()


def test_every_rule_implies_the_same_on_thousands_of_random_trajectories(desk: Desk) -> None:
    tried = list(cases(3000))
    found = desk.page.evaluate(IN_BROWSER, tried)
    for case, implied in zip(tried, found, strict=True):
        expected = rules.RULES[case["rule"]](case["said"], case["stops"], case["value"])
        assert dict(implied) == expected, case


def test_the_rules_of_every_shipped_scheme_are_known_to_the_browser(desk: Desk) -> None:
    known = desk.page.evaluate("import('/static/js/propagation.js').then((module) => Object.keys(module.RULES))")
    assert {one.propagation.rule for one in schemes.shipped().values() if one.propagation} <= set(known)
    assert set(known) == set(rules.RULES)


@pytest.mark.parametrize("seed", range(3))
def test_after_any_row_of_keys_the_server_has_what_the_page_shows(desk: Desk, seed: int) -> None:
    """What is predicted here and what the server made of it are one."""
    chance = random.Random(seed)
    keys = ["1", "0", "-", "-", "x", "c", "p", "u", "Control+Shift+z", "j", "j", "k", "G", "f"]
    desk.press(*chance.choices(keys, k=40))
    predicted = shown(desk)
    desk.saved()
    assert shown(desk) == predicted
    desk.page.reload()
    assert shown(desk.ready()) == predicted
    desk.press(*chance.choices(keys, k=40)).saved()  # undo goes back to before the reload, which only the server knows
    settled = shown(desk)
    desk.page.reload()
    assert shown(desk.ready()) == settled


def shown(desk: Desk) -> list[Any]:
    return list(
        desk.page.evaluate(
            """() => [...document.querySelectorAll("[data-field]")].map((field) => [
                field.closest("[data-step]").dataset.step,
                field.dataset.field,
                field.querySelector("[data-choice].ghost") !== null,
                [...field.querySelectorAll("[aria-pressed=true]")].map((button) => button.textContent.trim()),
            ])"""
        )
    )


@pytest.mark.parametrize("desk", [Project.Propagation.FILL], indirect=True)
def test_where_the_project_fills_labels_come_by_themselves_and_go_with_their_cause(desk: Desk) -> None:
    desk.press("j", "-")
    desk.ghosts()
    desk.shows(6, "Wrong")
    assert desk.saved().origins() == {2: "human"} | dict.fromkeys([3, 4, 5, 6], "propagated")
    desk.press("j", "j", "c", "1")
    desk.shows(5, None)
    assert desk.saved().stored() == {2: -1, 3: -1, 4: 1}
    desk.press("k", "k", "x")
    desk.shows(3, None)
    assert desk.saved().stored() == {4: 1}


@pytest.mark.parametrize("desk", [Project.Propagation.OFF], indirect=True)
def test_where_propagation_is_off_nothing_is_suggested(desk: Desk) -> None:
    desk.press("-")
    desk.ghosts()
    desk.press("p")
    assert desk.saved().stored() == {1: -1}


@pytest.mark.parametrize(
    ("desk", "offered"),
    [(Project.Propagation.SUGGEST, 1), (Project.Propagation.FILL, 0), (Project.Propagation.OFF, 0)],
    indirect=["desk"],
)
def test_the_key_that_accepts_is_offered_only_where_something_can_be_suggested(desk: Desk, offered: int) -> None:
    desk.press("?")
    expect(desk.page.get_by_role("dialog").get_by_text("next step")).to_be_visible()
    expect(desk.page.get_by_role("dialog").get_by_text("accept what was carried on")).to_have_count(offered)
