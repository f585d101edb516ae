"""What scorers that draw continuations promise beside what all do, on invented, hostile and real trajectories."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from annotations.formats.base import Format
from annotations.formats.bigbench_mistake import BigBenchMistake
from annotations.formats.mr_ben import MRBen
from annotations.formats.processbench import ProcessBench
from annotations.records import TrajectoryRecord
from models_service.scorers.base import CannotScore, Partly, Scorer, agent_steps, checked
from models_service.scorers.reference import parts
from models_service.scorers.reference.spare import ReferenceAligned
from models_service.scorers.sampled.answering import is_right, spellings, stated
from models_service.scorers.sampled.backup import TreeBackup
from models_service.scorers.sampled.continuing import BLANK
from models_service.scorers.sampled.monte_carlo import MonteCarlo, RelativeProgress
from models_service.scorers.sampled.omega import FirstError
from models_service.scorers.sampled.scan import SelfDenoised
from tests.completing import Completer, solution, tree
from tests.contract.test_scorers import HOSTILE, RECORDS
from tests.unit.test_sampled import LEFT_AND_RIGHT
from tests.unit.test_spare import Aligner, reply

FULL = {"answer": "42", "solution": ["Six sevens.", "42."]}
MADE: list[Callable[[], Scorer]] = [
    lambda: MonteCarlo(Completer(able=0.6)),
    lambda: MonteCarlo(Completer(able=0.6), "hard"),
    lambda: RelativeProgress(Completer(able=0.6)),
    lambda: FirstError(Completer(able=0.6)),
    lambda: FirstError(Completer(able=0.6), full=True),
    lambda: SelfDenoised(Completer(able=0.6)),
    lambda: ReferenceAligned(Aligner(*[reply(*["correct"] * 9)] * 99)),
    lambda: TreeBackup(),
    lambda: TreeBackup("advantage"),
    lambda: TreeBackup("q"),
]
GIVEN = [
    *RECORDS,
    solution(6, wrong=4, reference=FULL),
    solution(3, reference=FULL),
    solution(1, reference=FULL),
    solution(3, end=HOSTILE, reference=FULL),
    LEFT_AND_RIGHT,
    tree(["a", "b", "c"], [0, 1, 1], [None, 1, 0]),
]


@pytest.fixture(params=MADE, ids=lambda make: type(make()).__name__)
def scorer(request: pytest.FixtureRequest) -> Scorer:
    made: Scorer = request.param()
    return made


def test_each_step_has_a_number_in_the_range_that_is_said_or_a_reason(scorer: Scorer) -> None:
    low, high = scorer.provenance["range"]
    numbers = 0
    for record, scored in zip(GIVEN, scorer.score(GIVEN), strict=True):
        told = checked(record, scored)
        if isinstance(told, CannotScore):
            assert str(told)
            continue
        left_out = told.unscored if isinstance(told, Partly) else {}
        assert sorted([*(one.index for one in told), *left_out]) == agent_steps(record)
        assert all(low <= one.value <= high and one.probability is None for one in told)
        json.dumps([one.detail for one in told])
        numbers += len(told)
    assert numbers


def test_the_same_trajectory_gets_the_same_scores_in_any_company(scorer: Scorer) -> None:
    for record in GIVEN[6:9]:
        [alone], [_, among, _] = scorer.score([record]), scorer.score([GIVEN[10], record, GIVEN[1]])
        assert str(alone) == str(among)


def test_each_reads_the_reference_and_is_kept_from_who_may_not_see_it(scorer: Scorer) -> None:
    assert scorer.reads_reference
    assert scorer.provenance["needs"] and scorer.provenance["options"]
    json.dumps(scorer.provenance)


def test_nothing_to_score_is_scored_with_nothing(scorer: Scorer) -> None:
    assert scorer.score([]) == []
    assert scorer.score([RECORDS[3]]) == [()]


def rows(path: Path) -> Any:
    text = gzip.decompress(path.read_bytes()).decode()
    return [json.loads(line) for line in text.splitlines()] if ".jsonl" in path.name else json.loads(text)


def read(form: Format, values: list[Any]) -> Iterator[TrajectoryRecord]:
    for value in values:
        yield from (one for one in form.records(value) if isinstance(one, TrajectoryRecord))


def real(data: Path, name: str) -> list[TrajectoryRecord]:
    """Solutions of one data set; where it names no answer, with one that they do not come to."""
    if name == "mr_ben":
        questions = rows(data / "mr_ben" / "math.json.gz").values()
        return [next(read(MRBen(), [{"question": value[:1]}])) for value in questions]
    records = list(read(ProcessBench(), rows(data / "processbench" / f"{name}.json.gz")))[:150]
    return [replace(one, task=replace(one.task, reference="no such answer")) for one in records]


@pytest.mark.data
@pytest.mark.parametrize("name", ["mr_ben", "math", "gsm8k"])
def test_real_solutions_are_continued_behind_their_own_words(shared_data: Path, name: str) -> None:
    """Nothing of later steps, of labels or of the reference is in what the completer reads."""
    for record in real(shared_data, name):
        completer = Completer()
        [found] = MonteCarlo(completer, count=1).score([record])
        checked(record, found)
        said = [step.message for step in record.steps if step.source == "agent"]
        for count, prompt in enumerate(completer.read, start=1):
            assert prompt.opening == "".join(step + BLANK for step in said[:count])
            [message] = prompt.messages
            assert message["content"].startswith(record.steps[0].message)
            assert message["content"].endswith("The answer is \\boxed{...}.")
        assert len(completer.read) in (len(said) - 1, len(said))


@pytest.mark.data
def test_a_benchmark_that_names_no_answer_is_not_applicable(shared_data: Path) -> None:
    completer = Completer()
    records = list(read(ProcessBench(), rows(shared_data / "processbench" / "gsm8k.json.gz")))
    assert len(records) == 400
    for found in MonteCarlo(completer).score(records):
        assert isinstance(found, CannotScore) and "holds no answer" in str(found)
    assert not completer.read


@pytest.mark.data
@pytest.mark.parametrize("name", ["multistep_arithmetic", "word_sorting", "tracking_shuffled_objects"])
def test_stated_answers_are_right_where_the_data_set_says_so(shared_data: Path, name: str) -> None:
    values = rows(shared_data / "bigbench_mistake" / f"{name}.jsonl.gz")
    differing = []
    for value, record in zip(values, read(BigBenchMistake(), values), strict=True):
        answer = stated(record.steps[-1].message)
        right = answer is not None and is_right(answer, spellings(parts.answers(record.task.reference)))
        if right != (value["answer"].strip() == value["target"].strip()):
            differing.append((answer, value["target"]))
    assert not differing
