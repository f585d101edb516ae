"""Alpha for every distance, against numbers worked by hand and against its definition spelled out pair by pair."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_service.statistics import distances, preferring, units
from models_service.statistics.figures import figures
from models_service.statistics.units import SILENT, Units

answer = st.integers(SILENT, 3)
matrices = st.integers(1, 4).flatmap(
    lambda raters: st.lists(st.lists(answer, min_size=raters, max_size=raters), min_size=1, max_size=10)
)
SETS = [frozenset("a"), frozenset("ab"), frozenset("bc"), frozenset("d")]
NUMBERS = [0.1, 0.4, 0.5, 0.9]


def of(rows, tasks=None):
    labels = np.array(rows, dtype=np.int64)
    task = np.array(tasks if tasks is not None else range(len(rows)), dtype=np.int64)
    return Units(labels, np.zeros(labels.shape, dtype=bool), np.ones(len(rows)), task, int(task.max()) + 1)


def found(block, resamples=0):
    return figures({"": block}, resamples, 0)[""]


def values(block):
    return {name: figure.value for name, figure in found(block).items()}


def spelled_out(rows, distance):
    """Krippendorff's definition: mean distance within units over mean distance of all pairable answers."""
    rated = [[value for value in row if value != SILENT] for row in rows]
    pairable = [row for row in rated if len(row) > 1]
    everything = [value for row in pairable for value in row]
    n = len(everything)
    if not n:
        return None
    within = sum(sum(distance(a, b) for a, b in permutations(row, 2)) / (len(row) - 1) for row in pairable) / n
    among = sum(distance(a, b) for a, b in permutations(everything, 2)) / (n * (n - 1))
    return None if among < 1e-15 else 1 - within / among


def same(value, expected):
    return value is None if expected is None else value == pytest.approx(expected, abs=1e-9)


# --- by hand

# Krippendorff 2011, example C: four observers, twelve units, gaps. He gives .743, .815 and .849.
KRIPPENDORFF = [
    [int(mark) - 1 if mark != "." else SILENT for mark in unit]
    for unit in zip("123321412...", "1233224125.3", ".3332342251.", "12332441251.", strict=True)
]


def test_alpha_of_krippendorffs_own_example_at_three_levels():
    assert values(units.nominal(of(KRIPPENDORFF), 5, "step"))["alpha_nominal"] == pytest.approx(0.743, abs=5e-4)
    assert values(units.ordinal(of(KRIPPENDORFF), 5, "step"))["alpha_ordinal"] == pytest.approx(0.815, abs=5e-4)
    assert values(units.interval(of(KRIPPENDORFF), [1, 2, 3, 4, 5], "step"))["alpha_interval"] == pytest.approx(
        0.849, abs=5e-4
    )


def test_interval_alpha_of_three_units_worked_by_hand():
    # (0, 0), (0, 1), (1, 3) on a scale: n = 6, sum v = 5, sum v2 = 11. Observed 2*1 + 2*4 = 10.
    # Expected 2 * (6*11 - 25) = 82; alpha = 1 - 5*10/82 = 32/82. Mean difference (0 + 1 + 2) / 3.
    said = values(units.interval(of([[0, 0], [0, 1], [1, 2]]), [0, 1, 3], "step"))
    assert said["alpha_interval"] == pytest.approx(32 / 82)
    assert said["mean_difference"] == 1
    assert said["percent"] == pytest.approx(1 / 3)


def test_masi_is_one_less_jaccard_times_monotonicity():
    a, ab, bc, d = SETS
    assert distances.masi(ab, ab) == 0
    assert distances.masi(a, ab) == pytest.approx(1 - 1 / 2 * 2 / 3)
    assert distances.masi(ab, bc) == pytest.approx(1 - 1 / 3 * 1 / 3)
    assert distances.masi(a, d) == 1
    assert distances.masi(frozenset(), a) == 1
    assert distances.masi(frozenset(), frozenset()) == 0


def test_alpha_of_sets_worked_by_hand():
    # {a}/{a}, {a}/{a,b}, {b}/{b}: margins 3, 1, 2; n = 6. Distances a-ab 2/3, b-ab 2/3, a-b 1. Observed 2 * 2/3.
    # Expected 2 * (3*1*2/3 + 3*2*1 + 1*2*2/3) = 56/3; alpha = 1 - 5 * (4/3) / (56/3) = 9/14. Overlap (1 + 1/2 + 1) / 3.
    said = values(units.sets(of([[0, 0], [0, 1], [2, 2]]), [frozenset("a"), frozenset("ab"), frozenset("b")], "step"))
    assert said["alpha_masi"] == pytest.approx(9 / 14)
    assert said["jaccard"] == pytest.approx(2.5 / 3)
    assert said["percent"] == pytest.approx(2 / 3)


def test_first_errors_count_the_same_step_the_next_one_and_none_apart():
    # Steps 2/3, none/none, 4/none, 5/5. Of the four, two are equal; three agree on whether there is one.
    said: dict = {}
    for block in units.first_errors(of([[0, 1], [4, 4], [2, 4], [3, 3]]), [2, 3, 4, 5, "none"]).values():
        said |= values(block)
    assert said["percent"] == 1 / 2
    assert said["none_percent"] == 3 / 4
    assert said["exact"] == 1 / 2
    assert said["near"] == 1
    # Named or none: coincidences of unequal ones 2, margins 5 and 3, n = 8: alpha = 1 - 7 * 2 / (64 - 34) = 16/30.
    assert said["none_alpha"] == pytest.approx(16 / 30)


def test_first_errors_nobody_names_have_no_distance():
    steps = units.first_errors(of([[0, 0]]), ["none"])["steps"]
    assert found(steps)["near"].value is None
    assert found(steps)["near"].reason == "No trajectory has an error at a step by two raters."


def test_who_always_takes_the_first_is_found_out():
    # Two pairs asked both ways (units 0 and 1, 2 and 3). One rater takes the first always, the other the same candidate
    # twice and then a tie twice: 2 of 4.
    asked = of([[0, 0], [0, 1], [0, 2], [0, 2]])
    block = units.both_orders(asked, ["first", "second", "tie"], np.array([1, 0, 3, 2]))
    assert (found(block)["both_orders"].value, found(block)["both_orders"].n) == (0.5, 4)


def test_a_pair_asked_one_way_only_has_no_other_order():
    block = units.both_orders(of([[0, 0]]), ["first"], np.array([-1]))
    assert found(block)["both_orders"].reason == "No rater was asked a pair both ways round."


def test_preferences_are_compared_with_and_without_ties():
    # First / first, first / second, first / tie, tie / tie, and one alone: of two who both choose, one the same.
    block = preferring.preferred(of([[0, 0], [0, 1], [0, 2], [2, 2], [0, SILENT]]), ["first", "second", "tie"])
    assert (found(block)["sides"].value, found(block)["sides"].n) == (1 / 2, 2)
    assert (found(block)["half"].value, found(block)["half"].n) == (5 / 8, 4)


def test_preferences_without_a_side_or_a_second_rater_say_so():
    tied = found(preferring.preferred(of([[2, 2]]), ["first", "second", "tie"]))
    assert (tied["sides"].reason, tied["half"].value) == ("No pair has two raters who both chose a side.", 1)
    alone = found(preferring.preferred(of([[0, SILENT]]), ["first"]))
    assert alone["half"].reason == "No pair has labels from two raters."


def test_a_third_rater_counts_by_pairs():
    # 0, 0, 1: one of three pairs is equal.
    assert values(units.nominal(of([[0, 0, 1], [1, 1, SILENT]]), 2, "step"))["percent"] == pytest.approx(
        (1 / 3 + 1) / 2
    )


def test_what_is_undefined_says_why():
    alone = found(units.nominal(of([[0, SILENT]]), 2, "tool call"))["alpha_nominal"]
    assert (alone.value, alone.reason) == (None, "No tool call has labels from two raters.")
    alike = found(units.interval(of([[0, 0], [0, 0]]), [0.3], "step"))
    assert alike["alpha_interval"].value is None
    assert "no variation" in alike["alpha_interval"].reason
    assert alike["mean_difference"].value == 0


def test_nothing_at_all_is_undefined_at_every_level():
    empty = Units(
        np.zeros((0, 2), dtype=np.int64), np.zeros((0, 2), dtype=bool), np.zeros(0), np.zeros(0, dtype=np.int64), 1
    )
    blocks = [
        units.nominal(empty, 0, "step"),
        units.ordinal(empty, 0, "step"),
        units.interval(empty, [], "step"),
        units.sets(empty, [], "step"),
        *units.first_errors(empty, []).values(),
    ]
    assert all(figure.value is None and figure.reason for block in blocks for figure in found(block).values())


# --- by definition


@given(matrices)
def test_every_alpha_is_its_definition(rows):
    pooled = distances.ranks(units.margins(of(rows), 4).sum(axis=0))
    said = {
        **values(units.nominal(of(rows), 4, "step")),
        **values(units.ordinal(of(rows), 4, "step")),
        **values(units.interval(of(rows), NUMBERS, "step")),
        **values(units.sets(of(rows), SETS, "step")),
    }
    assert same(said["alpha_nominal"], spelled_out(rows, lambda a, b: float(a != b)))
    assert same(said["alpha_ordinal"], spelled_out(rows, lambda a, b: (pooled[a] - pooled[b]) ** 2))
    assert same(said["alpha_interval"], spelled_out(rows, lambda a, b: (NUMBERS[a] - NUMBERS[b]) ** 2))
    assert same(said["alpha_masi"], spelled_out(rows, lambda a, b: distances.masi(SETS[a], SETS[b])))


@given(matrices, st.integers(2, 6))
def test_a_unit_of_weight_w_is_w_units(rows, weight):
    heavy = of(rows)
    heavy.weight[0] = weight
    spread = of([rows[0]] * weight + rows[1:])
    for one, other in zip(
        (units.nominal(heavy, 4, "step"), units.sets(heavy, SETS, "step"), units.ordinal(heavy, 4, "step")),
        (units.nominal(spread, 4, "step"), units.sets(spread, SETS, "step"), units.ordinal(spread, 4, "step")),
        strict=True,
    ):
        for name, value in values(other).items():
            assert same(values(one)[name], value), name


@given(matrices, st.floats(-5, 5), st.floats(0.5, 3))
def test_interval_alpha_knows_no_zero_and_no_unit(rows, shift, factor):
    moved = [shift + factor * number for number in NUMBERS]
    one, other = (values(units.interval(of(rows), each, "step"))["alpha_interval"] for each in (NUMBERS, moved))
    assert same(one, other)


@given(matrices)
def test_the_order_of_raters_does_not_matter(rows):
    mirrored = [row[::-1] for row in rows]
    one, other = (values(units.ordinal(of(each), 4, "step")) for each in (rows, mirrored))
    assert all(same(one[name], value) for name, value in other.items())


def test_intervals_come_from_resampled_tasks():
    rows, tasks = [[0, 0], [0, 1], [1, 1], [1, 1]], [0, 0, 1, 2]
    figure = found(units.nominal(of(rows, tasks), 2, "step"), 500)["percent"]
    assert figure.low is not None
    assert figure.low <= figure.value <= figure.high
    assert (figure.value, figure.high, figure.n) == (0.75, 1, 4)
