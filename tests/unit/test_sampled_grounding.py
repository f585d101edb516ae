"""Verdicts of tools and outcomes, joined as GroundedPRM does."""

from __future__ import annotations

import math

import pytest

from models_service.statistics.grounding import Grounded, grounded, reward, upper_bound


def test_a_reward_is_the_mean_of_later_verdicts_and_the_outcome() -> None:
    verdicts = [1, -1, 1, 1]
    assert reward(verdicts, 1, 0) == pytest.approx(1 / 3 + 1)
    assert reward(verdicts, -1, 1, beta=0.5) == pytest.approx(1 - 0.5)
    assert reward(verdicts, 1, 0, weights=[2, 1, 1]) == pytest.approx(0 + 1)
    assert reward(verdicts, -1, 3) == -1


def test_the_verdict_stays_the_label_whatever_the_rollouts_say() -> None:
    assert grounded(-1, [2.0, 1.0]) == Grounded(-1, 1.5)
    assert grounded(1, []) is None


def test_what_is_no_verdict_is_refused() -> None:
    with pytest.raises(ValueError, match="1 or -1"):
        reward([1, 0], 1, 0)
    with pytest.raises(ValueError, match="weights"):
        reward([1, 1, 1], 1, 0, weights=[1])


def test_what_was_never_visited_comes_first() -> None:
    assert upper_bound(0.1, 0, 10) == math.inf
    assert upper_bound(0.5, 4, 16, 1.0) == pytest.approx(0.5 + math.sqrt(math.log(16) / 4))
    assert upper_bound(0.5, 1, 1) == 0.5
