"""The model behind the embedded scorer: its mathematics on numbers worked by hand, its JSON, its measures."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from models_service.scorers import measures
from models_service.scorers.linear import (
    APART,
    Linear,
    UnknownArtefact,
    between,
    expand,
    fit,
    logistic,
    quantile_edges,
    thresholds,
)

WRONG = np.array([True, True, False, False])


def test_auroc_is_the_share_of_pairs_in_order_and_a_tie_counts_half() -> None:
    # positives .9 and .4, negatives .4 and .1: pairs in order 1 + 1 + ½ + 1 of 4
    assert measures.auroc(np.array([0.9, 0.4, 0.4, 0.1]), WRONG) == 3.5 / 4


def test_auroc_without_both_kinds_is_undefined() -> None:
    assert math.isnan(measures.auroc(np.array([0.2, 0.3]), np.array([True, True])))


def test_macro_f1_counts_a_class_that_is_never_said_as_nothing() -> None:
    # class 1: precision 2/4, recall 2/2 → 2/3; classes 0 and -1 are never said
    assert measures.macro_f1(np.array([1, 1, 1, 1]), np.array([1, 1, 0, -1])) == pytest.approx(2 / 9)


def test_brier_and_calibration_error_by_hand() -> None:
    said, happened = np.array([0.85, 0.85, 0.15, 0.15]), np.array([True, False, False, False])
    assert measures.brier(said, happened) == pytest.approx((0.15**2 + 0.85**2 + 2 * 0.15**2) / 4)
    assert measures.calibration_error(said, happened) == pytest.approx(0.5 * 0.35 + 0.5 * 0.15)


def test_a_value_falls_in_the_bin_of_its_quantiles() -> None:
    values = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]])
    edges = quantile_edges(values, bins=3)
    assert edges == [[pytest.approx(8 / 3), pytest.approx(13 / 3)]]
    design = expand(np.array([[2.0], [3.0], [9.0]]), edges, [3.5], [0.5])
    assert design.tolist() == [[-3, 1, 0, 0], [-1, 0, 1, 0], [4, 0, 0, 1]]  # 11 off, held to 4


def test_a_constant_feature_has_one_bin_and_does_no_harm() -> None:
    values = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0], [4.0, 5.0]])
    model = fit(values, np.array([-1, -1, 1, 1]), ("moves", "stands"), 1)
    assert model.edges[1] == []
    assert model.probabilities(values)[:, 0].tolist() == sorted(model.probabilities(values)[:, 0], reverse=True)


def test_the_bias_alone_says_the_shares_of_the_classes() -> None:
    labels = np.array([-1, 0, 0, 1, 1, 1, 1, 1])
    weights, bias = thresholds(np.zeros((8, 1)), (labels[:, None] <= np.array([-1, 0])).astype(float))
    chances = between(logistic(bias[None]))
    assert chances[0] == pytest.approx([1 / 8, 2 / 8, 5 / 8], abs=1e-6)
    assert weights == pytest.approx(np.zeros((2, 1)))


def test_the_solution_is_where_the_penalised_likelihood_is_flat() -> None:
    random = np.random.default_rng(3)
    rows, wanted = random.normal(size=(60, 4)), random.integers(0, 2, (60, 1)).astype(float)
    [weights], bias = thresholds(rows, wanted, penalty=2.0)
    missed = 1 / (1 + np.exp(-rows @ weights - bias)) - wanted[:, 0]
    assert missed @ rows + 2.0 * weights == pytest.approx(np.zeros(4), abs=1e-5)
    assert missed.sum() == pytest.approx(0, abs=1e-5)


def test_thresholds_lean_towards_the_weights_they_share() -> None:
    """With v ± a·u, the loss is flat in v (the sum of both thresholds' slopes) and in u (a times their difference)."""
    random = np.random.default_rng(4)
    design, labels = random.normal(size=(80, 3)), random.integers(-1, 2, 80)
    reached = (labels[:, None] <= np.array([-1, 0])).astype(float)
    weights, bias = thresholds(design, reached, penalty=2.0)
    slopes = (1 / (1 + np.exp(-(design @ weights.T + bias))) - reached).T @ design
    shared, own = weights.mean(axis=0), (weights[1] - weights[0]) / (2 * APART)
    assert slopes.sum(axis=0) + 2.0 * shared == pytest.approx(np.zeros(3), abs=1e-5)
    assert APART * (slopes[1] - slopes[0]) + 2.0 * own == pytest.approx(np.zeros(3), abs=1e-5)


def test_where_curves_cross_the_lower_gives_way() -> None:
    # P(≤ -1) = .5 and P(≤ 0) = .3 cannot both be: .3, 0 and .7.
    assert between(np.array([[0.5, 0.3], [0.2, 0.6]])) == pytest.approx(np.array([[0.3, 0, 0.7], [0.2, 0.4, 0.4]]))


def test_labels_of_one_class_alone_teach_that_class() -> None:
    model = fit(np.array([[1.0], [2.0]]), np.array([1, 1]), ("x",), 1)
    assert model.probabilities(np.array([[5.0]])).tolist() == [[1.0]]


def two_class_model() -> Linear:
    """One feature, one border at 0: log-odds of right = 2·standardised + 1 above the border, −1 below."""
    return Linear(
        names=["x"],
        edges=[[0.0]],
        mean=[1.0],
        scale=[2.0],
        centre=[0.0, 0.5, 0.5],
        weights=[[-2.0, 1.0, -1.0]],
        bias=[0.0],
        classes=[-1, 1],
        version=1,
    )


def test_probabilities_and_contributions_by_hand() -> None:
    model = two_class_model()
    # x = 3: standardised 1, upper bin → log-odds 2 + 1 = 3; beside an average step (design centre 0, ½, ½) also 3
    assert model.probabilities(np.array([[3.0]]))[0, 1] == pytest.approx(1 / (1 + math.exp(-3)))
    assert model.contributions(np.array([[3.0], [-3.0]])) == pytest.approx(np.array([[3.0], [-5.0]]))


def test_a_model_survives_json_to_the_last_digit() -> None:
    random = np.random.default_rng(5)
    values, labels = random.normal(size=(90, 6)), random.integers(-1, 2, 90)
    model = fit(values, labels, tuple("abcdef"), 7, steps=90)
    back = Linear.from_json(json.loads(json.dumps(model.to_json())), tuple("abcdef"), 7)
    assert np.abs(back.probabilities(values) - model.probabilities(values)).max() < 1e-9
    assert back == model


def test_the_same_examples_give_the_same_model() -> None:
    random = np.random.default_rng(6)
    values, labels = random.normal(size=(90, 6)), random.integers(-1, 2, 90)
    assert fit(values, labels, tuple("abcdef"), 1) == fit(values, labels, tuple("abcdef"), 1)


@pytest.mark.parametrize(
    ("change", "says"),
    [({"version": 99}, "version 99"), ({"format": "pickle"}, "pickle"), ({"names": ["taste"]}, "taste")],
)
def test_an_artefact_of_other_features_is_refused(change: dict, says: str) -> None:
    with pytest.raises(UnknownArtefact, match=says):
        Linear.from_json(two_class_model().to_json() | change, ("x",), 1)
