"""Maps from numbers to probabilities, against other people's code and properties; choosing among them out of fold."""

from __future__ import annotations

from array import array
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from annotations.tables import ScoreTable
from models_service.statistics import calibrating, crossfit
from models_service.statistics.calibrating import METHODS, CannotCalibrate, fit, pooled
from models_service.statistics.calibration import calibrate
from models_service.statistics.folding import dealt

# Fourteen steps. What follows of them was computed with scikit-learn 1.9.1 (isotonic, and Platt's smoothed targets by
# _SigmoidCalibration) and with scipy 1.17.1 (temperature, by minimize_scalar).
NUMBERS = np.array([-2, -1.5, -1, -1, -0.5, 0, 0, 0.5, 1, 1, 1.5, 2, 2.5, 3])
RIGHT = np.array([0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1], dtype=bool)

floats = st.floats(-50, 50).map(lambda number: round(number, 2))
labelled = st.integers(4, 40).flatmap(
    lambda n: st.tuples(arrays(float, n, elements=floats), arrays(bool, n, elements=st.booleans()))
)


def probabilities(numbers):
    return 1 / (1 + np.exp(-np.asarray(numbers)))


def test_platt_is_the_one_that_scikit_learn_finds():
    found = fit("platt", NUMBERS, RIGHT, "value").parameters
    assert found["scale"] == pytest.approx(0.8195284, abs=1e-6)
    assert found["bias"] == pytest.approx(0.0545539, abs=1e-6)


def test_the_temperature_is_the_one_that_scipy_finds():
    found = fit("temperature", probabilities(NUMBERS), RIGHT, "probability").parameters
    assert found["temperature"] == pytest.approx(0.7685013, abs=1e-6)


def test_isotonic_has_the_knots_of_scikit_learn_but_is_never_surer_than_its_labels():
    found = fit("isotonic", NUMBERS, RIGHT, "value").parameters
    assert found["at"] == [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 3]
    assert found["says"] == pytest.approx([1 / 16, 1 / 16, 1 / 3, 1 / 3, 1 / 2, 2 / 3, 2 / 3, 15 / 16, 15 / 16])


def test_between_two_knots_isotonic_is_straight_and_beyond_the_ends_it_is_level():
    found = fit("isotonic", NUMBERS, RIGHT, "value")
    between = found.probabilities(np.array([-9, -1.25, 0.25, 9]))
    assert between == pytest.approx([1 / 16, (1 / 16 + 1 / 3) / 2, (1 / 2 + 2 / 3) / 2, 15 / 16])


def test_equal_numbers_are_averaged_before_violators_are_pooled():
    found = fit("isotonic", np.array([0.0, 0, 1, 1]), np.array([0, 1, 1, 1], dtype=bool), "value").parameters
    assert found["says"] == pytest.approx([1 / 2, 5 / 6])


def test_pooling_by_hand():
    assert pooled(np.array([1.0, 0, 2, 1, 3]), np.array([1.0, 3, 1, 1, 1])).tolist() == [0.25, 0.25, 1.5, 1.5, 3]


@given(labelled, st.sampled_from(METHODS), st.sampled_from(["value", "probability"]))
@settings(max_examples=150, deadline=None)
def test_every_map_is_monotone_and_says_probabilities(data, method, of):
    numbers, right = data
    said = numbers if of == "value" else probabilities(numbers / 5)
    try:
        found = fit(method, said, right, of)
    except CannotCalibrate as no:
        assert str(no)
        return
    asked = np.sort(np.r_[said, said + 0.013, -200, 200] if of == "value" else np.r_[said, 0, 1])
    chances = found.probabilities(asked)
    assert ((chances >= 0) & (chances <= 1)).all()
    assert (np.diff(chances) >= -1e-12).all()


@given(labelled)
@settings(max_examples=100, deadline=None)
def test_no_other_rising_levels_are_nearer_to_the_labels(data):
    numbers, right = data
    levels = pooled(right[np.argsort(numbers, kind="stable")].astype(float), np.ones(len(right)))
    target = right[np.argsort(numbers, kind="stable")].astype(float)
    # The pooled levels are the projection on a convex cone: they stand upright on their own residual, and no rising
    # direction makes an acute angle with it.
    assert abs((target - levels) @ levels) < 1e-6
    for start in range(len(target)):
        assert (target[start:] - levels[start:]).sum() < 1e-6


@given(labelled)
@settings(max_examples=100, deadline=None)
def test_platt_arrives_at_the_lowest_place(data):
    numbers, right = data
    assume(right.any() and not right.all() and np.ptp(numbers) > 0.1)
    try:
        found = fit("platt", numbers, right, "value").parameters
    except CannotCalibrate:
        return
    target = np.where(right, (right.sum() + 1) / (right.sum() + 2), 1 / ((~right).sum() + 2))
    left = probabilities(found["scale"] * numbers + found["bias"]) - target
    assert abs(left.mean()) < 1e-7
    assert abs((left * numbers).mean()) < 1e-5


@given(labelled)
@settings(max_examples=100, deadline=None)
def test_adding_to_all_values_and_stretching_them_changes_no_platt_probability(data):
    numbers, right = data
    try:
        found = fit("platt", numbers, right, "value").probabilities(numbers)
    except CannotCalibrate:
        return
    moved = 0.001 * numbers + 5
    assert fit("platt", moved, right, "value").probabilities(moved) == pytest.approx(found, abs=1e-5)


@pytest.mark.parametrize(
    ("method", "said", "right", "of", "reason"),
    [
        ("platt", [1, 2, 3], [1, 1, 1], "value", "all labelled steps are right or neutral"),
        ("isotonic", [1, 2, 3], [0, 0, 0], "value", "all labelled steps are wrong"),
        ("platt", [2, 2, 2], [0, 1, 1], "value", "all numbers are one and the same"),
        ("isotonic", [2, 2, 2], [0, 1, 1], "value", "all numbers are one and the same"),
        ("platt", [3, 2, 1], [0, 1, 1], "value", "no greater where steps are right"),
        ("isotonic", [3, 2, 1], [0, 1, 1], "value", "no greater where steps are right"),
        ("temperature", [0.9, 0.8, 0.1], [0, 1, 1], "probability", "no greater where steps are right"),
        ("temperature", [0.9, 0.8, 0.1], [1, 1, 0], "probability", "on its side of one half"),
        ("temperature", [1, 2, 3], [0, 1, 1], "value", "gives no probabilities"),
        ("unchanged", [1, 2, 3], [0, 1, 1], "value", "gives no probabilities"),
    ],
)
def test_what_decides_no_map_is_refused_with_the_reason(method, said, right, of, reason):
    with pytest.raises(CannotCalibrate, match=reason):
        fit(method, np.array(said, dtype=float), np.array(right, dtype=bool), of)


def test_an_implicit_reward_near_nought_gets_its_scale_and_bias():
    rng = np.random.default_rng(3)
    right = rng.random(4000) < 0.7
    values = 1e-3 * rng.normal(np.where(right, 1.0, -1.0))  # log-odds of 2000 v + log(7/3), by Bayes
    found = fit("platt", values, right, "value").parameters
    assert found["scale"] == pytest.approx(2000, rel=0.1)
    assert found["bias"] == pytest.approx(np.log(7 / 3), abs=0.15)


def test_folds_are_dealt_by_name_and_as_evenly_as_can_be():
    names = [f"task {one}" for one in range(23)]
    found = dict(zip(names, dealt(names), strict=True))
    assert sorted(np.bincount(list(found.values())).tolist()) == [4, 4, 5, 5, 5]
    assert found == dict(zip(names[::-1], dealt(names[::-1]), strict=True))
    assert dealt(names, seed=1) != dealt(names)


def table(tasks=40, steps=6, sharp=3.0, of="probability", seed=0):
    """Steps whose log-odds of being right are z, of which a scorer says `sharp` times as much."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0.5, 1.5, tasks * steps)
    right = rng.random(len(z)) < probabilities(z)
    place = np.repeat(np.arange(tasks), steps)
    return ScoreTable(
        of=of,
        tasks=tuple(f"task {one}" for one in range(tasks)),
        task=array("i", place.tolist()),
        trajectory=array("i", place.tolist()),
        said=array("d", (probabilities(sharp * z) if of == "probability" else z).tolist()),
        label=array("i", np.where(right, 1, -1).tolist()),
    )


def test_a_boaster_is_cooled_and_its_error_shrinks_on_tasks_not_seen():
    best, report = calibrate(table(tasks=200), "temperature", resamples=200)
    assert best.parameters["temperature"] == pytest.approx(3, rel=0.2)
    assert report["after"]["ece_counts"]["value"] < 0.5 * report["before"]["ece_counts"]["value"]
    assert report["change"]["brier"]["high"] < 0
    assert report["method"] == report["asked"] == "temperature"


def test_what_is_said_out_of_fold_comes_from_maps_that_had_not_seen_the_task():
    steps = crossfit.Steps.of_table(table())
    [platt] = [one for one in crossfit.tried(steps) if one.method == "platt"]
    mine = steps.fold == 2
    other = fit("platt", steps.said[~mine], steps.right[~mine], steps.of).probabilities(steps.said[mine])
    assert platt.probability[mine] == pytest.approx(other)
    assert not set(steps.task[mine].tolist()) & set(steps.task[~mine].tolist())


def test_the_method_of_the_least_loss_out_of_fold_is_taken():
    best, report = calibrate(table(), resamples=10)
    losses = {one["method"]: one["loss"] for one in report["tried"]}
    assert best.method == min(losses, key=losses.get)
    assert losses["unchanged"] > losses[best.method]


def test_what_is_calibrated_already_is_left_as_it_is():
    assert calibrate(table(tasks=300, sharp=1.0), resamples=10)[0].method == "unchanged"


def test_a_method_that_cannot_be_had_is_refused_with_the_reason():
    with pytest.raises(CannotCalibrate, match="temperature: the scorer gives no probabilities"):
        calibrate(table(of="value"), "temperature")


def test_too_few_tasks_are_refused():
    with pytest.raises(CannotCalibrate, match="labels in 4 of the tasks that it has scored, 5 needed"):
        calibrate(table(tasks=4))


def test_few_steps_come_with_a_warning():
    assert calibrate(table(tasks=20), resamples=10)[1]["warnings"] == [
        "Fewer than 200 labelled steps: take these figures for a hint."
    ]
    assert calibrate(table(), resamples=10)[1]["warnings"] == []


def test_numbers_that_say_no_more_than_the_share_of_right_steps_are_told_to():
    made = table(tasks=100)
    noise = np.random.default_rng(1).normal(size=len(made.said))
    report = calibrate(replace(made, of="value", said=array("d", noise.tolist())), resamples=10)[1]
    [loss] = [one["loss"] for one in report["tried"] if one["method"] == report["method"]]
    assert loss >= report["base_rate"] == pytest.approx(entropy(made), abs=0.01)
    assert report["warnings"] == ["On tasks not seen its probabilities say no more than the share of right steps does."]


def entropy(of):
    share = np.mean(np.array(of.label) == 1)
    return -share * np.log(share) - (1 - share) * np.log(1 - share)


def test_before_is_undefined_for_a_scorer_without_probabilities_and_says_why():
    report = calibrate(table(of="value"), resamples=50)[1]
    assert report["before"]["brier"] == {
        "value": None,
        "low": None,
        "high": None,
        "n": 240,
        "reason": "Undefined: the scorer gives no probabilities.",
    }
    assert report["before"]["auroc"]["value"] > 0.7
    assert report["after"]["auroc"]["reason"] == "As before: a rising map keeps the order of the steps."
    assert set(report["bins"]) == {"after"}


def test_the_same_labels_give_the_same_report():
    assert calibrate(table(), resamples=50) == calibrate(table(), resamples=50)


def test_log_odds_are_held_so_that_no_exponential_overflows():
    assert calibrating.sigmoid(np.array([-1e9, 0, 1e9])) == pytest.approx([0, 0.5, 1], abs=1e-12)
