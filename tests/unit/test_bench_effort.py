"""The scripted annotator of the benchmark: its page, and its plans."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import effort
from bench.annotator import desk as desks
from bench.annotator import planner
from bench.annotator.bounds import at_least
from bench.annotator.desk import Desk, Said, State
from bench.annotator.planner import Plan, plan
from bench.annotator.repair import repair

LABELS = st.sampled_from([1, 0, -1])
NOTHING = (None,) * 9


def keys(gold: tuple[int, ...], policy: str = "suggest", offers: tuple[int | None, ...] = (), **more: bool) -> str:
    return " ".join(plan(Desk(policy, offers or NOTHING[: len(gold)], **more), gold).keys)


@pytest.mark.parametrize(
    ("gold", "pressed"),
    [
        ((1,), "1"),
        ((1, 1, 1), "Shift+Digit1"),
        ((-1, -1, -1), "-"),
        ((1, -1), "j Shift+Minus"),
        ((1, 1, 1, 1, -1), "G Shift+Minus"),
    ],
)
def test_a_plan_is_as_short_as_the_keys_allow(gold: tuple[int, ...], pressed: str):
    assert keys(gold) == pressed


def test_what_is_offered_rightly_costs_nothing():
    assert keys((1, 0, -1), offers=(1, 0, -1)) == ""


def test_what_is_offered_wrongly_is_put_right_and_counted():
    desk = Desk("suggest", (1, 1, 1))
    done = plan(desk, (1, 0, 1))
    assert done.keys == ("j", "0")
    assert done.corrections == 1


def test_who_moves_on_with_each_answer_moves_less():
    gold = (0, -1, 0, -1)
    assert plan(Desk("off", NOTHING[:4], advance=True), gold).presses < plan(Desk("off", NOTHING[:4]), gold).presses


def test_an_error_that_was_filled_in_goes_with_its_cause():
    desk = Desk("fill", NOTHING[:3])
    filled = desk.press(desk.start(), "-")
    assert filled.cells == (Said(-1), Said(-1, "propagated"), Said(-1, "propagated"))
    assert desk.press(filled, "1").cells == (Said(1), None, None)


def test_settling_at_an_error_overrules_what_is_offered_after_it_and_labels_nothing_that_it_carries_on_to():
    desk = Desk("suggest", (None, None, 1, None))
    settled = desk.press(desk.press(desk.start(), "j"), "Shift+Minus")
    assert settled.cells == (Said(1), Said(-1), Said(-1), None)
    assert desk.ghosts(settled) == {3}


def test_an_answer_moves_on_only_for_who_wants_that():
    assert Desk("off", NOTHING[:2]).press(State((None, None)), "1").focus == 0
    assert Desk("off", NOTHING[:2], advance=True).press(State((None, None)), "1").focus == 1


def test_who_does_not_settle_answers_each_step_that_nothing_is_carried_on_to():
    desk = Desk("suggest", NOTHING[:5], advance=True, settles=False)
    assert plan(desk, (1, 1, 0, -1, -1)).keys == ("1", "1", "0", "-")


def test_what_is_wrong_on_both_sides_is_put_right_on_one_walk():
    assert repair(9, 2, ((1, 0), (3, -1)), False) == ("j", "-", "k", "k", "0")


def test_who_goes_left_and_moves_on_with_answers_comes_back_over_what_was_passed():
    assert repair(9, 4, ((2, 1), (3, 1), (4, 1)), True) == ("k", "k", "1", "1", "1")


class TestEveryPlan:
    steps = st.lists(st.tuples(LABELS, st.none() | LABELS), min_size=1, max_size=5)
    policies = st.sampled_from(["off", "suggest", "fill"])

    @settings(max_examples=150, deadline=None)
    @given(steps=steps, policy=policies, advance=st.booleans())
    def test_stores_nothing_but_gold(self, steps: list[tuple[int, int | None]], policy: str, advance: bool):
        gold, offers = (tuple(column) for column in zip(*steps, strict=True))
        desk = Desk(policy, offers, advance)
        done = plan(desk, gold)
        *_, end = desk.replay(done.keys)
        assert tuple(cell and cell.value for cell in desk.filled(end)) == gold
        assert done.exact
        assert done.presses <= 2 * len(gold)

    @settings(max_examples=150, deadline=None)
    @given(steps=steps, policy=policies, advance=st.booleans())
    def test_is_as_short_as_trying_everything_finds(
        self, steps: list[tuple[int, int | None]], policy: str, advance: bool
    ):
        gold, offers = (tuple(column) for column in zip(*steps[:4], strict=True))
        for settles in (True, False):
            desk = Desk(policy, offers, advance, settles)
            fewest = next(presses for presses, level in reached(desk, gold) if solved(desk, level, gold))
            assert plan(desk, gold).presses == fewest

    @settings(max_examples=150, deadline=None)
    @given(steps=steps, policy=policies, advance=st.booleans())
    def test_takes_no_fewer_presses_from_anywhere_than_are_needed_at_the_least(
        self, steps: list[tuple[int, int | None]], policy: str, advance: bool
    ):
        gold, offers = (tuple(column) for column in zip(*steps, strict=True))
        desk = Desk(policy, offers, advance)
        keys = plan(desk, gold).keys
        for place, state in enumerate(desk.replay(keys)):
            assert at_least(desk, state, gold) <= planner.presses_of(keys[place:])

    @settings(max_examples=100, deadline=None)
    @given(gold=st.lists(LABELS, min_size=12, max_size=16))
    def test_of_a_search_that_gives_up_stores_gold_all_the_same(self, gold: list[int]):
        desk = Desk("suggest", (None,) * len(gold))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(planner, "MOST", 5)
            done = plan(desk, gold)
        *_, end = desk.replay(done.keys)
        assert planner.wrong(desk, end, tuple(gold)) == 0


def reached(desk: Desk, gold: tuple[int, ...]) -> Iterator[tuple[int, set[State]]]:
    """(presses, all that can be reached with so many by keys that say gold)."""
    levels: dict[int, set[State]] = {0: {desk.start()}}
    for presses in range(2 * len(gold) + 1):
        yield presses, levels.get(presses, set())
        for state in levels.get(presses, set()):
            for key in planner.worth_pressing(desk, state, gold):
                levels.setdefault(presses + desks.presses(key), set()).add(desk.press(state, key))


def solved(desk: Desk, level: set[State], gold: tuple[int, ...]) -> bool:
    return any(planner.wrong(desk, state, gold) == 0 for state in level)


def test_a_row_with_anything_mislabelled_misses_its_aim_however_few_presses_it_took():
    assert effort.row("few", effort.Effort(10, 1, 0, mislabelled=0), 0.6).reached
    assert not effort.row("few, and wrong", effort.Effort(10, 1, 0, mislabelled=1), 0.6).reached
    assert not effort.row("many", effort.Effort(10, 7, 0, mislabelled=0), 0.6).reached


def test_what_a_plan_stores_otherwise_than_gold_is_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(effort, "planned", lambda desk, gold: Plan(("1",), 0))
    assert effort.effort("off", [((1, -1), (None, 1))]).mislabelled == 1


def test_labels_of_a_file_are_read_in_the_order_of_the_steps(tmp_path: Path):
    path = tmp_path / "gold.jsonl"
    path.write_text(json.dumps({"step_labels": {"10": -1, "2": 1}}) + "\n")
    assert effort.sequences(path) == [(1, -1)]
