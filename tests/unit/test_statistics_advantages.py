"""Rewards made into advantages within a task, by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_service.statistics.advantages import Visit, by_history, dual, returns, standardised

rewards = st.floats(-5, 5, allow_nan=False).map(lambda one: round(one, 3))


def test_a_return_is_what_is_still_to_come():
    assert returns([1, 0, 2], 0.5) == [1.5, 1, 2]
    assert returns([]) == []


def test_equal_values_are_no_better_than_one_another():
    assert standardised([2, 2, 2]) == [0, 0, 0]
    assert standardised([7]) == [0]
    assert standardised([1, 3]) == [-1, 1]


def test_two_rollouts_of_two_turns_by_hand():
    one, other = dual([[1, 0], [0, 0.5]])
    assert one == pytest.approx([1, 0]) and other == pytest.approx([-1, 0])


def test_three_rollouts_of_two_turns_by_hand():
    """Sums 2, 1, 0: z +√1.5, 0, −√1.5. Returns at the first turn, discount ½: 1.5, .5, 0 (mean ⅔, spread .62361);
    at the second: 1, 1, 0 (mean ⅔, spread .47140)."""
    found = dual([[1, 1], [0, 1], [0, 0]], discount=0.5)
    root = 1.5**0.5
    first = [(one - 2 / 3) / 0.6236095645 for one in (1.5, 0.5, 0)]
    second = [(one - 2 / 3) / 0.4714045208 for one in (1, 1, 0)]
    whole = [root, 0, -root]
    expected = [[(w + f) / 2, (w + s) / 2] for w, f, s in zip(whole, first, second, strict=True)]
    assert [pytest.approx(one) for one in expected] == found


def test_a_turn_that_only_one_rollout_has_is_told_apart_by_its_rollout_alone():
    found = dual([[1, 1], [0]])
    assert found[0][1] == 0.5
    assert [len(one) for one in found] == [2, 1]


def test_a_group_without_rollouts_has_no_advantages():
    assert dual([]) == []
    assert dual([[], [1]]) == [[], [0.5]]


@given(st.lists(st.lists(rewards, min_size=1, max_size=5), min_size=1, max_size=6))
def test_advantages_of_a_turn_sum_to_nought_where_all_rollouts_have_it(group):
    shortest = min(map(len, group))
    found = dual(group)
    for turn in range(shortest):
        assert sum(one[turn] for one in found) == pytest.approx(0, abs=1e-6)


def test_the_same_state_with_another_history_falls_apart_at_the_first_level():
    group = [[Visit("a", 0), Visit("s", 1)], [Visit("b", 0), Visit("s", 0)]]
    one, other = by_history(group, depth=1)
    assert (one[1].value, other[1].value) == (1, -1)
    assert one[1].sizes == (2, 1)
    assert one[0].value is None
    assert one[0].reason == "no other turn stands in the same state"


def test_the_closer_the_history_the_more_it_weighs():
    """Four rollouts reach s worth 3, 1, 1, −1 (mean 1, spread √2: z √2, 0, 0, −√2), the first two by a, the others by
    b. At k = 1 the pairs part: +1, −1 and +1, −1. Weights 1 and 2: (√2 + 2)/3, −2/3, 2/3, −(√2 + 2)/3."""
    group = [[Visit(way, 0), Visit("s", value)] for way, value in [("a", 3), ("a", 1), ("b", 1), ("b", -1)]]
    found = [rows[1] for rows in by_history(group, depth=1)]
    most = (2**0.5 + 2) / 3
    assert [one.value for one in found] == pytest.approx([most, -2 / 3, 2 / 3, -most])
    assert {one.sizes for one in found} == {(4, 2)}
    flat = [rows[1].value for rows in by_history(group, depth=1, weights=[1, 0])]
    assert flat == pytest.approx([2**0.5, 0, 0, -(2**0.5)])


def test_a_state_that_comes_back_in_one_rollout_is_beside_itself():
    [found] = by_history([[Visit("s", 0), Visit("s", 2)]], depth=1)
    assert [one.value for one in found] == [-1, 1]
    assert [one.sizes for one in found] == [(2, 1), (2, 1)]


def test_wrong_weights_are_refused():
    for weights in ([1.0], [1.0, -1.0]):
        with pytest.raises(ValueError, match="2 weights are needed"):
            by_history([[Visit("s", 0)]], depth=1, weights=weights)


@given(st.lists(st.lists(st.tuples(st.sampled_from("abc"), rewards), max_size=5), max_size=5), st.integers(0, 3))
def test_groups_only_get_smaller_with_more_history(rows, depth):
    group = [[Visit(*one) for one in row] for row in rows]
    for found in by_history(group, depth):
        for one in found:
            assert list(one.sizes) == sorted(one.sizes, reverse=True)
            assert (one.value is None) == (one.sizes[0] == 1)
