"""What every scorer promises, held for each entry this repository ships or tests with."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from django.conf import settings

from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers import load
from models_service.scorers.base import CannotScore, Scorer, agent_steps, checked
from models_service.scorers.engine import Engine
from tests import tiny

HOSTILE = "<script>alert(1)</script> <extra_0> <|im_end|> \x07 \u202e ☃ '; DROP TABLE steps; --"


def rollout(task: str, number: int, steps: int, text: str = "I look.") -> TrajectoryRecord:
    turns = [StepRecord("system", 0, message="Be brief."), StepRecord("user", 1, message="What is 2+2?")]
    for place in range(steps):
        called = ({"id": "c", "name": "add", "arguments": '{"a": 2}'},) if place < steps - 1 else ()
        saw = ({"tool_call_id": "c", "content": "4"},) if called else ()
        turns.append(StepRecord("agent", 2 + 2 * place, message=text, tool_calls=called, observations=saw))
        if place == 0:
            turns.append(StepRecord("user", 99, message="Go on."))
    return TrajectoryRecord(TaskRecord(task), tuple(turns), external_id=f"{task}:{number}", rollout=number)


RECORDS = [
    rollout("a", 0, 3),
    rollout("a", 1, 1),
    rollout("b", 0, 2, HOSTILE),
    rollout("c", 0, 0),
    rollout("d", 0, 2, ""),
    rollout("e", 0, 2, "long " * 3000),
]


@pytest.fixture(scope="module", params=[*settings.SCORERS, "token classification"])
def scorer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    if request.param in settings.SCORERS:
        return load(request.param)
    folder: Path = tiny.classifier(tmp_path_factory.mktemp("prm"))
    return Engine(str(folder), "trl", device="cpu")


def test_one_finite_score_for_each_agent_step_in_order_or_a_reason(scorer: Scorer) -> None:
    said = scorer.score(RECORDS)
    assert len(said) == len(RECORDS)
    for record, scored in zip(RECORDS, said, strict=True):
        if isinstance(scored, CannotScore):
            assert str(scored)
            continue
        assert [one.index for one in checked(record, scored)] == agent_steps(record)
        assert all(0 <= one.value <= 1 for one in scored)
        assert all(one.detail["flags"] == [] for one in scored)


def test_the_same_trajectory_gets_the_same_scores_in_any_company(scorer: Scorer) -> None:
    company = [RECORDS[4], RECORDS[0], RECORDS[2], RECORDS[1]]
    alone = scorer.score([RECORDS[0], RECORDS[1]])[0]
    among = scorer.score(company)[1]
    assert [one.value for one in alone] == pytest.approx([one.value for one in among], abs=1e-5)


def test_nothing_to_score_is_scored_with_nothing(scorer: Scorer) -> None:
    assert scorer.score([]) == []
    assert scorer.score([RECORDS[3]]) == [()]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_score_that_is_no_number_is_not_let_through(value: float) -> None:
    from annotations.records import StepScore

    with pytest.raises(AssertionError):
        checked(RECORDS[1], (StepScore(2, value),))


def test_a_missing_or_misplaced_score_is_not_let_through() -> None:
    from annotations.records import StepScore

    for scores in ((), (StepScore(1, 0.5),), (StepScore(2, 0.5), StepScore(2, 0.5)), (StepScore(2, 0.5, 1.5),)):
        with pytest.raises(AssertionError):
            checked(RECORDS[1], scores)
