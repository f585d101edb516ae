"""Evidence and progress by rules: support, density, sufficiency, leakage, segments, and series of numbers."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers.base import CannotScore
from models_service.scorers.evidence.retrieval import InformationDensity, Leakage, Sufficiency, dates
from models_service.scorers.evidence.support import Support
from models_service.scorers.progress.segments import ElapsedTime, SegmentBudgets
from models_service.statistics import series


def step(message: str = "", *seen: Any, source: str = "agent") -> StepRecord:
    return StepRecord(source, 0, message, observations=tuple({"content": one} for one in seen))


def said(scorer: Any, *steps: StepRecord, reference: Any = None) -> Any:
    [found] = scorer.score([TrajectoryRecord(TaskRecord("t", instruction="Who built it?", reference=reference), steps)])
    return found


def values(*arguments: Any, **more: Any) -> list[float]:
    return [one.value for one in said(*arguments, **more)]


def test_a_sentence_is_supported_where_enough_of_its_words_were_seen_before() -> None:
    steps = [
        step("", "Gustave Eiffel built the tower in Paris."),
        step("Gustave Eiffel built the tower. Napoleon painted every horse blue.\nYes."),
    ]
    assert values(Support(), *steps) == [1, 0.5]
    assert said(Support(), *steps)[0].detail["flags"] == ["nothing to check"]
    [why] = said(Support(), *steps)[1].detail["why"]
    assert "not seen: blue, every, horse, napoleon, painted" in why["feature"]


def test_two_useful_passages_of_five_are_a_density_of_two_fifths() -> None:
    five = [f"Passage about {name} here" for name in ("Rome", "Oslo", "Lima", "Cairo", "Quito")]
    assert values(InformationDensity(), step("", five), step("Rome and Lima.")) == [0.4, 1]


def test_what_was_known_before_makes_no_passage_useful() -> None:
    steps = [step("I look up Rome.", "Rome again"), step("It is Rome.")]
    assert values(InformationDensity(), *steps) == [0, 1]


def test_what_was_seen_suffices_from_the_step_on_that_shows_the_answer() -> None:
    steps = [step("", "Nothing."), step("", "It was Gustave Eiffel."), step("Done.")]
    assert values(Sufficiency(), *steps, reference={"answer": "gustave eiffel"}) == [0, 1, 1]
    assert "holds no answer" in str(said(Sufficiency(), *steps))


def test_a_passage_from_after_the_cut_off_is_named() -> None:
    steps = [step("", "On 2026-03-02 it rose.", "On 1 March 2026 it fell."), step("Done.")]
    found = said(Leakage("2026-03-01"), *steps)
    assert [one.value for one in found] == [0.5, 1]
    assert found[0].detail["why"] == [{"feature": "On 2026-03-02 it rose.: names 2026-03-02", "contribution": -0.5}]
    with pytest.raises(ValueError, match="isoformat"):
        Leakage("soon")


def test_days_are_read_in_three_spellings() -> None:
    assert dates("2026-02-03, 4th Feb 2026; March 5, 2026 and 2026-13-01 or Foo 1, 2026") == [
        date(2026, 2, 3), date(2026, 2, 4), date(2026, 3, 5),
    ]  # fmt: skip


@pytest.mark.parametrize("scorer", [Support(), InformationDensity(), Leakage("2026-01-01")])
def test_where_nothing_was_observed_there_is_no_score(scorer: Any) -> None:
    assert isinstance(found := said(scorer, step("Hello there, old friend.")), CannotScore)
    assert "not applicable: nothing was observed" in str(found)


@given(st.lists(st.text(max_size=80), max_size=4), st.text(max_size=200))
def test_any_texts_have_a_share_between_none_and_all(seen: list[str], message: str) -> None:
    for scorer in (Support(), InformationDensity(), Leakage("2026-01-01")):
        found = said(scorer, step(message, *seen), step(message))
        assert isinstance(found, CannotScore) or all(0 <= one.value <= 1 for one in found)


def test_time_passes_in_equal_parts() -> None:
    assert values(ElapsedTime(), *[step()] * 4) == [0.25, 0.5, 0.75, 1]


def test_segments_have_budgets_that_sum_to_one() -> None:
    user = step("Go on.", source="user")
    steps = [user, step(), user, step(), step(), user]
    assert values(SegmentBudgets(), *steps) == pytest.approx([0.5, 0.75, 1])
    assert values(SegmentBudgets([0.2, 0.8]), *steps) == pytest.approx([0.2, 0.6, 1])
    assert "budgets for 1 segments, and it has 2" in str(said(SegmentBudgets([1.0]), *steps))
    with pytest.raises(ValueError, match="sum to 1"):
        SegmentBudgets([0.5])


def test_a_series_worked_by_hand() -> None:
    numbers = [0.0, 1.0, 0.0, 1.0, 0.5]
    # Differences 1, -1, 1, -0.5: mean 0.125, squares about it 0.765625 + 1.265625 + 0.765625 + 0.390625.
    assert series.volatility(numbers).value == pytest.approx((3.1875 / 4) ** 0.5)
    assert series.trend(numbers).value == pytest.approx((-2 * 0 - 1 * 1 + 1 * 1 + 2 * 0.5) / 10)
    assert series.steady_state(numbers).value == 0.5
    assert series.gains([0.2, 0.1, 0.5]) == pytest.approx([0.2, 0, 0.3])
    assert [one([0.5]).value for one in (series.volatility, series.trend)] == [None, None]
    assert series.steady_state([]).reason == "there are no numbers"
    assert series.gains([]) == []


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=20))
def test_the_trend_is_that_of_a_fitted_line(numbers: list[float]) -> None:
    assert series.trend(numbers).value == pytest.approx(np.polyfit(range(len(numbers)), numbers, 1)[0], abs=1e-9)
