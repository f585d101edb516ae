"""What scorers without a model promise beside what all do: range and needs said, and reasons in place of numbers."""

from __future__ import annotations

import pytest

from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers.base import CannotScore, agent_steps, checked
from models_service.scorers.checks.arithmetic import Arithmetic
from models_service.scorers.checks.python_code import PythonSyntax
from models_service.scorers.checks.tool_arguments import ToolArguments
from models_service.scorers.evidence.retrieval import InformationDensity, Leakage, Sufficiency
from models_service.scorers.evidence.support import Support
from models_service.scorers.progress.segments import ElapsedTime, SegmentBudgets
from models_service.scorers.reference.coverage import EntityCoverage, HopCoverage
from models_service.scorers.reference.matching import MatchedCalls
from models_service.scorers.ruled import RuledScorer
from tests.contract.test_scorers import RECORDS

REFERENCE = {"calls": [{"name": "add", "arguments": {"a": 2}}], "answer": "4", "entities": ["4"], "hops": ["4"]}
WITH_ALL = TrajectoryRecord(
    TaskRecord("full", instruction="What is 2 + 2?", reference=REFERENCE, tools=[{"name": "add", "parameters": {}}]),
    (
        StepRecord("user", 0, message="What is 2 + 2?"),
        StepRecord(
            "agent",
            1,
            message="I add: 2 + 2 = 4.\n```python\nprint(2 + 2)\n```",
            tool_calls=({"id": "c", "name": "add", "arguments": '{"a": 2}'},),
            observations=({"tool_call_id": "c", "content": "The sum is 4, on 2026-01-01."},),
        ),
        StepRecord("agent", 3, message="The answer is 4"),
    ),
)
SCORERS = [
    Arithmetic(),
    ElapsedTime(),
    EntityCoverage(),
    EntityCoverage(weight=0.5),
    HopCoverage(),
    InformationDensity(),
    Leakage("2026-01-01"),
    MatchedCalls(),
    MatchedCalls("greedy", -0.5),
    MatchedCalls("soft"),
    PythonSyntax(),
    SegmentBudgets(),
    Sufficiency(),
    Support(),
    ToolArguments(),
]


@pytest.fixture(params=SCORERS, ids=lambda one: type(one).__name__)
def scorer(request: pytest.FixtureRequest) -> RuledScorer:
    found: RuledScorer = request.param
    return found


def test_each_step_has_a_number_in_the_range_that_is_said_or_the_trajectory_a_reason(scorer: RuledScorer) -> None:
    low, high = scorer.range
    for record, scored in zip(RECORDS, scorer.score(RECORDS), strict=True):
        if isinstance(scored, CannotScore):
            assert str(scored).startswith(f"{scorer.title} not applicable: ")
            continue
        assert [one.index for one in checked(record, scored)] == agent_steps(record)
        assert all(low <= one.value <= high and one.probability is None for one in scored)


def test_where_nothing_is_missing_there_are_numbers(scorer: RuledScorer) -> None:
    [scored] = scorer.score([WITH_ALL])
    if isinstance(scored, CannotScore):
        assert isinstance(scorer, PythonSyntax) and "namespace" in str(scored)
    else:
        assert len(checked(WITH_ALL, scored)) == 2


def test_only_what_reads_the_reference_changes_with_it(scorer: RuledScorer) -> None:
    without = TrajectoryRecord(
        TaskRecord("full", instruction="What is 2 + 2?", tools=WITH_ALL.task.tools), WITH_ALL.steps
    )
    [with_it], [without_it] = scorer.score([WITH_ALL]), scorer.score([without])
    if scorer.reads_reference:
        assert isinstance(without_it, CannotScore)
    else:
        assert str(with_it) == str(without_it)


def test_range_needs_and_options_are_kept_with_a_run(scorer: RuledScorer) -> None:
    said = scorer.provenance
    assert said["range"] == list(scorer.range) and said["options"] == vars(scorer)
    assert scorer.needs or isinstance(scorer, ElapsedTime | SegmentBudgets)


def test_nothing_to_score_is_scored_with_nothing(scorer: RuledScorer) -> None:
    assert scorer.score([]) == []
    assert scorer.score([RECORDS[3]]) == [()]
