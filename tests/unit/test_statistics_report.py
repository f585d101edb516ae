"""The report of a table: against a reference, with and without propagated labels, undefined figures, intervals."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_service.statistics import figures, report
from tests.tables import table

VALUES = st.sampled_from([1, 0, -1, None])


def compute(*args, resamples=200, official=False, seed=0, **kwargs):
    return report.compute(table(*args, **kwargs), resamples=resamples, official=official, seed=seed)


def against_gold(gold, rater, **kwargs):
    return compute({"gold": gold, "rater": rater}, reference="gold", **kwargs)["raters"]["rater"]


# --- first errors


@pytest.mark.parametrize(
    ("why", "gold", "rater", "ours", "released"),
    [
        ("the same step", [1, -1, -1], [1, -1, 1], 1, 1),
        ("a step too early", [1, -1, -1], [-1, -1, -1], 0, 0),
        ("neither has one", [1, 0, 1], [1, 1, 1], 1, 1),
        ("right, but a step is left out", [1, -1, -1], [1, -1, None], 0, 1),
        ("no error, a step left out", [1, 1], [1, None], 0, 1),
        ("no pass", [1, 1], None, 0, 1),
        ("a step the reference left out does not count for us", [None, -1], [-1, -1], 1, 0),
    ],
)
def test_first_errors_need_a_complete_prediction_unless_it_is_the_released_arithmetic(why, gold, rater, ours, released):
    assert against_gold([gold], [rater])["first_err_acc"] == ours
    assert against_gold([gold], [rater], official=True)["first_err_acc"] == released


def test_the_same_rows_give_the_released_figures_as_its_own_arithmetic_does():
    gold = [[1, -1, -1], [1, 1], [0, -1]]
    said = against_gold(gold, [[1, -1, 1], None, [None, -1]], official=True, failed={"rater": [2]})
    # Steps 1, 2 of the first and the second of the last: 3 of 7. First errors: all three (an absent one is a hit).
    assert (said["step_acc"], said["first_err_acc"], said["step_exact"], said["failed_ratio"]) == (3 / 7, 1, 0, 2 / 3)


def test_a_failed_pass_has_said_nothing_but_in_the_released_arithmetic():
    said = [[1, 1]], [[1, 1]]
    ours = against_gold(*said, failed={"rater": [0]})
    assert (ours["step_acc"], ours["coverage"], ours["failed"], ours["missing"]) == (0, 0, 1, 0)
    assert against_gold(*said, failed={"rater": [0]}, official=True)["step_acc"] == 1


def test_only_trajectories_that_the_reference_labelled_count():
    row = against_gold([[1, 1], None], [[1, 1], [-1, -1]])
    assert (row["step_acc"], row["figures"]["first_err_acc"]["n"], row["missing"]) == (1, 1, 0)


def test_constant_answers_stand_in_the_same_table():
    said = compute({"gold": [[1, 1, -1], [1]], "rater": [[1, 1, 1], [1]]}, reference="gold")
    always = said["baselines"]["1"]
    assert (always["title"], always["step_acc"], always["first_err_acc"]) == ("always +1", 3 / 4, 1 / 2)
    assert always["step_acc"] == said["raters"]["rater"]["step_acc"]
    assert said["baselines"]["-1"]["recall"] == {"1": 0, "0": None, "-1": 1}


def test_a_confusion_has_what_the_reference_said_in_rows_and_silence_in_the_last_column():
    row = against_gold([[1, 1, 0, -1]], [[1, 0, None, -1]])
    assert row["confusion"]["columns"] == ["1", "0", "-1", "none"]
    assert row["confusion"]["table"] == [[1, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]


def test_pairs_of_raters_are_compared_over_what_both_labelled():
    said = compute({"a": [[1, 0, -1]], "b": [[1, 0, None]], "c": [[None, None, 1]]})
    pairs = {(each["a"], each["b"]): each for each in said["pairs"]}
    kappas = {"kappa": 1.0, "kappa_linear": 1.0, "kappa_quadratic": 1.0}
    assert pairs["a", "b"] == {"a": "a", "b": "b", "percent": 1.0, **kappas, "n": 2, "reason": ""}
    assert pairs["b", "c"]["kappa"] is None
    assert pairs["b", "c"]["reason"] == "The two have no labelled step in common."


def test_people_are_also_reported_among_themselves():
    rows = {"ann": [[1, 0, -1]], "bob": [[1, 0, -1]], "judge": [[-1, 1, 0]]}
    said = compute(rows, kinds={"ann": "human", "bob": "human"})
    assert said["people"]["alpha_nominal"] == 1
    assert said["alpha_nominal"] < 0.5
    assert compute(rows)["people"] is None


def test_verdicts_have_figures_of_their_own():
    said = compute(
        {"gold": [[1], [1]], "rater": [[1], [1]]}, reference="gold", finals={"gold": [1, -1], "rater": [1, None]}
    )
    row = said["final"]["raters"]["rater"]
    assert (row["accuracy"], row["coverage"]) == (0.5, 0.5)
    assert "first_err_acc" not in row
    assert said["final"]["figures"]["percent"]["n"] == 1


# --- propagated labels


def test_without_propagated_labels_steps_that_either_filled_in_are_left_out():
    said = compute(
        {"gold": [[1, -1, -1, -1]], "rater": [[1, -1, -1, 0]]},
        reference="gold",
        propagated={"gold": [[2]], "rater": [[3]]},
    )
    by_hand = said["without_propagated"]
    assert said["raters"]["rater"]["step_acc"] == 3 / 4
    assert by_hand["raters"]["rater"]["step_acc"] == 1
    assert by_hand["raters"]["rater"]["figures"]["step_acc"]["n"] == 2
    assert by_hand["figures"]["percent"]["n"] == 2
    assert by_hand["raters"]["rater"]["first_err_acc"] == said["raters"]["rater"]["first_err_acc"]
    assert by_hand["baselines"]["1"]["figures"]["step_acc"]["n"] == 3


def test_where_nothing_was_propagated_there_is_no_second_report():
    assert compute({"a": [[1]], "b": [[1]]})["without_propagated"] is None


# --- undefined figures


def figures_of(said):
    if isinstance(said, dict):
        if {"value", "low", "high", "n", "reason"} <= set(said):
            yield said
        for each in said.values():
            yield from figures_of(each)
    elif isinstance(said, list):
        for each in said:
            yield from figures_of(each)


def hold(said):
    json.dumps(said, allow_nan=False)
    for figure in figures_of(said):
        assert figure["value"] is not None or (figure["reason"] and figure["low"] is None)
        assert figure["low"] is not None or figure["reason"]
        assert figure["low"] is None or figure["low"] <= figure["high"]


@pytest.mark.parametrize(
    "said",
    [
        {"gold": []},
        {"gold": [None]},
        {"gold": [[]], "rater": [[]]},
        {"gold": [[1]], "rater": [None]},
        {"gold": [[None, None]], "rater": [[1, -1]]},
        {"gold": [[1, 1], [1]], "rater": [[1, 1], [1]]},
        {"gold": [[1, None]], "rater": [[None, 1]]},
    ],
)
@pytest.mark.parametrize("official", [False, True])
@pytest.mark.parametrize("reference", ["gold", None])
def test_degenerate_tables_give_null_with_a_reason(said, official, reference):
    hold(compute(said, official=official, reference=reference))


def test_all_coefficients_of_a_table_worked_by_hand():
    """Units 1 1, 1 0, 0 0, -1 1: two of four pairs are equal, 1 0 counts 1/2 with linear, 3/4 with quadratic ones."""
    said = compute({"a": [[1, 1, 0, -1]], "b": [[1, 0, 0, 1]]})
    # Shares 4/8, 3/8, 1/8; of a 2/4, 1/4, 1/4, of b 2/4, 2/4, 0.
    chance = {"fleiss_kappa": 26 / 64, "conger_kappa": 6 / 16, "brennan_prediger": 1 / 3, "ac1": 38 / 64 / 2}
    for name, one in chance.items():
        assert said[name] == pytest.approx((1 / 2 - one) / (1 - one), abs=1e-12), name
    # Weights add up to 3 + 4/2 = 5 of 6, and 3 + 4 * 3/4 = 6 of 6.
    for name, observed, one in (("ac2_linear", 2.5 / 4, 5 / 6), ("ac2_quadratic", 2.75 / 4, 1)):
        assert said[name] == pytest.approx((observed - one * 38 / 64) / (1 - one * 38 / 64), abs=1e-12), name
    # Squared differences: 1 + 4 observed, twice; margins 4, 3, 1 expected 2 * (4*3*1 + 4*1*4 + 3*1*1) = 62.
    assert said["alpha_interval"] == pytest.approx(1 - 7 * 10 / 62, abs=1e-12)


def test_reasons_are_in_words():
    said = compute({"gold": [[1, 1], [1]], "rater": [[1, 1], [1]]}, reference="gold")
    assert said["figures"]["alpha_nominal"]["reason"].startswith("All labels are one and the same value")
    row = said["raters"]["rater"]["figures"]
    assert row["kappa"]["reason"].startswith("Both gave one and the same value")
    assert row["recall"][1] == {
        "label": "0", "value": None, "low": None, "high": None, "n": 0,
        "reason": "The reference gave no step the value 0.",
    }  # fmt: skip


def test_a_scheme_without_order_or_error_value_says_so():
    said = compute(
        {"a": [["good", "bad"]], "b": [["good", "good"]]},
        reference="a", values=["good", "bad"], error=None, ordinal=False,
    )  # fmt: skip
    for name in ("alpha_ordinal", "ac2_linear", "ac2_quadratic"):
        assert said["figures"][name]["reason"] == "The values of this field have no order."
    assert said["figures"]["alpha_interval"]["reason"] == "The values of this field are no numbers."
    assert said["raters"]["b"]["figures"]["kappa_linear"]["reason"] == "The values of this field have no order."
    assert [pair["kappa_linear"] for pair in said["pairs"]] == [None]
    assert said["raters"]["b"]["figures"]["first_err_acc"]["reason"].startswith("The scheme names no value")
    assert said["raters"]["b"]["step_acc"] == 0.5
    assert set(said["baselines"]) == {"good", "bad"}


def test_the_released_arithmetic_refuses_labels_that_are_no_numbers():
    with pytest.raises(ValueError, match="whole numbers"):
        compute({"a": [["good"]]}, values=["good", "bad"], error=None, official=True)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_table_whatever_breaks_the_report(data):
    lengths = data.draw(st.lists(st.integers(0, 4), max_size=6))
    said = {
        name: [data.draw(st.none() | st.lists(VALUES, min_size=length, max_size=length)) for length in lengths]
        for name in ("gold", "a", "b")
    }
    tasks = [data.draw(st.integers(0, 2)) for _ in lengths]
    hold(compute(said, tasks=tasks, reference=data.draw(st.sampled_from(["gold", None])), resamples=20))


# --- intervals


def noisy(trajectories, steps=3, seed=1):
    draw = np.random.default_rng(seed)
    gold = draw.choice([1, 0, -1], size=(trajectories, steps), p=[0.6, 0.1, 0.3])
    wrong = draw.random((trajectories, steps)) < 0.3
    said = np.where(wrong, draw.choice([1, 0, -1], size=gold.shape), gold)
    return {"gold": gold.tolist(), "rater": said.tolist()}


def width(figure):
    return figure["high"] - figure["low"]


def test_a_seed_gives_the_same_intervals_and_another_seed_others():
    rows = noisy(30)
    first, again, other = (compute(rows, reference="gold", seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert first["raters"]["rater"]["figures"]["step_acc"] != other["raters"]["rater"]["figures"]["step_acc"]


def test_repeating_the_steps_of_each_task_narrows_no_interval():
    rows = noisy(30)
    once = compute(rows, reference="gold", resamples=2000)["raters"]["rater"]["figures"]
    four = {name: [steps * 4 for steps in each] for name, each in rows.items()}
    repeated = compute(four, reference="gold", resamples=2000)["raters"]["rater"]["figures"]
    for key in ("step_acc", "macro_f1", "kappa"):
        assert repeated[key]["n"] == 4 * once[key]["n"]
        assert width(repeated[key]) == pytest.approx(width(once[key]))


def test_rollouts_of_one_task_are_drawn_together():
    rows = {name: [each for each in noisy(30)[name] for _ in range(4)] for name in ("gold", "rater")}
    together = compute(rows, tasks=[at // 4 for at in range(120)], reference="gold", resamples=2000)
    apart = compute(rows, reference="gold", resamples=2000)
    ratio = width(together["figures"]["alpha_nominal"]) / width(apart["figures"]["alpha_nominal"])
    assert 1.6 < ratio < 2.4  # four copies of everything: twice the true width against what copies pretend


def test_the_interval_of_a_share_is_that_of_the_binomial():
    hits = [[1]] * 80 + [[-1]] * 20
    figure = against_gold([[1]] * 100, hits, resamples=4000)["figures"]["step_acc"]
    half = 1.96 * np.sqrt(0.8 * 0.2 / 100)
    assert (figure["low"], figure["high"]) == (
        pytest.approx(0.8 - half, abs=0.015),
        pytest.approx(0.8 + half, abs=0.015),
    )


def test_one_task_has_no_interval():
    figure = compute({"a": [[1, 0]], "b": [[1, 1]]})["figures"]["percent"]
    assert (figure["value"], figure["low"], figure["high"]) == (0.5, None, None)
    assert figure["reason"].startswith("There is one task only")


def test_resamples_do_not_depend_on_how_many_are_drawn_at_once(monkeypatch):
    sums = np.arange(60.0).reshape(20, 3)
    at_once = figures.resampled(sums, 50, seed=7)
    monkeypatch.setattr(figures, "CELLS_AT_ONCE", 90)
    assert np.array_equal(figures.resampled(sums, 50, seed=7), at_once)


def test_each_resample_has_as_many_tasks_as_there_are():
    drawn = figures.resampled(np.eye(12), 40, seed=0)
    assert (drawn.sum(axis=1) == 12).all()
    assert (drawn >= 0).all() and (drawn == drawn.round()).all()
