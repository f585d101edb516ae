"""Measures of probabilities by hand, against their definitions, and against scikit-learn's numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models_service.statistics import first_errors, probabilities
from models_service.statistics.crossfit import Steps
from models_service.statistics.figures import drawn, figures, resampled

tenths = st.integers(0, 10).map(lambda number: number / 10)
said = st.integers(2, 30).flatmap(
    lambda n: st.tuples(arrays(float, n, elements=tenths), arrays(bool, n, elements=st.booleans()))
)


def steps(right, *, task=None, trajectory=None, fold=None, said=None):
    right = np.array(right, dtype=bool)
    whole = np.arange(len(right))
    task = whole if task is None else np.array(task)
    return Steps(
        of="probability",
        said=np.zeros(len(right)) if said is None else np.array(said),
        right=right,
        task=task,
        trajectory=task if trajectory is None else np.array(trajectory),
        fold=np.zeros(len(right), dtype=int) if fold is None else np.array(fold),
        tasks=int(task.max()) + 1,
    )


def losses(right, probability, **more):
    block = probabilities.block(steps(right, **more), np.array(probability, dtype=float))
    return figures({"one": block}, 0, 0)["one"]


def areas(right, said, **more):
    return probabilities.areas(steps(right, **more), np.array(said, dtype=float), 0, 0)


def test_four_steps_by_hand():
    found = losses([1, 0, 1, 1], [0.9, 0.4, 0.5, 0.8])
    assert found["brier"].value == pytest.approx((0.01 + 0.16 + 0.25 + 0.04) / 4)
    assert found["log_loss"].value == pytest.approx(-np.log([0.9, 0.6, 0.5, 0.8]).mean())
    # Each in a tenth of its own, so each gap counts a quarter.
    assert found["ece_spans"].value == pytest.approx((0.1 + 0.4 + 0.5 + 0.2) / 4)


def test_the_error_of_the_likelier_side_by_hand():
    # Sure to .9 and right, to .6 of wrong and right, to .5 of right and right, to .8 and right: only .6 and .65 share.
    found = losses([1, 0, 1, 1, 0], [0.9, 0.4, 0.5, 0.8, 0.65])
    assert found["ece_sides"].value == pytest.approx((0.1 + abs(0.6 + 0.65 - 1) + 0.5 + 0.2) / 5)


def test_the_error_over_bins_adds_up_within_a_bin_before_it_is_taken_absolute():
    # P(wrong) .15 twice: said .15, seen 1/2; .95 twice: said .95, seen 1.
    found = losses([1, 0, 0, 0], [0.85, 0.85, 0.05, 0.05])
    assert found["ece_spans"].value == pytest.approx((0.35 + 0.05) / 2)


def test_the_numbers_of_scikit_learn():
    """brier_score_loss, log_loss, roc_auc_score and average_precision_score of version 1.9.1."""
    right = np.array([1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0], dtype=bool)
    said = np.array([0.9, 0.8, 0.7, 0.7, 0.6, 0.2, 0.55, 0.95, 0.3, 0.4, 0.85, 0.75])
    found, order = losses(right, said), areas(right, said)
    assert found["brier"].value == pytest.approx(SKLEARN["brier"], abs=1e-9)
    assert found["log_loss"].value == pytest.approx(SKLEARN["log_loss"], abs=1e-9)
    assert order["auroc"].value == pytest.approx(SKLEARN["auroc"], abs=1e-9)
    assert order["average_precision"].value == pytest.approx(SKLEARN["average_precision"], abs=1e-9)


SKLEARN = {
    "brier": 0.18916666666666668,
    "log_loss": 0.5416246133332329,
    "auroc": 0.7857142857142857,
    "average_precision": 0.7592857142857143,
}


@given(said)
@settings(max_examples=100, deadline=None)
def test_auroc_is_the_share_of_pairs_in_order(data):
    probability, right = data
    pairs = [(a < b) + (a == b) / 2 for a in probability[~right] for b in probability[right]]
    found = areas(right, probability)["auroc"]
    assert found.value == (pytest.approx(np.mean(pairs)) if pairs else None)
    assert bool(found.reason) is not bool(pairs) or found.value is not None


@given(said)
@settings(max_examples=100, deadline=None)
def test_bins_of_equally_many_keep_equal_numbers_together(data):
    probability, right = data
    place = probabilities.counts(probability)
    for number in set(probability.tolist()):
        assert len(set(place[probability == number].tolist())) == 1
    assert (np.diff(place[np.argsort(probability, kind="stable")]) >= 0).all()
    gaps = [abs((probability - right)[place == one].sum()) for one in set(place.tolist())]
    assert losses(right, probability)["ece_counts"].value == pytest.approx(sum(gaps) / len(right))


def test_ten_bins_hold_a_tenth_each_where_no_two_numbers_are_equal():
    place = probabilities.counts(np.random.default_rng(0).permutation(100) / 100)
    assert np.bincount(place).tolist() == [10] * 10


def test_a_resample_counts_each_step_as_often_as_its_task():
    right, task = [1, 0, 1, 0, 0, 1, 1], [0, 0, 1, 1, 2, 2, 2]
    said = np.array([0.8, 0.3, 0.6, 0.7, 0.2, 0.9, 0.4])
    made = steps(right, task=task)
    [times] = list(drawn(3, 50, 7))
    by_hand = []
    for row in times.astype(int):
        again = np.concatenate([[place] * row[of] for place, of in enumerate(task)]).astype(int)
        by_hand.append(areas(np.array(right)[again], said[again])["auroc"].value)
    known = sorted(one for one in by_hand if one is not None)
    found = probabilities.areas(made, said, 50, 7)["auroc"]
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(known, [0.025, 0.975])))


def test_areas_and_sums_see_the_same_resamples():
    sums = np.random.default_rng(0).random((6, 2))
    times = np.concatenate(list(drawn(6, 100, 3)))
    assert resampled(sums, 100, 3) == pytest.approx(times @ sums)


def test_a_change_below_nought_is_better_and_pairs_the_resamples():
    made = steps([1, 0, 1, 1, 0, 1], task=[0, 0, 1, 1, 2, 2])
    before = probabilities.block(made, np.array([0.6, 0.4, 0.6, 0.6, 0.4, 0.6]))
    after = probabilities.block(made, np.array([0.9, 0.1, 0.9, 0.9, 0.1, 0.9]))
    found = figures({"change": probabilities.change(before, after)}, 200, 0)["change"]["brier"]
    assert (found.value, found.low, found.high) == pytest.approx((0.01 - 0.16,) * 3)


def test_the_surest_half_of_the_steps_carries_no_risk_here():
    rows = probabilities.risk(steps([1, 1, 0, 0, 1]), np.array([0.95, 0.9, 0.05, 0.6, 0.4]))
    assert [row["risk"] for row in rows if row["coverage"] in (0.2, 0.6, 1.0)] == pytest.approx([0, 0, 2 / 5])


def test_equally_sure_steps_count_by_the_share_that_is_taken():
    rows = probabilities.risk(steps([1, 0]), np.array([0.7, 0.7]))
    assert [row["risk"] for row in rows] == pytest.approx([0.5] * 10)


# Three trajectories: the first error is the second step, the first step, and there is none.
FIRSTS = {"right": [1, 0, 1, 0, 1, 1, 1], "trajectory": [0, 0, 0, 1, 1, 2, 2], "task": [0, 0, 0, 1, 1, 2, 2]}
CHANCES = np.array([0.8, 0.3, 0.9, 0.6, 0.7, 0.55, 0.9])


def test_the_first_step_below_the_threshold_is_the_first_error():
    found = first_errors.firsts(steps(**FIRSTS), CHANCES)
    assert found.true.tolist() == [1, 0, -1]
    assert first_errors.called(found, 0.5).tolist() == [1, -1, -1]
    assert first_errors.called(found, 0.58).tolist() == [1, -1, 0]
    assert first_errors.called(found, 0.65).tolist() == [1, 0, 0]


def test_first_error_figures_by_hand():
    found = first_errors.firsts(steps(**FIRSTS), CHANCES)
    block = first_errors.block(found, first_errors.called(found, 0.5), 3)
    values = {name: one.value for name, one in figures({"": block}, 0, 0)[""].items()}
    assert values == pytest.approx({"accuracy": 2 / 3, "error": 1 / 2, "clean": 1, "f1": 2 / 3, "offset": 0})


def test_the_threshold_is_the_lowest_of_the_greatest_f1():
    found = first_errors.firsts(steps(**FIRSTS), CHANCES)
    best = first_errors.best(found, np.ones(3, dtype=bool))
    assert 0.3 < best <= 0.55


def test_a_threshold_is_chosen_without_the_fold_it_is_used_in():
    right = [0, 1, 0, 1, 0, 1]
    made = steps(right, fold=[0, 0, 1, 1, 2, 2])
    found = first_errors.firsts(made, np.array([0.1, 0.9, 0.2, 0.85, 0.75, 0.95]))
    said, thresholds = first_errors.out_of_fold(found)
    assert thresholds[2] < 0.75  # the step that needs more was not looked at
    assert said.tolist() == [0, -1, 0, -1, -1, -1]


def test_without_a_trajectory_free_of_errors_no_f1_is_claimed():
    found = first_errors.firsts(steps([0, 0]), np.array([0.2, 0.3]))
    one = figures({"": first_errors.block(found, np.array([0, 0]), 2)}, 0, 0)[""]["f1"]
    assert (one.value, one.reason) == (None, "Every trajectory has a step labelled wrong.")
    assert first_errors.best(found, np.ones(2, dtype=bool)) is None
