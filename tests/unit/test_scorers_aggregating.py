"""From step scores to one number for a rollout, and choosing among rollouts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_service.statistics import aggregating, choosing, ranking
from models_service.statistics.aggregating import AGGREGATES, TEMPERATURE, aggregate
from models_service.statistics.canonical import canonical
from models_service.statistics.ranking import Candidate

NUMBERS = st.floats(0, 1, allow_nan=False)
ROLLOUTS = st.lists(NUMBERS, min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("last", 0.8),
        ("min", 0.5),
        ("mean", 0.6),
        ("max", 0.8),
        ("sum", 1.8),
        ("product", 0.5 * 0.5 * 0.8),
        ("geometric mean", (0.5 * 0.5 * 0.8) ** (1 / 3)),
        ("log-odds sum", math.log(4)),  # log(1) twice, and log(0.8 / 0.2)
        ("softmin", (0.5 + 0.5 + 0.8 * math.exp(-3)) / (2 + math.exp(-3))),
    ],
)
def test_each_aggregate_of_three_steps_worked_by_hand(name: str, value: float) -> None:
    assert aggregate(name, [0.5, 0.5, 0.8]).value == pytest.approx(value)


def test_transforms_worked_by_hand() -> None:
    assert aggregating.clipped([0.5, 0.9], 0.7).tolist() == pytest.approx([-0.2, 0])
    assert aggregating.deltas([0.5, 0.9, 0.6]).tolist() == pytest.approx([-0.4, 0.3, 0.6])
    assert aggregating.discounted_sum([1, 1, 1], 0.5) == 1.75
    assert aggregating.softmin_weights([0.0, 0.1]).tolist() == pytest.approx([1 / (1 + 1 / math.e), 1 / (1 + math.e)])


def test_what_is_not_defined_says_why() -> None:
    assert all(aggregate(name, []) == (None, "no step has a score") for name in AGGREGATES)
    for name in ("product", "geometric mean", "log-odds sum"):
        assert aggregate(name, [-1.0, 2.0]) == (None, "defined for numbers from 0 to 1 only")
    assert "infinite" in aggregate("log-odds sum", [1.0]).reason
    assert aggregate("geometric mean", [0.0, 1.0]).value == 0
    unequal = aggregating.among("log-odds sum", [[0.5], [0.5, 0.6]])
    assert [one.value for one in unequal] == [None, None] and "unequal length" in unequal[0].reason
    assert aggregating.among("log-odds sum", [[0.5], [0.8]])[1].value == pytest.approx(math.log(4))
    with pytest.raises(ValueError, match="above 0"):
        aggregating.softmin_weights([1], 0)


@given(ROLLOUTS)
def test_every_beginning_is_aggregated_as_a_rollout_of_its_own(scores: list[float]) -> None:
    for name in AGGREGATES:
        assert aggregating.prefixes(name, scores)[-1] == aggregate(name, scores)
        assert aggregating.prefixes(name, scores)[0] == aggregate(name, scores[:1])


@given(ROLLOUTS, st.data())
def test_repeating_a_step_earns_nothing_but_in_a_plain_sum(scores: list[float], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(scores) - 1))
    longer = [*scores[: at + 1], scores[at], *scores[at + 1 :]]
    assert aggregate("min", longer).value == aggregate("min", scores).value
    assert aggregating.clipped(longer, 0.5).sum() <= aggregating.clipped(scores, 0.5).sum() + 1e-12
    assert aggregating.deltas(longer).sum() == pytest.approx(aggregating.deltas(scores).sum())
    assert aggregate("sum", longer).value == pytest.approx(aggregate("sum", scores).value + scores[at])
    # A softmin is a weighted mean. A step d above the least weighs at most exp(-d/T), and d exp(-d/T) is at most T/e.
    assert aggregate("softmin", longer).value <= aggregate("softmin", scores).value + TEMPERATURE / math.e


@given(st.floats(0.01, 0.99), st.integers(1, 30))
def test_what_length_does_to_steps_that_are_all_the_same(score: float, length: int) -> None:
    one, many = [score], [score] * (length + 1)
    for name in ("last", "min", "mean", "max", "geometric mean", "softmin"):
        assert aggregate(name, many).value == pytest.approx(aggregate(name, one).value)
    assert aggregate("product", many).value < aggregate("product", one).value
    assert aggregate("sum", many).value > aggregate("sum", one).value


@given(ROLLOUTS)
def test_a_softmin_lies_between_the_least_and_the_mean(scores: list[float]) -> None:
    assert min(scores) - 1e-9 <= aggregate("softmin", scores).value <= sum(scores) / len(scores) + 1e-9


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$1,200.50", "1200.5"), ("  (b) ", "B"), ("The Eiffel Tower.", "eiffel tower"), (r"\boxed{42}", "42.0"),
        ('{"b": 1, "a": 2}', '{"a":2,"b":1}'), ("-0", "0"), (r"so \boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        ("1,200 people", "1200 people"), ("3-2", "3 2"),
    ],
)  # fmt: skip
def test_answers_that_mean_the_same_are_spelled_the_same(one: str, other: str) -> None:
    assert canonical(one) == canonical(other) is not None


@pytest.mark.parametrize(("one", "other"), [("(3,4)", "34"), ("1/2", "12"), ("3:2", "32"), ("2024-05", "202405")])
def test_digits_are_never_run_together(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


def test_an_answer_of_another_kind_is_none() -> None:
    assert canonical("about five", "number") is None
    assert canonical("...") is None
    assert canonical("[1", "json") is None
    assert canonical("9" * 400 + "e999999999") is not None
    with pytest.raises(ValueError, match="no kind of answer"):
        canonical("1", "poem")


@given(st.text())
def test_any_text_has_a_spelling_that_is_its_own(text: str) -> None:
    once = canonical(text, "text")
    assert once is None or canonical(once, "text") == once


def test_ties_go_to_the_higher_greatest_score_then_to_the_lower_place() -> None:
    assert choosing.best([0.5, 0.7, 0.7]) == 1
    assert choosing.majority(["a", "b", "b", "a"]) == 0
    assert choosing.majority(["a", "b", "b", "a"], [0.1, 0.2, 0.9, 0.3]) == 2
    assert choosing.majority([None, None]) is None
    assert choosing.majority([None, "b", None]) == 1
    assert choosing.weighted(["a", "b", "b"], [0.9, 0.4, 0.4]) == 0
    assert choosing.weighted(["a", "b", "b"], [0.9, 0.4, 0.6]) == 2
    with pytest.raises(ValueError, match="no weights"):
        choosing.weighted(["a"], [-0.1])


def test_best_of_k_and_pass_at_k_worked_by_hand() -> None:
    # Of three, ranked wrong, right, wrong: of the pairs {1,2}, {1,3}, {2,3} only the last chooses the right one.
    assert choosing.best_of_k([0.9, 0.5, 0.1], [False, True, False], 2).value == pytest.approx(1 / 3)
    assert choosing.pass_at_k(3, 1, 2).value == pytest.approx(2 / 3)
    assert choosing.pass_at_k(3, 1, 4).value is None
    assert "too few" in choosing.best_of_k([0.5], [True], 2).reason


@given(st.lists(st.tuples(NUMBERS, st.booleans()), min_size=1, max_size=8), st.data())
def test_best_of_k_lies_between_all_wrong_and_pass_at_k(
    rollouts: list[tuple[float, bool]], data: st.DataObject
) -> None:
    k = data.draw(st.integers(1, len(rollouts)))
    scores, right = [one for one, _ in rollouts], [one for _, one in rollouts]
    chosen = choosing.best_of_k(scores, right, k).value
    assert -1e-9 <= chosen <= choosing.pass_at_k(len(right), sum(right), k).value + 1e-9
    assert choosing.best_of_k(scores, right, 1).value == pytest.approx(sum(right) / len(right))
    assert choosing.best_of_k(scores, right, len(right)).value == right[choosing.best(scores)]


def test_subsamples_are_the_same_for_the_same_seed() -> None:
    drawn = list(choosing.subsamples(6, 3, seed=7))
    assert drawn == list(choosing.subsamples(6, 3, seed=7)) != list(choosing.subsamples(6, 3, seed=8))
    assert len(drawn) == 100 and all(len(set(one)) == 3 for one in drawn)


def test_the_table_of_two_tasks_worked_by_hand() -> None:
    one = [Candidate([0.9, 0.2], "x", False), Candidate([0.5, 0.8], "y", True), Candidate([0.1, 0.3], "x", False)]
    two = [Candidate([0.6], "z", True), Candidate([0.4], None, False)]
    said = ranking.table({1: one, 2: two, 3: one[:1], 4: [*two, Candidate([0.1], "z", None)]})
    assert (said["tasks"], said["rollouts"]) == (2, 5)
    assert said["left_out"] == {"one rollout only": 1, "a rollout without a verdict": 1}
    found = {(row["name"], row["by"]): row for row in said["rows"]}
    assert found["pass@1", ""]["value"] == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert found["majority vote", ""]["value"] == 0.5  # x, which is wrong, and z
    assert found["weighted vote", "last"]["value"] == 1  # y with 0.8 against x with 0.5
    assert found["best of N", "last"]["value"] == 1
    assert found["best of N", "min"]["value"] == 1
    assert found["best of N", "log-odds sum"]["value"] == 1 and found["best of N", "log-odds sum"]["n"] == 2
    assert found["oracle", ""]["value"] == 1
    assert said["ks"] == [2]


def test_a_row_that_is_not_defined_says_for_how_many_tasks_and_why() -> None:
    task = [Candidate([0.9, 0.2], None, False), Candidate([-0.5], None, True)]
    found = {(row["name"], row["by"]): row for row in ranking.table({1: task})["rows"]}
    assert found["majority vote", ""]["reason"] == "no rollout has an answer (1 tasks)"
    assert "unequal length" in found["best of N", "log-odds sum"]["reason"]
    assert found["weighted vote", "min"]["value"] is None and "no weights" in found["weighted vote", "min"]["reason"]
    assert (found["pass@1", ""]["low"], found["pass@1", ""]["n"]) == (None, 1)
    assert ranking.table({})["rows"] == []


def test_a_weighted_vote_among_k_is_over_seeded_draws_and_lies_by_hand_where_there_is_one_draw():
    """Answers A (right) once with 0.9, B twice with 0.3 each: the majority says B, the weights say A."""
    some = [Candidate([0.9], "A", True), Candidate([0.3], "B", False), Candidate([0.3], "B", False)]
    some.append(Candidate([0.1], "C", False))
    found = {one["name"]: [each["value"] for each in one["points"]] for one in ranking.table({1: some})["curves"]}
    assert found["majority"][-1] == 0.0
    assert found["weighted vote by last"][-1] == 1.0
    assert found == {
        one["name"]: [each["value"] for each in one["points"]] for one in ranking.table({1: some})["curves"]
    }
