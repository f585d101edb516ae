"""One label of many: votes and models by hand, on raters made up, and where there is nothing to be had."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_service.statistics.consensus import anchored, confusion, fitting, mace, risk, special, voting
from models_service.statistics.consensus.outcome import Consensus
from models_service.statistics.consensus.votes import gathered

K = 3
NONE = K
METHODS = [voting.majority, voting.wawa, confusion.one_coin, confusion.dawid_skene, mace.mace_vb, mace.mace_em]
MODELS = METHODS[2:]
QUICK = [*METHODS[:4], partial(mace.mace_vb, restarts=2), partial(mace.mace_em, restarts=2)]
label = st.integers(0, K)  # K says nothing
tables = st.integers(1, 4).flatmap(
    lambda raters: st.lists(st.lists(label, min_size=raters, max_size=raters), min_size=1, max_size=10)
)


def votes(rows, size=K):
    return gathered(np.array(rows, dtype=np.uint8), size)


def made_up(units=400, seed=5, accuracies=(0.9, 0.8, 0.7, 0.4), missing=0.1):
    """Truths, each as likely, and labels of raters who are right that often and else say anything."""
    draw = np.random.default_rng(seed)
    truth = draw.choice(K, size=units)
    right = draw.random((units, len(accuracies))) < np.array(accuracies)
    other = (truth[:, None] + draw.integers(1, K, size=right.shape)) % K
    labels = np.where(right, truth[:, None], other)
    labels[draw.random(labels.shape) < missing] = NONE
    return truth, labels.astype(np.uint8)


# --- votes


def test_a_majority_is_what_most_say_and_a_tie_is_none():
    found = voting.majority(votes([[0, 0, 1], [0, 1, NONE], [2, NONE, NONE], [0, 1, 2], [NONE, NONE, NONE]]))
    assert found.labels.tolist() == [0, NONE, 2, NONE, NONE]
    assert found.posterior[0].tolist() == pytest.approx([2 / 3, 1 / 3, 0])
    assert np.isnan(found.posterior[4]).all()
    assert found.risk[:3].tolist() == pytest.approx([1 / 3, math.nan, 0], nan_ok=True)


def test_wawa_worked_by_hand():
    found = voting.wawa(votes([[0, 0, 1], [1, 1, 1], [0, 0, 0], [0, NONE, 1]]))
    assert found.weight.tolist() == pytest.approx([1, 1, 2 / 3])
    assert found.labels.tolist() == [0, 1, 0, 0]
    assert found.posterior[3].tolist() == pytest.approx([3 / 5, 2 / 5, 0])


def test_a_rater_of_whom_no_majority_tells_weighs_nothing():
    found = voting.wawa(votes([[0, 0, NONE, NONE], [NONE, NONE, 0, 1]]))
    assert found.weight.tolist() == pytest.approx([1, 1, math.nan, math.nan], nan_ok=True)
    assert found.labels.tolist() == [0, NONE]


def test_rows_are_told_apart_however_many_raters_there_are():
    draw = np.random.default_rng(4)
    few = draw.integers(0, K + 1, size=(50, 3)).astype(np.uint8)
    wide = np.concatenate([few, np.full((50, 60), NONE, dtype=np.uint8)], axis=1)  # too many for a number
    one, other = gathered(few, K), gathered(wide, K)
    assert np.array_equal(one.patterns, other.patterns[:, :3])
    assert np.array_equal(one.times, other.times) and np.array_equal(one.of, other.of)
    assert sorted(map(tuple, one.patterns)) == list(map(tuple, one.patterns))


# --- models


def test_one_round_of_dawid_and_skene_worked_by_hand():
    gathered_votes = votes([[0, 0], [0, 1], [1, 1]], 2)
    share = gathered_votes.counts / 2
    counts = fitting.counted(gathered_votes, share)
    assert counts[0].tolist() == [[1.5, 0.5], [0, 1]]  # the first rater: said 0, said 1; of the truths 0 and 1
    assert fitting.truths(gathered_votes, share).tolist() == [0.5, 0.5]
    found = confusion.dawid_skene(gathered_votes)
    assert found.labels.tolist() == [0, 2, 1]  # the middle one stays a tie
    assert found.posterior[1].tolist() == pytest.approx([0.5, 0.5])
    # After the first round: 1/2 * (1 * 2/3) + 1/2 * (1/3 * 0), twice, and for 0 1 twice 1/2 * 1 * 1/3.
    assert found.trace[0] == pytest.approx(3 * math.log(1 / 3))


def test_how_often_who_was_right_had_known_worked_by_hand():
    counts = np.array([[[6.0, 1.0], [1.0, 2.0]]])  # said 0 rightly 6 times, wrongly once; said 1 wrongly once
    knew, guessed = mace._split(counts, np.array([0.5]), np.array([[0.25, 0.25]]))
    assert knew.tolist() == pytest.approx([6 * 2 / 3 + 2 * 2 / 3])
    assert guessed.tolist() == [pytest.approx([6 / 3 + 1, 2 / 3 + 1])]


@pytest.mark.parametrize("method", MODELS)
def test_models_find_who_is_good_and_are_better_than_votes(method):
    truth, labels = made_up(units=4000)
    found = method(gathered(labels, K))
    assert found.converged
    assert np.argsort(-found.weight).tolist() == [0, 1, 2, 3]
    assert np.abs(found.weight - (0.9, 0.8, 0.7, 0.4)).max() < 0.05
    majority = voting.majority(gathered(labels, K))
    assert (found.labels == truth).mean() > (majority.labels == truth).mean()


@pytest.mark.parametrize("method", MODELS)
def test_raters_who_err_apart_are_believed_as_much_as_they_deserve(method):
    truth, labels = made_up(units=4000)
    found = method(gathered(labels, K))
    assert risk.expected_error(found) == pytest.approx((found.labels != truth).mean(), abs=0.025)
    surest, nearly_all = risk.coverage_table(found.risk, found.labels != truth, (0.25, 0.95))
    assert surest["error"] < nearly_all["error"] / 2


@pytest.mark.parametrize("method", [*QUICK[2:], partial(mace.mace_em, smoothing=0.1, restarts=2)])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_raised_never_falls(method, seed):
    _, labels = made_up(units=60, seed=seed, accuracies=(0.8, 0.5, 0.4, 0.4, 0.3), missing=0.3)
    trace = method(gathered(labels, K)).trace
    assert len(trace) > 2
    assert min(np.diff(trace)) > -1e-9 * abs(trace[-1])


@settings(max_examples=15, deadline=None)
@given(tables, st.randoms(use_true_random=False))
@pytest.mark.parametrize("method", QUICK)
def test_the_order_of_units_changes_nothing_not_even_in_the_last_place(method, rows, random):
    order = random.sample(range(len(rows)), len(rows))
    one, other = method(votes(rows)), method(votes([rows[place] for place in order]))
    assert one.labels[order].tolist() == other.labels.tolist()
    assert np.array_equal(one.posterior[order], other.posterior, equal_nan=True)
    assert (one.log_likelihood, one.bound, one.reason) == (other.log_likelihood, other.bound, other.reason)


@settings(max_examples=20, deadline=None)
@given(tables)
@pytest.mark.parametrize("method", QUICK)
def test_whatever_was_said_there_is_a_distribution_or_a_reason(method, rows):
    found = method(votes(rows))
    spoken = [any(one != NONE for one in row) for row in rows]
    if found.reason:
        assert (found.labels == NONE).all() and np.isnan(found.posterior).all()
        return
    for here, row, each in zip(spoken, found.posterior, found.labels, strict=True):
        if not here:
            assert np.isnan(row).all() and each == NONE
        elif not np.isnan(row).any():  # Wawa has none where only raters without weight spoke
            assert row.sum() == pytest.approx(1) and row.min() >= 0
            assert each == NONE or row[each] == row.max()
    assert np.isnan(found.risk[found.labels == NONE]).all()


def test_a_seed_gives_the_same_and_starts_are_looked_through_for_the_best():
    _, labels = made_up(units=50, accuracies=(0.6, 0.4, 0.4), missing=0.2)
    given_votes = gathered(labels, K)
    assert mace.mace_em(given_votes, seed=3).trace == mace.mace_em(given_votes, seed=3).trace
    many, one = mace.mace_em(given_votes, restarts=4), mace.mace_em(given_votes, restarts=1)
    assert many.trace[-1] >= one.trace[-1] - 1e-6 * abs(one.trace[-1])
    with pytest.raises(ValueError, match="one at least"):
        mace.mace_em(given_votes, restarts=0)


# --- where there is nothing to be had


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([[0], [1]], "There are not two raters"),
        ([[0, NONE], [1, NONE]], "There are not two raters"),
        ([[NONE, NONE]], "There are not two raters"),
        ([[0, NONE], [NONE, 1]], "No step has labels from two raters"),
        ([[1, 1], [1, NONE]], "All labels are one and the same value"),
    ],
)
@pytest.mark.parametrize("method", MODELS)
def test_a_model_says_why_it_cannot_be_fitted(method, rows, reason):
    found = method(votes(rows))
    assert found.reason.startswith(reason)
    assert (found.labels == NONE).all()
    assert found.log_likelihood is None and found.trace == ()
    assert risk.expected_error(found) is None


def test_votes_need_somebody():
    for method in METHODS[:2]:
        assert method(votes([[NONE, NONE]])).reason == "Nobody labelled anything."
        assert method(gathered(np.zeros((3, 0), dtype=np.uint8), K)).labels.tolist() == [NONE] * 3
    assert voting.wawa(votes([[0, 1], [1, 2]])).reason.startswith("No step has a majority")


# --- gold


def test_tables_learnt_from_gold_worked_by_hand():
    learnt = anchored.learn(np.array([[0], [1], [1], [0]]), np.array([0, 0, 1, 2]), 2)
    assert np.exp(learnt.tables.said).tolist() == [pytest.approx([1 / 2, 1 / 3]), pytest.approx([1 / 2, 2 / 3])]
    assert np.exp(learnt.tables.prior).tolist() == pytest.approx([3 / 5, 2 / 5])
    assert learnt.weight.tolist() == [2 / 3]
    found = anchored.applied(votes([[1]], 2), learnt)
    # 3/5 * 1/2 against 2/5 * 2/3.
    assert found.posterior[0].tolist() == pytest.approx([9 / 17, 8 / 17])


def test_no_unit_is_judged_by_the_truths_of_its_own_task():
    truth, labels = made_up(units=200, accuracies=(0.9, 0.6, 0.6))
    task = np.repeat(np.arange(20), 10)
    names = [f"task {one}" for one in range(20)]
    before = anchored.elsewhere(labels, truth, task, names, K)
    changed = np.where(task == 7, (truth + 1) % K, truth)
    after = anchored.elsewhere(labels, changed, task, names, K)
    assert np.array_equal(before.posterior[task == 7], after.posterior[task == 7])
    assert not np.array_equal(before.posterior, after.posterior)
    assert (before.labels == truth).mean() > 0.85
    order = np.random.default_rng(2).permutation(20)
    renamed = np.argsort(order)[task]
    again = anchored.elsewhere(labels[::-1], truth[::-1], renamed[::-1], [names[one] for one in order], K)
    assert np.array_equal(again.posterior[::-1], before.posterior)


def test_gold_needs_two_raters_two_tasks_and_a_label():
    one, silent = np.array([[0, 0], [1, 1]]), np.full((2, 2), NONE)
    truth, same, apart = np.array([0, 1]), np.zeros(2, dtype=np.int64), np.arange(2)
    assert anchored.elsewhere(one, truth, same, ["a"], K).reason.startswith("There is one task only")
    assert anchored.elsewhere(silent, truth, apart, ["a", "b"], K).reason.startswith("There are not two raters")
    unknown = anchored.elsewhere(one, np.full(2, NONE), apart, ["a", "b"], K)
    assert unknown.reason.startswith("No step of which the truth")


# --- risk


def test_the_table_of_risk_and_coverage_worked_by_hand():
    given_risk = np.array([0.3, 0.1, math.nan, 0.1])
    wrong = np.array([True, False, True, False])
    rows = risk.coverage_table(given_risk, wrong, (0.25, 0.5, 0.75, 1.0))
    assert [row["accepted"] for row in rows] == [2, 2, 3]  # all that are as sure; beyond 3/4 there is no label
    assert [row["risk"] for row in rows] == [0.1, 0.1, 0.3]
    assert [row["coverage"] for row in rows] == [0.5, 0.5, 0.75]
    assert [row["expected"] for row in rows] == pytest.approx([0.1, 0.1, 0.5 / 3])
    assert [row["error"] for row in rows] == pytest.approx([0, 0, 1 / 3])
    assert risk.coverage_table(np.array([]), np.array([], dtype=bool)) == []


def test_the_risk_of_a_label_is_what_is_left_of_its_posterior():
    found = Consensus(np.array([1, NONE]), np.array([[0.2, 0.7, 0.1], [0.5, 0.5, 0]]))
    assert found.risk.tolist() == pytest.approx([0.3, math.nan], nan_ok=True)


# --- functions of the gamma family


def test_digamma_of_what_is_known():
    euler = 0.57721566490153286
    known = {1.0: -euler, 2.0: 1 - euler, 0.5: -euler - 2 * math.log(2), 10.0: sum(1 / n for n in range(1, 10)) - euler}
    for x, expected in known.items():
        assert special.digamma(np.array([x]))[0] == pytest.approx(expected, abs=1e-13)


def test_divergence_of_two_distributions():
    # Dirichlet(2, 1) is 2x on (0, 1), Dirichlet(1, 1) flat: the integral of 2x log 2x is log 2 - 1/2.
    assert special.divergence(np.array([[2.0, 1.0]]), np.array([[1.0, 1.0]])) == pytest.approx(math.log(2) - 0.5)
    assert special.divergence(np.array([[3.0, 4.0]]), np.array([[3.0, 4.0]])) == pytest.approx(0)
