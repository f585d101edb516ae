"""Drift of features: the index by hand, and what a model says of steps unlike those it learned from."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models_service.scorers.drift import Drift
from models_service.scorers.linear import fit
from models_service.statistics.stability import stability_index


def test_the_index_by_hand() -> None:
    # With a million rows the half row matters nothing: (.5 - .25)·ln 2 + (.5 - .75)·ln(2/3)
    expected = 0.25 * math.log(2) - 0.25 * math.log(2 / 3)
    assert stability_index([0.25, 0.75], [0.5, 0.5], 1e6, 1e6) == pytest.approx(expected, abs=1e-5)


def test_half_a_row_is_given_to_each_bin() -> None:
    # before (1.5, 1.5)/3, now (2.5, .5)/3
    by_hand = (2.5 / 3 - 0.5) * math.log(5 / 3) + (0.5 / 3 - 0.5) * math.log(1 / 3)
    assert stability_index([0.5, 0.5], [1.0, 0.0], 2, 2) == pytest.approx(by_hand)


def test_nothing_moved_is_nought_and_no_rows_are_undefined() -> None:
    assert stability_index([0.2, 0.8], [0.2, 0.8], 10, 10) == 0
    assert math.isnan(stability_index([0.2, 0.8], [0.0, 0.0], 10, 0))
    with pytest.raises(ValueError, match="2 bins before, 3 now"):
        stability_index([0.5, 0.5], [0.2, 0.3, 0.5], 1, 1)


def test_the_feature_that_moved_is_named_first() -> None:
    random = np.random.default_rng(1)
    values, labels = random.normal(size=(300, 2)), random.integers(-1, 2, 300)
    drift = Drift(fit(values, labels, ("stays", "moves"), 1, steps=300))
    drift.add([values[:150] + [0, 3.0], values[150:] + [0, 3.0], np.zeros((0, 2))])
    report = drift.report()
    assert [one["feature"] for one in report["most"]] == ["moves", "stays"]
    assert report["most"][0]["index"] > 1 > 0.01 > report["most"][1]["index"]
    assert (report["moved"], report["shifting"], report["steps"], report["trajectories"]) == (1, 0, 300, 3)


def test_of_steps_like_those_learned_from_nothing_moved() -> None:
    random = np.random.default_rng(2)
    values, labels = random.normal(size=(300, 3)), random.integers(-1, 2, 300)
    drift = Drift(fit(values, labels, tuple("abc"), 1, steps=300))
    drift.add([values])
    assert [one["index"] for one in drift.report()["most"]] == [0, 0, 0]
