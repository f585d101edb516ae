"""Two ways on the same items: the difference, its interval, and when it is a tie."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_service.statistics.pairing import paired


def test_a_way_that_is_better_on_every_item_is_better():
    said = paired([1, 1, 1, 1], [0, 0, 0, 0])
    assert (said.difference, said.low, said.high, said.n, said.verdict) == (1, 1, 1, 4, "better")


def test_where_the_interval_covers_nought_it_is_a_tie():
    said = paired([1, 0, 1, 0, 1], [0, 1, 1, 0, 0])
    assert said.difference == pytest.approx(0.2)
    assert said.low is not None and said.high is not None and said.low <= 0 <= said.high
    assert said.verdict == "tie"


def test_the_same_is_a_tie():
    assert paired([1, 0, 1], [1, 0, 1]).verdict == "tie"


def test_what_both_find_hard_falls_out_of_the_difference():
    hard = [number % 2 for number in range(40)]
    said = paired([one + 0.1 for one in hard], hard)
    assert said.low == pytest.approx(0.1) and said.verdict == "better"


def test_items_where_one_is_not_defined_are_left_out():
    said = paired([1, None, 0, 1], [0, 1, None, 0])
    assert (said.difference, said.n) == (1, 2)
    assert paired([None], [1]).reason == "no item where both are defined"


def test_one_item_has_a_difference_and_no_verdict():
    said = paired([1], [0])
    assert (said.difference, said.low, said.verdict) == (1, None, None)
    assert "no interval" in said.reason


def test_unequal_lists_are_refused():
    with pytest.raises(ValueError, match="zip"):
        paired([1, 2], [1])


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=30))
def test_the_other_way_round_it_is_the_opposite(rows):
    one, other = [row[0] for row in rows], [row[1] for row in rows]
    there, back = paired(one, other), paired(other, one)
    assert there.difference == pytest.approx(-(back.difference or 0))
    assert {there.verdict, back.verdict} in ({"tie"}, {"better", "worse"})
    assert paired(one, other) == there, "the same seed, the same interval"
