"""Where the next sample goes, by hand: the statistics, the order, the budget."""

from __future__ import annotations

import random
from collections import Counter
from math import exp, lgamma

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_service.statistics.blending import (
    Sampling,
    confidence,
    following,
    leading,
    margin,
    martingale,
)

leads = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda both: (max(both), min(both)))


@pytest.mark.parametrize(
    ("lead", "sure"), [((0, 0), 0.5), ((1, 0), 0.75), ((1, 1), 0.5), ((2, 0), 0.875), ((3, 1), 0.8125)]
)
def test_the_belief_that_the_leader_leads_is_the_tail_of_a_beta(lead, sure):
    assert confidence(lead) == sure


@pytest.mark.parametrize(
    ("lead", "sure"), [((0, 0), 1), ((1, 0), 1), ((1, 1), 2 / 3), ((2, 0), 4 / 3), ((3, 1), 16 / 20), ((2, 2), 16 / 30)]
)
def test_the_martingale_is_one_over_the_density_at_a_half(lead, sure):
    assert martingale(lead) == pytest.approx(sure)


@given(leads)
def test_both_agree_with_the_beta_distribution_integrated_by_small_steps(lead):
    a, b = lead
    scale = exp(lgamma(a + b + 2) - lgamma(a + 1) - lgamma(b + 1))
    assert martingale(lead) == pytest.approx(1 / (scale * 0.5 ** (a + b)), rel=1e-9)
    steps = 4000
    places = [0.5 + (number + 0.5) * 0.5 / steps for number in range(steps)]
    tail = sum(scale * at**a * (1 - at) ** b for at in places) * 0.5 / steps
    assert confidence(lead) == pytest.approx(tail, abs=1e-3)


@given(leads)
def test_one_more_for_the_leader_makes_it_surer(lead):
    a, b = lead
    assert confidence((a + 1, b)) >= confidence(lead)
    assert confidence(lead) >= 0.5


def test_counts_of_thousands_are_no_trouble():
    assert confidence((3000, 10)) == pytest.approx(1)
    assert martingale((500, 500)) < 0.1
    assert martingale((5000, 10)) == float("inf")


def test_two_leading_answers_are_counted_among_all():
    assert leading(["a", "b", "a", "c", "b", "a"]) == (3, 2)
    assert leading(["a"]) == (1, 0)
    assert leading([]) == (0, 0)


def test_counts_the_wrong_way_round_are_refused():
    for lead in ((1, 2), (1, -1)):
        with pytest.raises(ValueError, match="the greater first"):
            confidence(lead)


def test_at_first_belief_decides_and_at_the_end_the_martingale():
    """By belief 2 to 2 is less sure (.5, 5 to 4 has .623), by the martingale 5 to 4 (.406, 2 to 2 has .533)."""
    items = [(5, 4), (2, 2)]
    assert confidence((5, 4)) == pytest.approx(0.623, abs=1e-3) and martingale((5, 4)) == pytest.approx(512 / 1260)
    assert following(items, budget=1000) == 1
    assert following(items, budget=14) == 0


def test_equally_unsure_items_come_by_fewer_samples_then_in_order():
    assert following([(0, 0), (0, 0)], budget=9) == 0
    assert following([(4, 0), (0, 0), (0, 0)], budget=9) == 1


def test_nothing_is_asked_once_the_budget_is_spent():
    assert following([(1, 0), (0, 0)], budget=1) is None
    assert following([(1, 0), (0, 0)], budget=4, spent=4) is None
    assert following([], budget=4) is None


def test_the_margin_is_that_of_the_roots_of_the_shares():
    assert margin(0.64, 0.36) == pytest.approx(0.04)
    assert margin(0.5, 0.5) == 0
    assert margin(1, 0) == 1
    with pytest.raises(ValueError, match="the leading one first"):
        margin(0.2, 0.8)


def test_the_budget_is_spent_to_the_last_sample_and_unsure_items_get_most_of_it():
    draw = random.Random(1)
    right = [0.99, 0.99, 0.99, 0.55]
    sampling: Sampling[bool] = Sampling(4, 60)
    said = sampling.spend(lambda item: draw.random() < right[item])
    assert sampling.spent == 60
    assert len(said) == 4
    assert len(sampling.answers[3]) > 2 * max(len(one) for one in sampling.answers[:3])


def test_it_finds_the_most_frequent_answers_with_fewer_samples_than_so_many_for_each():
    draw = random.Random(7)
    right = [0.95] * 30 + [0.65] * 10
    even, blended = 0, 0
    for _ in range(12):
        votes = [Counter(draw.random() < one for _ in range(9)).most_common(1)[0][0] for one in right]
        even += sum(votes)
        sampling: Sampling[bool] = Sampling(len(right), 40 * 6)
        blended += sum(bool(one) for one in sampling.spend(lambda item: draw.random() < right[item]))
    assert blended > even, "two thirds of the samples, and more answers right"


def test_an_item_that_was_never_asked_has_no_answer():
    assert Sampling[str](2, 1).spend(lambda item: "yes") == ["yes", None]
