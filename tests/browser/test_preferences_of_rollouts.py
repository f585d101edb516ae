"""Comparing rollouts of a task, and steps that were tried at one place."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import schemes
from annotations.models import Annotation, Label, Step
from annotations.services import around, projects
from tests import make
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BETTER = """
name: better
version: "1"
title: Better
summary: Which rollout is better.
main: better
fields:
  - {name: better, title: Better, kind: preference, target: task, form: FORM, LEVELties: true, required: true, key: b}
"""


def scheme(form: str) -> Any:
    level = "level: ranking, " if form == "rank" else ""
    return projects.freeze(schemes.read(BETTER.replace("FORM", form).replace("LEVEL", level)))


def begun(form: str | Any, rollouts: int = 3) -> Annotation:
    """The first of a task's rollouts on somebody's desk; rollout n says "Answer n." at its end."""
    annotator = make.user()
    project = make.project(annotator, scheme=scheme(form) if isinstance(form, str) else form)
    task = make.task(project)
    made = [
        make.trajectory(project, of=task, steps=2, policy_model=f"secret-{number}", outcome={"reward": number})
        for number in range(rollouts)
    ]
    for number, one in enumerate(made):
        one.steps.filter(index=2).update(message=f"Answer {number}.")
    return make.lease(made[0], annotator)


@pytest.fixture
def open_desk(page: Page, live_server: LiveServer, log_in: Callable[..., None]) -> Callable[[Annotation], Desk]:
    def opened(mine: Annotation) -> Desk:
        assert mine.rater.user
        log_in(mine.rater.user)
        return Desk(page, live_server.url, mine).open()

    return opened


def view(desk: Desk) -> Any:
    return desk.page.locator("[data-comparison]:popover-open")


def stored(desk: Desk, step: int | None = None) -> dict[str, Any]:
    desk.saved()
    mine = Label.objects.current().filter(annotation=desk.annotation, step__index=step)
    return dict(mine.values_list("field", "value"))


def beside(desk: Desk, *rollouts: int) -> None:
    """These stand beside each other, in this order."""
    columns = view(desk).locator(".candidate")
    expect(columns).to_have_count(len(rollouts))
    for place, number in enumerate(rollouts):
        expect(columns.nth(place)).to_contain_text(f"Answer {number}.")


def test_pairs_are_compared_one_after_the_other_by_key(open_desk: Any) -> None:
    mine = begun("pair")
    one, two, three = around.rollouts(mine)
    desk = open_desk(mine)
    desk.press("b")
    beside(desk, one, two)
    expect(view(desk)).to_contain_text("Pair 1 of 3, 0 answered")

    desk.press("2")
    beside(desk, one, three)
    desk.press("0")
    beside(desk, two, three)
    desk.press("ArrowLeft")

    expect(view(desk)).to_contain_text("3 answered")
    assert stored(desk) == {f"better@{one}-{two}": two, f"better@{one}-{three}": "tie", f"better@{two}-{three}": two}
    desk.press("Escape")
    expect(view(desk)).to_have_count(0)
    desk.press("Control+Enter")
    expect(desk.page.locator("[data-says]")).not_to_contain_text("Still missing")


def test_one_goes_back_to_a_pair_and_takes_it_back_with_undo(open_desk: Any) -> None:
    mine = begun("pair")
    one, two, three = around.rollouts(mine)
    desk = open_desk(mine)
    desk.press("b", "1", ",")
    beside(desk, one, two)
    expect(view(desk).get_by_role("button", name="A is better")).to_have_attribute("aria-pressed", "true")
    desk.press("2", "u")
    assert stored(desk) == {f"better@{one}-{two}": one}
    desk.page.reload()
    desk.ready().press("b")
    beside(desk, one, three)


def test_both_orders_stand_the_other_way_round(open_desk: Any) -> None:
    mine = begun(make.scheme("web-arbiter"), rollouts=2)
    one, two = around.rollouts(mine)
    desk = open_desk(mine)
    desk.press("b")
    beside(desk, one, two)
    desk.press("1")
    beside(desk, two, one)
    expect(view(desk).locator(".candidate-letter").first).to_have_text("B")
    desk.press("1")

    assert stored(desk) == {f"better@{one}-{two}": one, f"better@{two}-{one}": two}


def test_without_ties_no_key_says_that_two_are_equal(open_desk: Any) -> None:
    mine = begun(make.scheme("web-arbiter"), rollouts=2)
    desk = open_desk(mine)
    desk.press("b", "0")

    expect(view(desk).get_by_role("button", name="Equal")).to_have_count(0)
    assert stored(desk) == {}


def test_the_best_is_picked_by_the_number_of_its_column(open_desk: Any) -> None:
    mine = begun("best")
    order = around.rollouts(mine)
    desk = open_desk(mine)
    desk.press("b")
    beside(desk, *order)
    desk.press("3")

    assert stored(desk) == {"better": order[2]}
    expect(desk.page.locator("[data-progress]")).to_have_text("C is better")


def test_an_order_is_made_by_key_with_equal_ones_on_one_place(open_desk: Any) -> None:
    mine = begun("rank")
    one, two, three = around.rollouts(mine)
    desk = open_desk(mine)
    desk.press("b", "ArrowDown")
    assert stored(desk) == {}, "looking at an order says nothing"
    desk.press("Shift+ArrowDown")
    assert stored(desk) == {"better": [[two], [one], [three]]}
    desk.press("ArrowDown", "=")
    assert stored(desk) == {"better": [[two], sorted([one, three])]}
    desk.press("Shift+ArrowUp")

    assert stored(desk) == {"better": [[two], [three], [one]]}


def test_an_order_that_is_right_as_it_stands_is_kept_by_a_press(open_desk: Any) -> None:
    mine = begun("rank")
    desk = open_desk(mine)
    desk.press("b")
    view(desk).get_by_role("button", name="This is my order").click()

    assert stored(desk) == {"better": [[one] for one in around.rollouts(mine)]}


def test_nothing_on_the_page_says_which_rollout_is_which(open_desk: Any) -> None:
    mine = begun("pair")
    desk = open_desk(mine)
    desk.press("b", "1")
    beside(desk, *[int(one) for one in _open_pair(mine)])

    said = desk.page.locator("body").inner_text() + desk.page.locator("[data-says]").inner_text()
    assert not re.search(r"secret|reward|rollout|\b[0-2] is better", said, re.IGNORECASE)
    html = desk.page.content()
    assert "secret" not in html and "reward" not in html


def _open_pair(mine: Annotation) -> list[str]:
    one, _, three = map(str, around.rollouts(mine))
    return [one, three]


def test_on_a_narrow_page_one_is_shown_at_a_time(open_desk: Any, page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    mine = begun("pair", rollouts=2)
    one, two = around.rollouts(mine)
    desk = open_desk(mine)
    desk.press("b")
    columns = view(desk).locator(".candidate")
    expect(columns.nth(0)).to_contain_text(f"Answer {one}.")
    expect(columns.nth(1)).to_be_hidden()
    view(desk).get_by_role("button", name="B", exact=True).click()
    expect(columns.nth(1)).to_contain_text(f"Answer {two}.")
    expect(columns.nth(0)).to_be_hidden()
    view(desk).get_by_role("button", name="B is better").click()

    assert stored(desk) == {f"better@{one}-{two}": two}


def test_siblings_are_compared_in_the_card_of_the_first_of_them(open_desk: Any) -> None:
    mine = begun(make.scheme("step-dpo"), rollouts=1)
    trajectory = mine.trajectory
    parent = trajectory.steps.get(index=0)
    Step.objects.filter(trajectory=trajectory, index__in=(1, 2)).update(parent=parent)
    [(first, group)] = around.siblings(mine).items()
    desk = open_desk(mine)
    expect(desk.card(2).locator("[data-comparison]")).to_have_count(0)
    columns = desk.card(1).locator(".candidate")
    expect(columns).to_have_count(2)
    for place, index in enumerate(group):
        expect(columns.nth(place)).to_contain_text("I try 1." if index == 1 else "Answer 0.")
    desk.press("b", "2")

    assert first == 1
    assert stored(desk, 1) == {f"better@{group[0]}-{group[1]}": group[1]}


def test_what_is_compared_without_a_server_is_sent_when_it_is_back(open_desk: Any, watch: Any) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED")
    mine = begun("pair", rollouts=2)
    one, two = around.rollouts(mine)
    desk = open_desk(mine)
    desk.press("b")
    beside(desk, one, two)
    desk.page.context.set_offline(True)
    desk.press("2")
    desk.trouble("1 change")
    desk.page.context.set_offline(False)

    assert stored(desk) == {f"better@{one}-{two}": two}
