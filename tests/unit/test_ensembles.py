"""Judges chosen to vote, on tables small enough to work out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models_service.statistics.coefficients import macro_f1
from models_service.statistics.consensus import voting
from models_service.statistics.consensus.votes import gathered
from models_service.statistics.ensembles import choose

NOTHING = 2


def codes(*columns: Any) -> np.ndarray:
    return np.array(columns, dtype=np.uint8).T


def chosen(gold: list[int], *judges: list[int]) -> tuple[int, ...]:
    return choose(codes(*judges), np.array(gold, dtype=np.uint8), NOTHING)


def test_three_who_err_in_different_steps_are_taken_together():
    assert chosen([0, 0, 1, 1], [0, 0, 1, 0], [0, 1, 1, 1], [1, 0, 1, 1]) == (0, 1, 2)


def test_nobody_is_added_who_makes_nothing_better():
    right, wrong = [0, 1, 0, 1], [1, 0, 1, 0]
    assert chosen(right, right, wrong, right) == (0,)
    assert chosen(right, wrong, right, wrong) == (1,)


def test_judges_who_err_in_the_same_steps_are_one():
    """Three alike are no better than one of them; a fourth, though alone no better, would be outvoted."""
    alike = [0, 0, 1, 0]
    assert chosen([0, 0, 1, 1], alike, alike, alike) == (0,)


def test_one_more_that_ties_does_not_end_it_where_two_more_are_better():
    """Always saying 0 has most steps right, and a macro-F1 of (8/9 + 0)/2 = 4/9. With the second the last three steps
    are ties: (2·2/(2 + 4) + 0)/2 = 1/3, which is worse. With the third all are right."""
    assert chosen([0, 0, 0, 0, 1], [0, 0, 0, 0, 0], [0, 0, 1, 1, 1], [1, 1, 0, 0, 1]) == (0, 1, 2)


def test_rare_answers_count_as_much_as_common_ones():
    """The vote of all three has no more steps right than the first alone, but half of the rare ones among them:
    (2·7/(8 + 8) + 2·1/(2 + 2))/2 = 11/16 is more than (2·8/(10 + 8) + 0)/2 = 4/9."""
    gold = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]
    first = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    second = [0, 0, 0, 0, 0, 1, 1, 1, 1, 0]
    third = [0, 0, 1, 1, 0, 1, 0, 0, 1, 0]
    # Vote: 0 0 0 0 0 1 0 0 1 0, so 8 right as well.
    assert chosen(gold, first, second, third) == (0, 1, 2)


def test_nobody_is_taken_to_silence_another_about_what_there_is_not():
    """The first calls one step 2, of which there is none. With the second that step is a tie, no other is better."""
    gold = np.array([0, 0, 1, 1], dtype=np.uint8)
    labels = codes([0, 2, 1, 1], [3, 1, 3, 3])
    assert choose(labels, gold, 3) == (0,)


def test_of_equals_the_first_is_taken():
    assert chosen([0, 1], [0, 1], [0, 1]) == (0,)


def test_what_a_judge_left_out_is_no_vote():
    """The second speaks where the first is silent: together they have everything."""
    assert chosen([0, 1, 0, 1], [0, 1, 2, 2], [2, 2, 0, 1]) == (0, 1)


def test_who_said_nothing_of_what_is_known_is_never_chosen():
    assert chosen([0, 1, 2], [2, 2, 0], [0, 0, 1]) == (1,)


def test_without_anything_known_or_anybody_right_nobody_is_chosen():
    assert chosen([2, 2], [0, 1]) == ()
    assert chosen([0, 1], [1, 0], [1, 0]) == ()
    assert choose(np.zeros((0, 3), dtype=np.uint8), np.zeros(0, dtype=np.uint8), NOTHING) == ()


def test_what_is_not_known_changes_nothing():
    gold, judges = [0, 0, 1, 1], ([0, 0, 1, 0], [0, 1, 1, 1], [1, 0, 1, 1])
    longer = [one + [0, 1] for one in judges]
    assert chosen([*gold, 2, 2], *longer) == chosen(gold, *judges)


# --- Whatever is said -------------------------------------------------------------------------------------------------

few = settings(max_examples=40, deadline=None)
said = st.lists(st.integers(0, NOTHING), min_size=8, max_size=8)
tables = st.tuples(st.lists(st.integers(0, 1), min_size=8, max_size=8), st.lists(said, min_size=1, max_size=6))


def scored(gold: list[int], labels: np.ndarray) -> float:
    """Macro-F1 of what the judges vote."""
    table = np.zeros((2, 3))
    for truth, voted in zip(gold, voting.majority(gathered(labels, NOTHING)).labels, strict=True):
        table[truth, voted] += 1
    return float(macro_f1(table.reshape(-1), 2))


@few
@given(tables)
def test_the_chosen_are_some_of_them_each_once_and_vote_no_worse_than_the_first_of_them(table):
    gold, judges = table
    taken = chosen(gold, *judges)
    assert len(set(taken)) == len(taken)
    assert set(taken) <= set(range(len(judges)))
    if taken and len(set(gold)) == 2:
        labels = codes(*judges)
        assert scored(gold, labels[:, list(taken)]) >= scored(gold, labels[:, [taken[0]]]) - 1e-9


@few
@given(tables, st.randoms(use_true_random=False))
def test_it_does_not_matter_in_which_order_the_steps_stand(table, random):
    gold, judges = table
    order = list(range(len(gold)))
    random.shuffle(order)
    assert chosen([gold[at] for at in order], *([one[at] for at in order] for one in judges)) == chosen(gold, *judges)


@few
@given(tables)
def test_one_more_who_says_nothing_changes_nothing(table):
    gold, judges = table
    assert chosen(gold, *judges, [NOTHING] * len(gold)) == chosen(gold, *judges)
