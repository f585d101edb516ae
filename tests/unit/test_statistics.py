"""Each coefficient against numbers worked by hand, and against its definition spelled out pair by pair."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_service.statistics import chance, coefficients

K = 3
SILENT = K
label = st.integers(0, K)  # K says nothing
matrices = st.integers(1, 4).flatmap(
    lambda raters: st.lists(st.lists(label, min_size=raters, max_size=raters), min_size=1, max_size=12)
)


def pooled(rows, categories=K):
    return coefficients.counts(np.array(rows), categories)


def alpha(rows, ordinal, categories=K):
    sums = coefficients.coincidences(pooled(rows, categories)).sum(axis=0)
    return float(coefficients.alpha(sums, ordinal))


def fleiss(rows, categories=K):
    return float(chance.fleiss(chance.shares(pooled(rows, categories)).sum(axis=0)))


def percent(rows, categories=K):
    return float(chance.observed(chance.shares(pooled(rows, categories)).sum(axis=0)))


def against(pairs, categories=K):
    table = np.zeros((categories, categories + 1))
    for reference, rater in pairs:
        if reference < categories:
            table[reference, rater] += 1
    return table.ravel()


def same(found, expected):
    return np.isnan(found) if expected is None else found == pytest.approx(float(expected), abs=1e-12)


# --- by hand


def test_kappa_of_a_table_worked_by_hand():
    # 20 both yes, 5 yes/no, 10 no/yes, 15 both no: observed 35/50 = .7, chance .5 * .6 + .5 * .4 = .5, so .2/.5 = .4
    pairs = [(0, 0)] * 20 + [(0, 1)] * 5 + [(1, 0)] * 10 + [(1, 1)] * 15
    assert float(coefficients.cohen(against(pairs, 2), 2)) == pytest.approx(0.4, abs=1e-15)


def test_kappa_leaves_out_what_only_one_of_them_labelled():
    pairs = [(0, 0), (1, 1), (0, 1), (1, SILENT), (SILENT, 0)]
    assert coefficients.cohen(against(pairs), K) == coefficients.cohen(against(pairs[:3]), K)


# Krippendorff 2011 ("Computing Krippendorff's Alpha-Reliability"), example C: four observers, twelve units, gaps.
KRIPPENDORFF = [
    [int(mark) - 1 if mark != "." else 5 for mark in unit]
    for unit in zip("123321412...", "1233224125.3", ".3332342251.", "12332441251.", strict=True)
]


def test_alpha_of_krippendorffs_own_example():
    assert alpha(KRIPPENDORFF, ordinal=False, categories=5) == pytest.approx(0.743, abs=5e-4)
    assert alpha(KRIPPENDORFF, ordinal=True, categories=5) == pytest.approx(0.815, abs=5e-4)


def test_alpha_of_three_steps_worked_by_hand():
    # Units (0,0), (0,2), (2,2): coincidences 00: 2, 22: 2, 02 and 20: 1 each; margins 3, 0, 3; n = 6.
    # Nominal: 1 - (6-1) * (1+1) / (2 * 3*3) = 1 - 10/18 = 4/9.
    assert alpha([[0, 0], [0, 2], [2, 2]], ordinal=False) == pytest.approx(4 / 9, abs=1e-15)
    # Two categories in use: every disagreement is the same distance, so ordinal equals nominal.
    assert alpha([[0, 0], [0, 2], [2, 2]], ordinal=True) == pytest.approx(4 / 9, abs=1e-15)


def test_ordinal_alpha_counts_a_far_disagreement_for_more():
    # Margins 3, 2, 3, n = 8. Squared distances: 01 and 12 (3+2 - 5/2)^2 = 6.25, 02 (8 - 3)^2 = 25.
    # Expected 2 * (3*2*6.25 * 2 + 3*3*25) = 600. Near: observed 4 * 6.25 = 25; far: 2 * 25 = 50.
    near = [[0, 0], [0, 1], [1, 2], [2, 2]]
    far = [[0, 0], [0, 2], [1, 1], [2, 2]]
    assert alpha(near, ordinal=True) == pytest.approx(1 - 7 * 25 / 600, abs=1e-15)
    assert alpha(far, ordinal=True) == pytest.approx(1 - 7 * 50 / 600, abs=1e-15)


def test_fleiss_kappa_worked_by_hand():
    # Three raters, units 000, 001, 111. Agreement 1, 1/3, 1: mean 7/9. Shares 5/9 and 4/9: chance 41/81.
    # (63/81 - 41/81) / (40/81) = 22/40.
    assert fleiss([[0, 0, 0], [0, 0, 1], [1, 1, 1]]) == pytest.approx(22 / 40, abs=1e-15)


def test_percent_is_the_mean_over_steps_of_the_share_of_equal_pairs():
    assert percent([[0, 0, 0], [0, 0, 1], [0, SILENT, SILENT]]) == pytest.approx((1 + 1 / 3) / 2)


def test_accuracy_recall_and_coverage_count_silence_as_wrong():
    # Reference 0 0 0 1; rater 0, 0, nothing, 2.
    table = against([(0, 0), (0, 0), (0, SILENT), (1, 2)])
    assert coefficients.step_acc(table, K) == 2 / 4
    assert coefficients.coverage(table, K) == 3 / 4
    assert coefficients.recall(table, K, 0) == 2 / 3
    assert coefficients.recall(table, K, 1) == 0
    assert np.isnan(coefficients.recall(table, K, 2))
    assert coefficients.equal_share(table, K) == 2 / 3


def test_macro_f1_averages_the_values_that_occur():
    # F1 of 0: 2*2 / (3 + 2) = .8; of 1: 0 (missed); of 2: 0 (false alarm).
    assert coefficients.macro_f1(against([(0, 0), (0, 0), (0, SILENT), (1, 2)]), K) == pytest.approx(0.8 / 3)
    # Nobody says 1 or 2: they are not part of the mean. F1 of 0: 2*1 / (2 + 1).
    assert coefficients.macro_f1(against([(0, 0), (0, SILENT)]), K) == pytest.approx(2 / 3)


def test_constant_labels_leave_chance_corrected_agreement_undefined():
    same_again = [[1, 1], [1, 1]]
    assert np.isnan(alpha(same_again, ordinal=True))
    assert np.isnan(fleiss(same_again))
    assert np.isnan(coefficients.cohen(against([(1, 1), (1, 1)]), K))
    assert percent(same_again) == 1


def test_a_category_that_nobody_uses_changes_nothing():
    rows = [[0, 0], [0, 1], [1, 1]]
    wider = [[3 if value == SILENT else value for value in row] for row in rows]
    assert alpha(rows, ordinal=True) == alpha(wider, ordinal=True, categories=3)
    assert alpha(rows, ordinal=True, categories=3) == alpha(rows, ordinal=True, categories=2)


# --- against the definitions


def spoken(row):
    return [value for value in row if value != SILENT]


def naive_alpha(rows, ordinal):
    units = [spoken(row) for row in rows if len(spoken(row)) > 1]
    values = [value for unit in units for value in unit]

    def distance(one, other):
        if not ordinal:
            return Fraction(one != other)
        low, high = sorted((one, other))
        ranks = sum(values.count(each) for each in range(low, high + 1))
        return (ranks - Fraction(values.count(low) + values.count(high), 2)) ** 2 if one != other else Fraction(0)

    observed = sum(
        Fraction(distance(one, other), len(unit) - 1) for unit in units for one, other in permutations(unit, 2)
    )
    expected = sum(distance(one, other) for one, other in permutations(values, 2))
    return 1 - (len(values) - 1) * observed / expected if expected else None


def naive_agreement(rows):
    shares = [
        Fraction(sum(one == other for one, other in permutations(unit, 2)), len(unit) * (len(unit) - 1))
        for row in rows
        if len(unit := spoken(row)) > 1
    ]
    return sum(shares) / len(shares) if shares else None


def naive_fleiss(rows):
    units = [spoken(row) for row in rows if spoken(row)]
    observed = naive_agreement(rows)
    shares = [sum(Fraction(unit.count(k), len(unit)) for unit in units) / (len(units) or 1) for k in range(K)]
    chance = sum(share**2 for share in shares)
    return None if observed is None or chance == 1 else (observed - chance) / (1 - chance)


def naive_kappa(pairs):
    both = [(one, other) for one, other in pairs if SILENT not in (one, other)]
    if not both:
        return None
    observed = Fraction(sum(one == other for one, other in both), len(both))
    chance = Fraction(sum(one == other for one, _ in both for _, other in both), len(both) ** 2)
    return None if chance == 1 else (observed - chance) / (1 - chance)


def naive_macro_f1(pairs):
    judged = [(one, other) for one, other in pairs if one != SILENT]
    scores = []
    for k in range(K):
        hits = sum(one == other == k for one, other in judged)
        said = sum((one == k) + (other == k) for one, other in judged)
        if said:
            scores.append(Fraction(2 * hits, said))
    return sum(scores) / len(scores) if scores else None


@given(matrices, st.booleans())
def test_alpha_is_what_its_definition_says(rows, ordinal):
    assert same(alpha(rows, ordinal), naive_alpha(rows, ordinal))


@given(matrices)
def test_percent_and_fleiss_are_what_their_definitions_say(rows):
    assert same(percent(rows), naive_agreement(rows))
    assert same(fleiss(rows), naive_fleiss(rows))


@given(st.lists(st.tuples(label, label), max_size=25))
def test_the_figures_against_a_reference_are_what_their_definitions_say(pairs):
    table = against(pairs)
    judged = [(one, other) for one, other in pairs if one != SILENT]
    hits = Fraction(sum(one == other for one, other in judged), len(judged)) if judged else None
    assert same(coefficients.step_acc(table, K), hits)
    assert same(coefficients.cohen(table, K), naive_kappa(pairs))
    assert same(coefficients.macro_f1(table, K), naive_macro_f1(pairs))


@given(st.lists(matrices, min_size=1, max_size=4), st.booleans())
def test_many_tables_at_once_give_what_each_gives_alone(tables, ordinal):
    sums = [coefficients.coincidences(pooled(rows)).sum(axis=0) for rows in tables]
    together = coefficients.alpha(np.stack(sums), ordinal)
    assert np.array_equal(together, [float(coefficients.alpha(each, ordinal)) for each in sums], equal_nan=True)
