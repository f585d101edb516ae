"""The axis under the strips: who has a cell of their own, who shares one, and what a shared one shows."""

from __future__ import annotations

import pytest

from annotations.schemes import shipped
from annotations.schemes.fields import ChoiceField
from annotations.services.answers import Voice, severity
from annotations.services.axis import BEFORE, CELLS, Axis, Place, strip, up_to

VOICE = Voice(shipped()["agent-process"].main_field)
RIGHT, NEUTRAL, WRONG = map(VOICE.mark, (1, 0, -1))


def axis(*agent: int) -> Axis:
    return Axis(len(agent), max(agent, default=0), agent)


def test_each_step_of_a_short_trajectory_has_its_cell():
    short = axis(1, 3, 4)
    assert (short.width, short.firsts) == (1, [1, 3, 4])
    assert [short.number(index) for index in (0, 1, 2, 3, 4, 5)] == [None, 1, None, 2, 3, None]
    assert short.ticks == [Place(1, 1), Place(3, 2), Place(4, 3)]
    one = strip(short, "ines", [(1, RIGHT, False, 1), (4, WRONG, True, 1)])
    assert one.cells == [(RIGHT, False), (None, False), (WRONG, True)]
    assert (one.counts, one.steps) == ({RIGHT: 1, WRONG: 1}, 3)


@pytest.mark.parametrize("steps", [CELLS + 1, 1_000, 30_000])
def test_steps_of_a_long_one_share_cells_and_there_are_never_more_than_fit(steps: int):
    long = Axis(steps, steps, range(1, steps + 1))
    assert len(long.firsts) <= CELLS
    assert long.firsts[-1] <= steps < long.firsts[-1] + long.width
    assert 8 <= len(long.ticks) <= 13
    assert (long.ticks[0], long.ticks[1].number) == (Place(1, 1), long.ticks[1].index)


def test_the_worst_of_a_shared_cell_is_what_it_shows():
    long = Axis(1_000, 1_000, range(1, 1_001))
    groups = [
        (0, RIGHT, False, 3),
        (0, WRONG, True, 1),
        (1, WRONG, True, 1),
        (1, WRONG, False, 1),
        (2, NEUTRAL, False, 5),
        (2, RIGHT, False, 1),
    ]
    one = strip(long, "judge", groups)
    assert one.cells[:4] == [(WRONG, True), (WRONG, False), (NEUTRAL, False), (None, False)]
    assert one.counts == {RIGHT: 4, WRONG: 3, NEUTRAL: 5}


def test_what_a_rater_says_outside_the_axis_is_counted_and_not_drawn():
    one = strip(axis(1), "judge", [(7, RIGHT, False, 1)])
    assert one.cells == [(None, False)]


def test_an_empty_trajectory_has_an_empty_axis():
    assert (axis().firsts, axis().ticks, strip(axis(), "x", []).cells) == ([], [], [])


def test_how_bad_an_answer_is_follows_its_number_or_its_place():
    spec = shipped()["agent-process"].main_field
    assert severity(spec) == {1: -1, 0: 0, -1: 1}
    words = [{"value": name, "title": name} for name in ("good", "poor", "bad")]
    fields = {"name": "f", "title": "F", "target": "step", "kind": "choice", "choices": words}
    assert severity(ChoiceField.model_validate(fields)) == {"good": 0, "poor": 1, "bad": 2}


def test_who_names_the_first_error_alone_is_taken_to_find_right_what_comes_before_it():
    named = strip(axis(1, 3, 4), "ines", up_to(axis(1, 3, 4), 3, WRONG, 1))
    assert named.cells == [(BEFORE, True), (WRONG, False), (None, False)]
    assert strip(axis(1, 3), "ines", up_to(axis(1, 3), None, WRONG)).cells == [(BEFORE, True)] * 2
