"""Values of a tree's steps from its leaves, and pairs of siblings."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.records import StepRecord
from models_service.scorers.base import CannotScore, Partly
from models_service.scorers.sampled.backup import TreeBackup
from models_service.statistics.branching import Below, Pair, apart, backed_up, extremes
from tests.completing import RIGHT, WRONG, solution, tree
from tests.unit.test_sampled import said, values

# 1 ── 2 ── 3 (1), 4 (0)
#   └─ 5 (0)
STEPS = ["Start.", "On.", "End.", "End.", "End."]
PARENTS = [0, 1, 2, 2, 1]
REWARDED = tree(STEPS, PARENTS, [None, None, 1, 0, 0], reference=None)
ANSWERED = tree([*STEPS[:2], RIGHT, WRONG, WRONG], PARENTS)


@pytest.mark.parametrize("record", [REWARDED, ANSWERED], ids=["rewards", "answers"])
@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ("value", [1 / 3, 1 / 2, 1, 0, 0]),
        ("advantage", [0, 1 / 6, 1 / 2, -1 / 2, -1 / 3]),
        ("q", [-1 / 3, 0, 1, -1, -1]),
    ],
)
def test_the_worked_tree(record: object, says: str, expected: list[float]) -> None:
    assert values(TreeBackup(says), record) == pytest.approx(expected)


def test_a_reward_goes_before_an_answer_and_rewards_below_0_are_bad_ends() -> None:
    record = tree([*STEPS[:2], WRONG, RIGHT, "End."], PARENTS, [None, None, 0.5, -2, -1])
    assert values(TreeBackup(), record) == pytest.approx([1 / 3, 1 / 2, 1, 0, 0])
    part = tree([*STEPS[:2], WRONG, RIGHT, "End."], PARENTS, [None, None, 0.5, None, 0.25])
    assert values(TreeBackup(), part) == pytest.approx([1.75 / 3, 0.75, 0.5, 1, 0.25])


def test_what_people_say_between_steps_is_no_step_of_the_tree() -> None:
    steps = [
        StepRecord("user", 2, "Go on.", parent=one.parent) if place == 2 else one
        for place, one in enumerate(REWARDED.steps)
    ]
    assert values(TreeBackup(), replace(REWARDED, steps=tuple(steps))) == pytest.approx([1 / 3, 1, 0, 0])


def test_a_step_above_no_leaf_that_is_known_has_no_number() -> None:
    found = said(TreeBackup(), tree(STEPS, PARENTS, [None, None, 1, None, None]))
    assert isinstance(found, Partly)
    assert [(one.index, one.value) for one in found] == [(1, 1), (2, 1), (3, 1)] and set(found.unscored) == {4, 5}
    assert found[0].detail["leaves"] == 1


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (solution(4), "no tree"),
        (tree(["a", "b", "c"], [0, 1, 2]), "no tree"),
        (tree(STEPS, PARENTS), "of none of the tree's leaves"),
        (tree(STEPS, PARENTS, reference=None), "of none of the tree's leaves"),
    ],
)
def test_what_is_no_tree_or_has_no_ends_is_not_applicable(record: object, why: str) -> None:
    found = said(TreeBackup(), record)
    assert isinstance(found, CannotScore) and why in str(found) and "not applicable" in str(found)


def test_trees_whose_first_steps_are_several_are_trees() -> None:
    assert values(TreeBackup("advantage"), tree(["a", "b"], [0, 0], [1, 0])) == [0.5, -0.5]


forests = st.lists(st.integers(-1, 30), min_size=1, max_size=30).map(
    lambda drawn: [None if one < 0 or not node else one % node for node, one in enumerate(drawn)]
)


@given(forests, st.data())
def test_the_root_is_the_mean_of_all_leaves_and_advantages_sum_to_the_leafs_own(
    parents: list[int | None], data: st.DataObject
) -> None:
    leaves = [node for node in range(len(parents)) if node not in parents]
    ends = {node: float(data.draw(st.booleans())) for node in leaves}
    root, found = backed_up(parents, ends)
    assert root == Below(sum(ends.values()), len(leaves))
    for leaf in leaves:
        sum_, node = 0.0, leaf
        while node is not None:
            before = root if parents[node] is None else found[parents[node]]
            sum_ += found[node].mean - before.mean
            node = parents[node]
        assert sum_ == pytest.approx(ends[leaf] - root.mean)


def test_an_outcome_of_what_is_no_leaf_is_refused() -> None:
    with pytest.raises(ValueError, match="no leaf"):
        backed_up([None, 0], {0: 1.0})
    with pytest.raises(ValueError, match="before its parent"):
        backed_up([1, None], {0: 1.0})


def test_pairs_of_siblings() -> None:
    parents, shares = [None, 0, 0, 0, 1, 1], [0.4, 0.9, 0.2, 0.5, 0.3, 0.3]
    assert list(extremes(parents, shares)) == [Pair(1, 2, pytest.approx(0.7))]
    assert [one[:2] for one in apart(parents, shares, 0.35)] == [(1, 2), (1, 3)]
    assert list(apart(parents, [None] * 6, 0)) == list(extremes(parents, [None] * 6)) == []
