"""The report of a project's consensus: what is accepted at what risk, and what is learnt of raters, by hand."""

from __future__ import annotations

import math
from array import array
from typing import Any

import numpy as np
import pytest

from annotations.consensus_table import ConsensusTable, Unit
from annotations.tables import TableRater
from models_service.statistics.consensus import mace, quality, report, risk
from models_service.statistics.consensus.comparing import EVERY
from models_service.statistics.consensus.votes import gathered
from models_service.statistics.consensus.voting import majority


def table(said: list[list[int | None]], gold: list[int | None] | None = None, tasks: int = 2) -> ConsensusTable:
    """Raters in columns, a unit a row, each a step of a trajectory of its own; values 1 and -1 by their places."""
    rows = [(unit, rater, value) for unit, row in enumerate(said) for rater, value in enumerate(row)]
    known = [(unit, rater, value) for unit, rater, value in rows if value is not None]
    names = tuple(TableRater(name, "human") for name in "abcdef"[: len(said[0]) if said else 0])
    right = [(unit, value) for unit, value in enumerate(gold or []) if value is not None]
    return ConsensusTable(
        name="label",
        title="Step",
        target="step",
        values=(1, -1),
        titles=("1", "-1"),
        raters=names,
        reference=TableRater("gold", "import") if gold else None,
        tasks=tuple(f"task {number}" for number in range(tasks)),
        units=[Unit(unit, f"t:{unit}", unit, 1, 1, "") for unit in range(len(said))],
        unit_task=array("i", (unit % tasks for unit in range(len(said)))),
        label_rater=array("i", (rater for _, rater, _ in known)),
        label_unit=array("i", (unit for unit, _, _ in known)),
        label_value=array("i", (value for _, _, value in known)),
        reference_unit=array("i", (unit for unit, _ in right)),
        reference_value=array("i", (value for _, value in right)),
    )


def method(result: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in result["methods"] if one["name"] == name)


def test_what_is_accepted_from_a_posterior_up_worked_by_hand():
    given = np.array([0.05, 0.2, 0.2, math.nan])
    wrong, known = np.array([False, False, True, True]), np.array([True, True, True, False])
    all_, half, sure, surest = risk.threshold_table(given, wrong, known, np.array([0, 0, 1, 2]), (0.0, 0.5, 0.9, 0.99))
    assert (all_["accepted"], all_["trajectories"], all_["coverage"]) == (3, 2, 0.75)
    assert (half["errors"], half["expected"], half["error"]) == pytest.approx((0.45, 0.15, 1 / 3))
    assert (sure["accepted"], sure["errors"], sure["checked"], sure["error"]) == (1, pytest.approx(0.05), 1, 0)
    nothing = {"accepted": 0, "coverage": 0, "expected": None, "trajectories": 0, "errors": 0, "checked": 0}
    assert surest == {"at": 0.99, **nothing, "error": None}


def test_a_label_of_just_that_posterior_is_accepted():
    (row,) = risk.threshold_table(np.array([1 - 0.7]), np.array([False]), np.array([True]), np.array([0]), (0.7,))
    assert row["accepted"] == 1


def test_where_the_truth_is_known_of_none_no_error_is_found():
    rows = risk.coverage_table(np.array([0.1, 0.2]), np.array([True, True]), (0.5, 1.0), np.array([True, False]))
    assert [row["error"] for row in rows] == [1, 1]
    rows = risk.coverage_table(np.array([0.1]), np.array([True]), (1.0,), np.array([False]))
    assert rows[0]["error"] is None


def test_what_each_calls_what_worked_by_hand():
    votes = gathered(np.array([[0, 0], [0, 1]], dtype=np.uint8), 2)
    first, second = quality.confusions(votes, majority(votes).posterior)
    assert first.tolist() == [[1.5, 0.5], [0, 0]]
    assert second.tolist() == [[1, 0], [0.5, 0.5]]
    shown = method(report.compute(table([[0, 0], [0, 1]]), resamples=0).result, "majority")["quality"]
    assert shown[1]["confusion"] == [pytest.approx([2 / 3, 1 / 3]), [0, 1]]


def test_who_guesses_is_trusted_less_and_who_says_nothing_not_at_all():
    truth = np.array([0, 1, 0, 1, 1, 0, 0, 1] * 4, dtype=np.uint8)
    labels = np.stack([truth, truth, truth, np.zeros_like(truth), np.full_like(truth, 2)], axis=1)
    for name in (mace.mace_vb, mace.mace_em):
        trust = name(gathered(labels, 2)).trust
        assert trust is not None
        assert trust[:3] == pytest.approx([trust[0]] * 3)
        assert trust[0] > 0.8 > 0.3 > trust[3]
        assert math.isnan(trust[4])


def test_a_posterior_of_one_that_is_right_is_calibrated_and_one_that_is_wrong_is_not():
    said: list[list[int | None]] = [[0, 0], [1, 1], [0, 0], [1, 1]]
    right = method(report.compute(table(said, [0, 1, 0, 1]), resamples=20).result, "majority")["calibration"]
    assert (right["steps"], right["ece"]["value"], right["brier"]["value"]) == (4, 0, 0)
    wrong = method(report.compute(table(said, [1, 0, None, None]), resamples=20).result, "majority")["calibration"]
    assert (wrong["steps"], wrong["ece"]["value"], wrong["brier"]["value"]) == (2, 1, 1)
    assert wrong["auroc"]["value"] is None and wrong["auroc"]["reason"]


def test_the_least_sure_come_first_and_ties_before_all():
    found = method(report.compute(table([[0, 0, 0], [0, 1, None], [0, 0, 1]]), resamples=0).result, "majority")
    assert [one["trajectory"] for one in found["doubtful"]] == [1, 2, 0]
    tie, two, _ = found["doubtful"]
    assert (tie["label"], tie["posterior"], tie["said"]) == (None, 0.5, {"1": 1, "-1": 1})
    assert (two["label"], two["posterior"]) == ("1", pytest.approx(2 / 3))


def test_a_step_that_only_the_reference_labelled_is_nobodys_doubt():
    result = report.compute(table([[None, None], [0, 0], [1, 1]], [0, 0, 1]), resamples=0).result
    found = method(result, "dawid_skene")
    assert (found["silent"], found["decided"], len(found["doubtful"])) == (1, 2, 2)
    assert found["accuracy"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([], "Nobody labelled anything."),
        ([[0], [1]], "There are not two raters who labelled anything."),
        ([[0, 0], [0, 0]], "All labels are one and the same value"),
        ([[0, None], [None, 1]], "No step has labels from two raters."),
    ],
)
def test_what_cannot_be_fitted_says_why_and_is_null(said, reason):
    result = report.compute(table(said), resamples=0).result
    reasons = {one["name"]: one["reason"] for one in result["methods"]}
    assert any(one.startswith(reason) for one in reasons.values()), reasons
    broken = next(one for one in result["methods"] if one["reason"])
    assert (broken["accuracy"], broken["quality"], broken["thresholds"], broken["doubtful"]) == (None, [], [], [])


def test_every_unit_has_a_line_with_every_method():
    found = report.compute(table([[0, 0], [0, 1], [1, 1]], [0, 0, 1]), resamples=0)
    lines = list(found.lines())
    assert [sorted(line) for line in lines] == [sorted(EVERY)] * 3
    assert lines[1]["majority"] == {"label": None, "posterior": [0.5, 0.5]}
    assert lines[0]["majority"] == {"label": 0, "posterior": [1.0, 0.0]}
