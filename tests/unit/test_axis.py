"""The axis under the strips: who has a cell of their own, who shares one, and what a shared one shows."""

from __future__ import annotations

import pytest

from annotations.schemes import shipped
from annotations.schemes.schema import FieldSpec
from annotations.services.axis import CELLS, Axis, Place, severity, strip

BADNESS = {1: -1, 0: 0, -1: 1}


def axis(*agent: int) -> Axis:
    return Axis(len(agent), max(agent, default=0), agent)


def test_each_step_of_a_short_trajectory_has_its_cell():
    short = axis(1, 3, 4)
    assert (short.width, short.firsts) == (1, [1, 3, 4])
    assert [short.number(index) for index in (0, 1, 2, 3, 4, 5)] == [None, 1, None, 2, 3, None]
    assert short.ticks == [Place(1, 1), Place(3, 2), Place(4, 3)]
    one = strip(short, "ines", [(1, 1, False, 1), (4, -1, True, 1)], BADNESS)
    assert one.cells == [(1, False), (None, False), (-1, True)]
    assert (one.counts, one.steps) == ({1: 1, -1: 1}, 3)


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
        (0, 1, False, 3),
        (0, -1, True, 1),
        (1, -1, True, 1),
        (1, -1, False, 1),
        (2, 0, False, 5),
        (2, 1, False, 1),
    ]
    one = strip(long, "judge", groups, BADNESS)
    assert one.cells[:4] == [(-1, True), (-1, False), (0, False), (None, False)]
    assert one.counts == {1: 4, -1: 3, 0: 5}


def test_what_a_rater_says_outside_the_axis_is_counted_and_not_drawn():
    one = strip(axis(1), "judge", [(7, 1, False, 1)], BADNESS)
    assert one.cells == [(None, False)]


def test_an_empty_trajectory_has_an_empty_axis():
    assert (axis().firsts, axis().ticks, strip(axis(), "x", [], BADNESS).cells) == ([], [], [])


def test_how_bad_an_answer_is_follows_its_number_or_its_place():
    spec = shipped()["agent-process"].main_field
    assert severity(spec) == {1: -1, 0: 0, -1: 1}
    words = [{"value": name, "title": name} for name in ("good", "poor", "bad")]
    fields = {"name": "f", "title": "F", "target": "step", "kind": "choice", "choices": words}
    assert severity(FieldSpec.model_validate(fields)) == {"good": 0, "poor": 1, "bad": 2}
