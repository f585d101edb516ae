"""Rollouts side by side: what shares a row, where each parts from the first. Worked by hand; letters are actions."""

from __future__ import annotations

import random
import time
from functools import cache

import pytest

from annotations.services.alignment import MOST, NONE, align, common, same_beginning


def drawn(*columns: str) -> list[str]:
    """The table, a row a string: the letter of each column, · where it has none."""
    aligned = align(columns)
    return [
        "".join(
            "·" if places[row] == NONE else column[places[row]]
            for column, places in zip(columns, aligned.columns, strict=True)
        )
        for row in range(aligned.rows)
    ]


def test_equal_rollouts_share_every_row_and_never_part():
    aligned = align(["abc", "abc"])
    assert drawn("abc", "abc") == ["aa", "bb", "cc"]
    assert aligned.partings == (None, None)
    assert list(aligned.divergences) == []


def test_what_differs_in_one_place_stands_side_by_side_there():
    assert drawn("abcd", "abxd") == ["aa", "bb", "cx", "dd"]
    aligned = align(["abcd", "abxd"])
    assert aligned.partings == (None, 2)
    assert list(aligned.divergences) == [2]


def test_what_one_has_more_stands_in_rows_of_its_own():
    assert drawn("abd", "abxyd") == ["aa", "bb", "·x", "·y", "dd"]
    assert align(["abd", "abxyd"]).partings == (None, 2)
    assert drawn("abxyd", "abd") == ["aa", "bb", "x·", "y·", "dd"]


def test_one_that_ends_earlier_parts_where_it_ends():
    assert drawn("abcd", "ab") == ["aa", "bb", "c·", "d·"]
    assert align(["abcd", "ab"]).partings == (None, 2)


def test_those_with_nothing_in_common_part_at_once():
    assert drawn("ab", "xyz") == ["ax", "by", "·z"]
    assert align(["ab", "xyz"]).partings == (None, 0)


def test_three_are_each_held_against_the_first():
    # the second has x before c, the third y and z there: two rows that the first does not have
    assert drawn("abcd", "abxcd", "abyzcd") == ["aaa", "bbb", "·xy", "··z", "ccc", "ddd"]
    aligned = align(["abcd", "abxcd", "abyzcd"])
    assert aligned.partings == (None, 2, 2)
    assert list(aligned.divergences) == [2]


def test_each_time_a_column_leaves_again_is_a_divergence():
    # "abcdef" against "abXdYf": apart in rows 2 and 4; against "abcdeZ": in row 5
    aligned = align(["abcdef", "abXdYf", "abcdeZ"])
    assert list(aligned.divergences) == [2, 4, 5]
    assert aligned.partings == (None, 2, 5)


def test_a_row_neither_has_changes_nothing_for_the_two():
    # the third column's row of its own stands between: the second is with the first before and after it
    aligned = align(["abc", "abc", "abxc"])
    assert drawn("abc", "abc", "abxc") == ["aaa", "bbb", "··x", "ccc"]
    assert aligned.partings == (None, None, 2)
    assert list(aligned.divergences) == [2]


def test_repeated_actions_are_matched_as_often_as_both_have_them():
    assert common("aaa", "aa")[0] == [(0, 0), (1, 1)]
    assert drawn("abababc", "ababc") == ["aa", "bb", "aa", "bb", "a·", "b·", "cc"]


def test_a_key_that_is_not_known_is_equal_to_none():
    assert common(["", "b"], ["", "b"])[0] == [(1, 1)]
    assert align([["", "b"], ["", "b"]]).partings == (None, 0)
    assert same_beginning([["", "b"], ["", "b"]]) == 0


@pytest.mark.parametrize(
    ("columns", "shared"), [(["abc", "abd"], 2), (["abc", "abd", "axd"], 1), (["", "a"], 0), (["ab", "ab"], 2)]
)
def test_the_same_beginning_is_as_long_as_all_share(columns: list[str], shared: int):
    assert same_beginning(columns) == shared


def test_empty_ones_make_no_trouble():
    assert drawn("", "") == []
    assert drawn("", "ab") == ["·a", "·b"]
    assert align(["", "ab"]).partings == (None, 0)
    assert drawn("ab", "", "b") == ["a··", "b·b"]


@pytest.mark.parametrize("seed", range(40))
def test_as_many_are_matched_as_can_be(seed: int):
    chance = random.Random(seed)
    first, other = ("".join(chance.choices("abcd"[: 2 + seed % 3], k=chance.randint(0, 30))) for _ in range(2))

    @cache
    def longest(i: int, j: int) -> int:
        if i == len(first) or j == len(other):
            return 0
        if first[i] == other[j]:
            return 1 + longest(i + 1, j + 1)
        return max(longest(i + 1, j), longest(i, j + 1))

    pairs, _ = common(first, other)
    assert len(pairs) == longest(0, 0)
    assert all(first[i] == other[j] for i, j in pairs)
    assert pairs == sorted(pairs)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)


@pytest.mark.parametrize("seed", range(20))
def test_every_step_stands_in_exactly_one_row_in_its_order(seed: int):
    chance = random.Random(seed)
    columns = ["".join(chance.choices("abc", k=chance.randint(0, 20))) for _ in range(chance.randint(2, 6))]
    for column, places in zip(columns, align(columns).columns, strict=True):
        assert [place for place in places if place != NONE] == list(range(len(column)))


def test_thirty_thousand_steps_are_aligned_in_a_few_seconds():
    chance = random.Random(1)
    first = [str(chance.randrange(500)) for _ in range(30_000)]
    other = [key if chance.random() > 0.2 else str(chance.randrange(500)) for key in first]
    began = time.monotonic()
    aligned = align([first, other])
    assert time.monotonic() - began < 10
    assert aligned.whole
    shared = sum(1 for a, b in zip(*aligned.columns, strict=True) if NONE not in (a, b) and first[a] == other[b])
    assert shared > 24_000


def test_what_is_too_long_is_aligned_as_far_as_it_is_looked_at_and_says_so():
    first = [f"a{at}" for at in range(2 * MOST)]
    other = first[:10] + ["x"] + first[10:-10] + ["y"] * 11
    aligned = align([first, other])
    assert not aligned.whole
    assert len(common(first, other)[0]) == 10 + MOST, "what both begin with, and as many as are looked at"
    assert align([first, first]).whole, "what both begin with is no matter of length"
