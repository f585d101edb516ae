"""On a real model that has learned to read sums, the belief in the right answer rises where it is worked out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from models_service.scorers.base import Scored
from models_service.scorers.belief.consensus import Consensus
from models_service.scorers.belief.gains import InformationGain
from models_service.scorers.belief.segments import SegmentProgress
from models_service.scorers.language.local import LocalModel
from tests import sums

OPTIONS = {"chat": False, "closing": sums.CLOSING}


@pytest.fixture(scope="module")
def language(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    return LocalModel(str(sums.model(tmp_path_factory.mktemp("sums"))), device="cpu")


def auroc(right: Sequence[float], wrong: Sequence[float]) -> float:
    pairs = [(one > other) + 0.5 * (one == other) for one in right for other in wrong]
    return sum(pairs) / len(pairs)


def at(scored: Sequence[Scored], place: int, kept: Sequence[bool], wanted: bool = True) -> list[float]:
    return [row[place].value for row, right in zip(scored, kept, strict=True) if right == wanted]


@pytest.mark.parametrize("normalisation", ["mean-log", "product"])
def test_gains_tell_steps_that_work_out_the_answer_from_those_that_err(language, normalisation):
    records, right = sums.records(60, seed=99)
    scored = InformationGain(language, normalisation=normalisation, **OPTIONS).score(records)
    adding = at(scored, sums.PLACE, right)
    assert auroc(adding, at(scored, sums.PLACE, right, wanted=False)) > 0.9
    idle = [*at(scored, 0, right), *at(scored, 1, right)]
    assert auroc(adding, idle) > 0.8
    assert sum(adding) / len(adding) > 0.2 > abs(sum(idle) / len(idle))


def test_progress_by_segments_is_the_same_sum_where_steps_begin_where_others_end(language):
    records, _ = sums.records(6, seed=99)
    gains = InformationGain(language, **OPTIONS).score(records)
    for one, other in zip(SegmentProgress(language, **OPTIONS).score(records), gains, strict=True):
        assert [step.value for step in one] == pytest.approx([step.value for step in other], abs=1e-4)


def test_consensus_finds_no_error_that_a_rollout_believes_in_itself(language):
    """The belief in its own answer rises in a wrong rollout as in a right one: only its siblings tell them apart."""
    records, right = sums.records(20, seed=99)
    said = [_answering(one) for one in records]
    scored = Consensus(language, **OPTIONS).score(said)
    assert auroc(at(scored, sums.PLACE, right), at(scored, sums.PLACE, right, wanted=False)) < 0.8


def _answering(record):
    *before, last = record.steps
    told = record.steps[1 + sums.PLACE].message.split("= ")[1]
    return replace(record, steps=(*before, replace(last, message=f"The answer is {told}")))
