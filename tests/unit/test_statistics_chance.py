"""What is corrected for chance, against numbers worked by hand and against the definitions spelled out pair by pair."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_service.statistics import chance, coefficients, measures
from models_service.statistics.figures import figures
from models_service.statistics.matrices import Matrix
from models_service.statistics.measures import overall

K = 3
label = st.integers(0, K)  # K says nothing
matrices = st.integers(1, 4).flatmap(
    lambda raters: st.lists(st.lists(label, min_size=raters, max_size=raters), min_size=1, max_size=12)
)
NAMES = ("percent", "fleiss_kappa", "conger_kappa", "brennan_prediger", "ac1", "ac2_linear", "ac2_quadratic")


def found(rows, size=K):
    """Every coefficient of the table: {name: Figure}."""
    labels = np.array(rows, dtype=np.uint8)
    one = np.zeros(len(labels), dtype=np.int64)
    matrix = Matrix(labels, np.zeros(labels.shape, dtype=bool), size, one, one, one[:1], 1)
    blocks = overall(matrix, values=1.0 - np.arange(size))
    return {name: figure for each in figures(blocks, 0, 0).values() for name, figure in each.items()}


def value(rows, name, size=K):
    return found(rows, size)[name].value


# --- by hand

THREE = [[0, 0, 0], [0, 0, 1], [1, 1, 1]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("percent", Fraction(7, 9)),
        ("fleiss_kappa", Fraction(11, 20)),
        ("brennan_prediger", Fraction(5, 9)),
        ("ac1", Fraction(23, 41)),
        ("conger_kappa", Fraction(4, 7)),
    ],
)
def test_three_raters_and_two_categories_worked_by_hand(name, expected):
    assert value(THREE, name, 2) == pytest.approx(float(expected), abs=1e-15)


def test_a_category_that_nobody_used_is_still_one():
    # 1/K is 1/3, and AC1 divides its spread by K - 1 = 2: (7/9 - 20/81) / (1 - 20/81).
    assert value(THREE, "brennan_prediger") == pytest.approx((7 / 9 - 1 / 3) / (2 / 3), abs=1e-15)
    assert value(THREE, "ac1") == pytest.approx(43 / 61, abs=1e-15)
    assert value(THREE, "fleiss_kappa") == value(THREE, "fleiss_kappa", 2)


def test_weights_are_by_the_place_in_order():
    assert chance.weights(3, "linear").tolist() == [[1, 0.5, 0], [0.5, 1, 0.5], [0, 0.5, 1]]
    assert chance.weights(3, "quadratic").tolist() == [[1, 0.75, 0], [0.75, 1, 0.75], [0, 0.75, 1]]
    assert chance.weights(1, "linear").tolist() == [[1]]


def test_weighted_kappas_worked_by_hand():
    table = np.zeros((3, 4))
    for one, other in ((0, 0), (0, 1), (2, 2), (1, 1)):
        table[one, other] += 1
    kappas = [coefficients.cohen(table.ravel(), 3, chance.weights(3, name)) for name in ("none", "linear", "quadratic")]
    # Quadratic: observed (3 + 3/4)/4 = 15/16, expected (5 + 8 * 3/4)/16 = 11/16.
    assert [float(one) for one in kappas] == pytest.approx([7 / 11, 5 / 7, 4 / 5], abs=1e-15)


def test_interval_alpha_worked_by_hand():
    assert value([[0, 0], [0, 1], [2, 2]], "alpha_interval") == pytest.approx(24 / 29, abs=1e-15)


def test_conger_of_two_who_labelled_everything_is_cohens_kappa():
    rows = [[0, 0], [0, 1], [2, 2], [1, 1]]
    assert value(rows, "conger_kappa") == pytest.approx(7 / 11, abs=1e-15)


# --- where it is undefined


def test_with_one_value_only_in_use_what_has_a_chance_of_its_own_is_one_and_the_rest_undefined():
    said = found([[0, 0], [0, 0]])
    assert [said[name].value for name in ("percent", "brennan_prediger", "ac1", "ac2_linear", "ac2_quadratic")] == [
        1
    ] * 5
    for name in ("fleiss_kappa", "conger_kappa", "alpha_nominal", "alpha_ordinal", "alpha_interval"):
        assert said[name].value is None
        assert said[name].reason.startswith("All labels are one and the same value")


@pytest.mark.parametrize("rows", [[[0], [1]], [[0, K], [K, 1]], [[K, K]]])
def test_without_two_labels_of_one_step_nothing_is_defined(rows):
    for name, figure in found(rows).items():
        assert (figure.value, figure.reason, figure.n) == (None, "No step has labels from two raters.", 0), name


def test_a_field_with_one_value_has_no_agreement_beyond_chance():
    said = found([[0, 0], [0, 0]], size=1)
    assert said["percent"].value == 1
    for name in ("brennan_prediger", "ac1", "ac2_linear"):
        assert said[name].reason == "The field has one value only, so agreement cannot be told from chance."


def test_a_rater_without_any_label_is_none():
    with_silent = [[*row, K] for row in THREE]
    assert {name: one.value for name, one in found(with_silent).items()} == {
        name: one.value for name, one in found(THREE).items()
    }


# --- against the definitions


def spoken(row):
    return [one for one in row if one != K]


def weight(one, other, weighting):
    apart = Fraction(abs(one - other), K - 1)
    return {"linear": 1 - apart, "quadratic": 1 - apart**2}.get(weighting, Fraction(one == other))


def observed(rows, weighting=""):
    units = [spoken(row) for row in rows if len(spoken(row)) > 1]
    each = [
        sum(weight(one, other, weighting) for one, other in permutations(unit, 2)) / (len(unit) * (len(unit) - 1))
        for unit in units
    ]
    return sum(each) / len(each) if each else None


def mean_shares(rows):
    units = [spoken(row) for row in rows if spoken(row)]
    return [sum(Fraction(unit.count(k), len(unit)) for unit in units) / len(units) for k in range(K)]


def by_chance(rows, name):
    if name == "brennan_prediger":
        return Fraction(1, K)
    if name == "fleiss_kappa":
        return sum(share**2 for share in mean_shares(rows))
    if name.startswith("ac"):
        weights = sum(weight(k, m, name.partition("_")[2]) for k in range(K) for m in range(K))
        return weights * sum(share * (1 - share) for share in mean_shares(rows)) / (K * (K - 1))
    raters = [unit for column in zip(*rows, strict=True) if (unit := spoken(column))]
    pairs = [
        sum(Fraction(one.count(k) * other.count(k), len(one) * len(other)) for k in range(K))
        for one, other in permutations(raters, 2)
    ]
    return sum(pairs) / len(pairs)


@given(matrices)
def test_every_coefficient_is_what_its_definition_says(rows):
    said = found(rows)
    for name in NAMES:
        agreed = observed(rows, name.partition("_")[2] if name.startswith("ac2") else "")
        if agreed is None or name == "percent":
            expected = agreed
        else:
            chance_of = by_chance(rows, name)
            expected = None if chance_of == 1 else (agreed - chance_of) / (1 - chance_of)
        if expected is None:
            assert said[name].value is None and said[name].reason, name
        else:
            assert said[name].value == pytest.approx(float(expected), abs=1e-12), name


@given(matrices, st.randoms(use_true_random=False))
def test_the_order_of_steps_changes_nothing(rows, random):
    mixed = random.sample(rows, len(rows))
    for name, figure in found(rows).items():
        assert found(mixed)[name].value == pytest.approx(figure.value, abs=1e-12), name


@given(matrices, st.integers(1, 3))
def test_sums_by_kinds_of_counts_are_the_sums_unit_by_unit(rows, tasks):
    labels = np.array(rows, dtype=np.uint8)
    task = np.arange(len(labels)) % tasks
    matrix = Matrix(labels, np.zeros(labels.shape, dtype=bool), K, task, task, np.arange(tasks), tasks)
    by_kind = overall(matrix, values=1.0 - np.arange(K))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measures, "KINDS_AT_ONCE", 0)
        one_by_one = overall(matrix, values=1.0 - np.arange(K))
    for name, block in by_kind.items():
        assert block.sums == pytest.approx(one_by_one[name].sums, abs=1e-12), name
