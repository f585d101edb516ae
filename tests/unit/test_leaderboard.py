"""The leaderboard's arithmetic, on tables small enough to work out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models_service.statistics.leaderboard import board, layer
from models_service.statistics.leaderboard.members import Ground
from tests.judged_tables import judged, named

# Three tasks: an error at the second step, none, an error at the first.
GOLD = [[1, -1, -1], [1, 1], [-1, 0]]


def measured(said: dict[str, Any], **more: Any) -> dict[str, Any]:
    official = more.pop("official", False)
    return board.compute(judged({"gold": GOLD, **said}, **more), official=official, resamples=50)


def row(result: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in [*result["rows"], *result["baselines"]] if one["name"] == name)


def values(result: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: one["value"] for key, one in row(result, name)["figures"].items()}


def test_each_figure_is_what_it_says():
    said = values(measured({"judge": [[1, -1, 1], [1, 1], [1, 0]]}), "judge")

    assert said["step_acc"] == pytest.approx(5 / 7)
    assert said["first_err_acc"] == pytest.approx(2 / 3)  # misses the first step of the third
    assert (said["first_err_acc_error"], said["first_err_acc_clean"]) == (0.5, 1.0)
    assert said["processbench_f1"] == pytest.approx(2 / 3)
    assert said["step_exact"] == pytest.approx(1 / 3)
    # F1 of 1: 2·3/(3 + 5), of 0: 1, of -1: 2·1/(3 + 1).
    assert said["macro_f1"] == pytest.approx((3 / 4 + 1 + 1 / 2) / 3)
    # Chance: (3·5 + 1·1 + 3·1)/49.
    assert said["kappa"] == pytest.approx((5 / 7 - 19 / 49) / (1 - 19 / 49))
    assert said["coverage"] == 1.0


def test_precision_and_recall_are_of_each_label():
    classes = {one["label"]: one for one in row(measured({"judge": [[1, -1, 1], [1, 1], [1, 0]]}), "judge")["classes"]}

    assert classes["1"]["precision"]["value"] == pytest.approx(3 / 5)
    assert classes["1"]["recall"]["value"] == 1.0
    assert (classes["-1"]["precision"]["value"], classes["-1"]["recall"]["value"]) == (1.0, pytest.approx(1 / 3))


def test_a_label_that_is_never_given_has_no_precision_and_says_so():
    classes = row(measured({"judge": [[1, 1, 1], [1, 1], [1, 1]]}), "judge")["classes"]
    assert classes[2]["precision"] == {
        "value": None, "low": None, "high": None, "n": 0, "reason": "It gave no step the value -1.",
    }  # fmt: skip


def test_the_constant_answers_are_always_there():
    result = measured({"judge": GOLD})
    assert [one["name"] for one in result["baselines"]] == ["always +1", "always 0", "always -1"]
    assert [one["figures"]["step_acc"]["value"] for one in result["baselines"]] == pytest.approx([3 / 7, 1 / 7, 3 / 7])
    assert values(result, "always +1")["first_err_acc"] == pytest.approx(1 / 3)
    assert values(result, "always -1")["first_err_acc"] == pytest.approx(1 / 3)


def test_a_judge_that_a_constant_answer_beats_is_said_to_be_below_it():
    result = measured({"good": GOLD, "poor": [[0, 0, 0], [1, 1], [0, 1]]})
    assert row(result, "good")["below"] == []
    assert [one["name"] for one in row(result, "poor")["below"]] == ["always +1", "always -1"]
    assert row(result, "poor")["below"][0]["value"] == pytest.approx(2 / 7 - 3 / 7)


def test_what_failed_counts_as_wrong_and_as_failed():
    result = measured({"judge": GOLD}, failed={"judge": [1]})
    assert values(result, "judge")["step_acc"] == pytest.approx(5 / 7)
    assert values(result, "judge")["first_err_acc"] == pytest.approx(2 / 3)
    assert (row(result, "judge")["failed"], row(result, "judge")["missing"]) == (1, 0)


def test_the_released_arithmetic_credits_a_failure_where_there_is_no_error():
    result = measured({"judge": [GOLD[0], [None, None], GOLD[2]]}, failed={"judge": [1]}, official=True)
    assert values(result, "judge")["first_err_acc"] == 1.0
    assert values(result, "judge")["step_acc"] == pytest.approx(5 / 7)


def test_who_was_asked_of_some_has_figures_over_those_beside_the_others():
    result = measured({"judge": [GOLD[0], None, None], "other": GOLD})
    mine = row(result, "judge")
    assert (mine["tried"], mine["missing"]) == (1, 2)
    assert mine["figures"]["step_acc"]["value"] == pytest.approx(3 / 7)
    assert mine["asked"]["step_acc"]["value"] == 1.0
    assert row(result, "other")["asked"] is None
    pair = next(one for one in result["pairs"] if {one["a"], one["b"]} == {"2", "3"})
    assert (pair["trajectories"], pair["figures"]["step_acc"]["value"]) == (1, 0.0)
    assert mine["below"] == []  # on what it was asked, always -1 has 2 of 3


def test_what_a_judge_was_taught_with_is_left_out_of_its_figures():
    wrong_where_not_taught = [GOLD[0], [-1, -1], [1, 1]]
    result = measured({"judge": wrong_where_not_taught, "other": GOLD}, taught={"judge": [0]})
    mine = row(result, "judge")
    assert (mine["taught"], mine["trajectories"]) == (1, 2)
    assert mine["figures"]["step_acc"]["value"] == 0.0
    assert row(result, "other")["trajectories"] == 3
    pair = next(one for one in result["pairs"] if {one["a"], one["b"]} == {"2", "3"})
    assert pair["trajectories"] == 2


def test_two_judges_are_compared_on_the_same_tasks():
    one, other = [[1, -1, -1], [1, 1], [1, 1]], [[1, 1, 1], [1, 1], [1, 0]]
    result = measured({"one": one, "other": other})
    pair = next(found for found in result["pairs"] if {found["a"], found["b"]} == {"2", "3"})
    assert (pair["a"], pair["b"]) == ("2", "3")  # the better one first
    assert (pair["won"], pair["tied"], pair["lost"]) == (1, 1, 1)
    assert pair["figures"]["step_acc"]["value"] == pytest.approx(5 / 7 - 4 / 7)
    assert pair["figures"]["step_acc"]["verdict"] == "tie"


def test_a_difference_that_is_the_same_in_every_task_is_no_chance():
    gold = [[1, -1]] * 6
    said = {"gold": gold, "right": gold, "half": [[1, 1]] * 6}
    result = board.compute(judged(said), resamples=50)
    pair = next(one for one in result["pairs"] if {one["a"], one["b"]} == {"2", "3"})
    figure = pair["figures"]["step_acc"]
    assert (figure["value"], figure["low"], figure["high"], figure["verdict"]) == (0.5, 0.5, 0.5, "better")


def test_the_confusion_has_what_the_reference_says_in_its_rows():
    table = row(measured({"judge": [[1, -1, 1], [1, None], [1, 0]]}), "judge")["confusion"]
    assert table["columns"] == ["1", "0", "-1", "none"]
    assert table["table"] == [[2, 0, 0, 1], [0, 1, 0, 0], [2, 0, 1, 0]]


def test_where_it_errs_is_told_by_place_length_and_tool():
    tools = ["search", "search", "", "search", "", "search", ""]
    result = measured({"judge": [[1, -1, 1], [1, 1], [1, 0]]}, tools=tools, sources=["a", "a", "b"])
    where = {one["by"]: {each["title"]: each for each in one["groups"]} for one in row(result, "judge")["where"]}

    assert {title: (one["n"], one["step_acc"]["value"]) for title, one in where["length"].items()} == {
        "1–2": (4, 0.75),
        "3–5": (3, pytest.approx(2 / 3)),
    }
    assert where["tool"]["search"]["n"] == 4
    assert where["tool"]["no tool is called"]["step_acc"]["value"] == pytest.approx(2 / 3)
    assert where["source"]["b"]["step_acc"]["value"] == 0.5
    assert where["source"]["b"]["wrong"] == 0.5
    assert where["source"]["b"]["said"] == 0.0
    # Of two steps the places are .25 and .75, of three 1/6, 1/2 and 5/6.
    assert [title for title, one in where["position"].items()] == [
        "10–20 %",
        "20–30 %",
        "50–60 %",
        "70–80 %",
        "80–90 %",
    ]
    assert "model" not in where  # all are of one, not known


def test_how_far_off_its_first_errors_are():
    off = row(measured({"judge": [[1, 1, -1], [-1, 1], [1, 1]]}), "judge")["offsets"]
    assert {one["title"]: one["n"] for one in off["bins"] if one["n"]} == {"1 step late": 1}
    assert (off["errors"], off["none"], off["unsaid"], off["clean"], off["false"]) == (2, 1, 0, 1, 1)
    assert off["mean"] == 1.0


def test_chances_are_held_against_what_came():
    # Four steps said with .8, of which three are right: off by .05. One with 1.0 that is right.
    gold = [[1], [1], [1], [-1], [-1]]
    sure = {at: [0.8, 0.0, 0.2] for at in range(4)} | {4: [0.0, 0.0, 1.0]}
    said = {"gold": gold, "judge": [[1], [1], [1], [1], [-1]]}
    found = row(board.compute(judged(said, chances={"judge": sure}), resamples=50), "judge")["chances"]

    assert (found["steps"], found["few"]) == (5, True)
    top = {name: one["value"] for name, one in found["top"]["figures"].items()}
    assert top["ece"] == pytest.approx(4 / 5 * abs(0.8 - 0.75))
    assert top["accuracy"] == pytest.approx(4 / 5)
    assert top["confidence"] == pytest.approx((4 * 0.8 + 1) / 5)
    # Right: .2² + .2² = .08; wrong: .8² + .8² = 1.28; sure and right: 0.
    assert top["brier"] == pytest.approx((3 * 0.08 + 1.28 + 0) / 5)
    assert [one["n"] for one in found["top"]["bins"]] == [0, 0, 0, 0, 0, 0, 0, 0, 4, 1]
    # Of P(wrong): .2 four times, of which one is; 1.0 once.
    assert found["wrong"]["figures"]["brier"]["value"] == pytest.approx((3 * 0.04 + 0.64) / 5)
    assert found["wrong"]["figures"]["ece_spans"]["value"] == pytest.approx(4 / 5 * 0.05)


def test_who_says_labels_only_has_no_calibration():
    assert row(measured({"judge": GOLD}), "judge")["chances"] is None


def test_a_scheme_that_asks_for_the_first_error_has_what_is_about_it():
    result = board.compute(named({"gold": [1, -1, 0], "judge": [1, 2, None]}), resamples=50)
    said = row(result, "judge")["figures"]
    assert said["first_err_acc"]["value"] == pytest.approx(1 / 3)
    assert (said["first_err_acc_error"]["value"], said["first_err_acc_clean"]["value"]) == (0.5, 0.0)
    assert said["coverage"]["value"] == pytest.approx(2 / 3)
    assert said["step_acc"]["value"] is None
    assert said["step_acc"]["reason"] == "The scheme asks where the first error is, not for a label of each step."
    assert [one["name"] for one in result["baselines"]] == ["always none", "always the first step"]
    assert [one["figures"]["first_err_acc"]["value"] for one in result["baselines"]] == pytest.approx([1 / 3, 1 / 3])
    assert row(result, "judge")["confusion"] is None


def test_a_scheme_without_a_wrong_value_has_no_first_error_and_says_why():
    said = judged({"gold": [["a", "b"]], "judge": [["a", "a"]]}, values=("a", "b"), error=None)
    figure = row(board.compute(said, resamples=50), "judge")["figures"]["first_err_acc"]
    assert figure["value"] is None
    assert figure["reason"] == "The scheme names no value for a wrong step, so there is no first error."


def test_a_binary_scheme_has_it_all():
    said = judged({"gold": [["ok", "bad"], ["ok"]], "judge": [["ok", "ok"], ["ok"]]}, values=("ok", "bad"), error="bad")
    result = board.compute(said, resamples=50)
    assert values(result, "judge")["first_err_acc"] == 0.5
    assert row(result, "judge")["below"][0]["name"] == "always ok"
    with pytest.raises(board.NothingToMeasure, match="whole numbers"):
        board.compute(said, official=True)


def test_without_a_reference_that_labelled_there_is_nothing_to_measure():
    with pytest.raises(board.NothingToMeasure, match="gold has labelled nothing"):
        board.compute(judged({"gold": [[None]], "judge": [[1]]}))


def test_people_stand_beside_judges_and_are_no_best_judge():
    result = measured({"ann": GOLD, "judge": [[1, -1, 1], [1, 1], [1, 0]]}, kinds={"gold": "import", "ann": "human"})
    assert [one["name"] for one in result["rows"]] == ["ann", "judge"]
    assert result["best"] == row(result, "judge")["key"]
    assert result["counts"]["judges"] == 1


def test_what_judges_say_together_stands_beside_each_alone():
    gold = [[1], [1], [-1], [-1]] * 4
    said = {"gold": gold, "a": gold, "b": [[1], [1], [-1], [1]] * 4, "c": [[1], [-1], [-1], [1]] * 4}
    result = board.compute(judged(said), resamples=50)
    together = {one["key"]: one for one in result["rows"] if one["kind"] == "ensemble"}
    majority = together["majority"]
    assert majority["name"] == "majority of the 3 judges"
    assert majority["figures"]["step_acc"]["value"] == 0.75  # outvoted on every fourth
    assert majority["chances"]["top"]["figures"]["confidence"]["value"] == pytest.approx((1 + 2 / 3 + 1 + 2 / 3) / 4)
    # Who is always right where the truth is known, and who is not, is learnt from other tasks.
    assert together["weighed"]["figures"]["step_acc"]["value"] == 1.0
    assert result["best"] == row(result, "a")["key"]
    assert result["counts"]["judges"] == 3


def test_a_few_that_are_chosen_on_other_tasks_vote_and_are_named():
    """Each of the three errs in every third task, never two in the same; the fourth always says 1."""
    gold = [[1], [-1]] * 15
    said = {"gold": gold}
    for place, name in enumerate("abc"):
        said[name] = [[-one[0]] if at % 3 == place else one for at, one in enumerate(gold)]
    said["always"] = [[1]] * 30
    result = board.compute(judged(said), resamples=50)
    chosen = row(result, "the chosen few of 4 judges")
    assert chosen["key"] == "chosen"
    assert chosen["figures"]["step_acc"]["value"] == 1.0
    assert chosen["chances"]["top"]["figures"]["confidence"]["value"] == pytest.approx(2 / 3)  # their mean vote
    keys = {one: row(result, one)["key"] for one in "abc"}
    assert chosen["chosen"]["folds"] == 5
    assert {one["key"]: (one["name"], one["folds"], one["whole"]) for one in chosen["chosen"]["judges"]} == {
        key: (name, 5, True) for name, key in keys.items()
    }
    assert row(result, "a")["chosen"] is None


def test_no_step_is_judged_by_a_choice_that_has_seen_its_task():
    """Who is right in one task alone is not chosen for that task by what is known of it."""
    tasks = 10
    gold = [[1], [-1]] * (tasks // 2)
    said = {"gold": gold, "a": gold, "b": [[-one[0]] for one in gold]}
    for at in range(tasks):
        swapped = {name: list(labels) for name, labels in said.items()}
        swapped["a"][at], swapped["b"][at] = said["b"][at], said["a"][at]
        chosen = next(one for one in board.compute(judged(swapped), resamples=10)["rows"] if one["key"] == "chosen")
        assert chosen["figures"]["step_acc"]["value"] == pytest.approx(1 - 1 / tasks)


def test_who_is_right_about_what_it_was_taught_with_is_not_chosen_for_that():
    gold = [[1], [-1]] * 10
    learnt = [one if at < 16 else [-one[0]] for at, one in enumerate(gold)]
    honest = [one if at % 3 else [-one[0]] for at, one in enumerate(gold)]
    said = {"gold": gold, "learnt": learnt, "honest": honest}
    for taught, first in ((None, "learnt"), ({"learnt": range(16)}, "honest")):
        result = board.compute(judged(said, taught=taught), resamples=10)
        chosen = next(one for one in result["rows"] if one["key"] == "chosen")["chosen"]["judges"]
        assert [one["name"] for one in chosen if one["whole"]] == [first]


def test_a_choice_takes_labels_to_learn_from():
    result = board.compute(judged({"gold": [[1]], "a": [[1]], "b": [[1]]}), resamples=10)
    assert "chosen" not in {one["key"] for one in result["rows"]}


def test_a_vote_without_a_winner_says_nothing():
    result = board.compute(judged({"gold": [[1], [1]], "a": [[1], [1]], "b": [[1], [0]]}), resamples=50)
    majority = next(one for one in result["rows"] if one["key"] == "majority")
    assert (majority["figures"]["coverage"]["value"], majority["figures"]["step_acc"]["value"]) == (0.5, 0.5)


def test_a_judge_that_is_wrong_in_a_way_that_people_teach_is_corrected():
    gold = [[1, -1, 0]] * 12 + [[1, 1, -1]] * 12
    swapped = [[{1: 0, 0: -1, -1: 1}[value] for value in steps] for steps in gold]
    result = board.compute(judged({"gold": gold, "judge": swapped, "true": gold}), resamples=50)
    found = {one["name"]: one for one in result["corrected"]}
    assert row(result, "judge")["figures"]["step_acc"]["value"] == 0.0
    assert found["judge"]["figures"]["step_acc"]["value"] == 1.0
    assert found["judge"]["beside"]["figures"]["step_acc"]["verdict"] == "better"
    assert found["judge"]["best"]["figures"]["step_acc"]["value"] == 0.0  # as good as the best
    assert found["true"]["figures"]["step_acc"]["value"] == 1.0


def test_a_correction_takes_labels_to_learn_from():
    assert measured({"judge": GOLD})["corrected"] == []


def test_the_features_of_a_step_do_not_look_ahead():
    ground = Ground(judged({"gold": [[1, 1, 1]], "judge": [[0, -1, 1]]}), official=False)
    (judge,) = ground.members()
    # Is 0, is -1; an earlier one is wrong; wrong so far; the logarithm of the step's number.
    assert layer.of_steps(ground, judge) == pytest.approx(
        np.array([[1, 0, 0, 0, 0], [0, 1, 0, 1 / 2, np.log(2)], [0, 0, 1, 1 / 3, np.log(3)]])
    )


def test_the_layer_is_the_regression_it_says_to_be():
    """One feature, two values: the slope of the penalised log-loss is 0 there."""
    features, labels = np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([0, 1, 1, 1])
    low, high = layer.fitted(features, labels, 2, np.array([[0.0], [1.0]]))[:, 1]
    # Standardised, the feature is -1 and +1; both weights move apart by w, each penalised by w²/2.
    assert low + high == pytest.approx(3 / 2, abs=1e-5)  # the intercept meets the mean
    apart = (np.log(high / (1 - high)) - np.log(low / (1 - low))) / 2
    assert 2 * (high - low) == pytest.approx(2 * (1 - 1 / 2) - apart / 2, abs=1e-5)


def test_only_tasks_that_the_reference_labelled_are_drawn():
    """What it did not label makes no interval wider or narrower."""
    said = {"gold": [[1], [-1], [1]], "judge": [[1], [1], [1]]}
    more = {"gold": [*said["gold"], None, None, None], "judge": [*said["judge"], [1], [1], [1]]}
    few, many = (row(board.compute(judged(one), resamples=200), "judge")["figures"] for one in (said, more))
    assert few == many
