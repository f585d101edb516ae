"""What every scorer by belief promises, with a real language model of random weights and hostile records."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from annotations import jobs
from annotations.models import Run, Score
from annotations.records import StepRecord, TrajectoryRecord
from models_service.scorers.base import CannotScore, Partly, agent_steps, checked
from models_service.scorers.belief.base import BeliefScorer
from models_service.scorers.belief.confidence import AnswerConfidence
from models_service.scorers.belief.consensus import Consensus
from models_service.scorers.belief.dimensions import Dimensions
from models_service.scorers.belief.gains import GainReturns, InformationGain, InformationPotential, OwnGain
from models_service.scorers.belief.hindsight import AnswerHindsight, ReplyHindsight, StepLikelihood
from models_service.scorers.belief.knowing import AnswerTrue, Knows
from models_service.scorers.belief.paths import PathFaithfulness
from models_service.scorers.belief.potential import StepPotential
from models_service.scorers.belief.ratios import PolicyRatio
from models_service.scorers.belief.segments import SegmentProgress
from models_service.scorers.belief.surprise import Surprise
from models_service.scorers.language.local import LocalModel
from models_service.scorers.train_prior import lessons
from tests import make, tiny
from tests.contract.test_scorers import RECORDS, rollout
from tests.served import Served

Made = Callable[..., BeliefScorer]
SCORERS: list[tuple[Made, dict[str, Any]]] = [
    (InformationGain, {}),
    (InformationGain, {"chat": False, "normalisation": "product"}),
    (InformationPotential, {}),
    (GainReturns, {}),
    (GainReturns, {"by": "a2tgpo", "discount": 0.9}),
    (OwnGain, {}),
    (SegmentProgress, {}),
    (StepPotential, {"continuations": 2, "length": 3}),
    (Consensus, {}),
    (Consensus, {"same": "entailment", "eta": 1.0}),
    (PathFaithfulness, {}),
    (PathFaithfulness, {"write": True}),
    (AnswerHindsight, {}),
    (ReplyHindsight, {}),
    (StepLikelihood, {}),
    (Surprise, {}),
    (PolicyRatio, {"beta": 0.05}),
    (AnswerTrue, {"others": True}),
    (Knows, {"chat": False}),
    (AnswerConfidence, {}),
    (Dimensions, {}),
]
REFERENCE = {"answer": ["4", "four"], "solution": ["Two and two.", "That is 4."]}


def referenced(record: TrajectoryRecord, reference: Any = REFERENCE) -> TrajectoryRecord:
    return replace(record, task=replace(record.task, reference=reference))


def tree() -> TrajectoryRecord:
    steps = tuple(
        StepRecord("agent", 1, message=f"I try {at}.", parent=parent) for at, parent in enumerate([None, 1, 1])
    )
    return replace(rollout("t", 0, 0), steps=(StepRecord("user", 0, message="Which?"), *steps))


HOSTILE = [
    referenced(one) for one in [*RECORDS, tree(), rollout("a", 2, 2, "\ud83d\ude00 {answer} {} %s \\boxed{4} <|end|>")]
]


@pytest.fixture(scope="module")
def language(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    return LocalModel(str(tiny.reward_model(tmp_path_factory.mktemp("language"), {})), device="cpu")


@pytest.fixture(params=SCORERS, ids=lambda one: f"{one[0].__name__}{list(one[1].values()) or ''}")
def scorer(request: pytest.FixtureRequest, language: LocalModel) -> BeliefScorer:
    made, options = request.param
    return made(language, **options, **({"against": language} if made is PolicyRatio else {}))


def test_each_step_has_a_finite_number_in_the_range_that_is_said_or_a_reason(scorer: BeliefScorer) -> None:
    low, high = scorer.range
    for record, said in zip(HOSTILE, scorer.score(HOSTILE), strict=True):
        if isinstance(said, CannotScore):
            assert str(said)
            continue
        checked(record, said)
        assert len(said) == len(agent_steps(record)) or isinstance(said, Partly)
        for one in said:
            assert one.probability is None and math.isfinite(one.value)
            assert low is None or low - 1e-9 <= one.value
            assert high is None or one.value <= high + 1e-9
            json.dumps(one.detail, allow_nan=False)


def test_there_are_numbers_where_nothing_is_missing(scorer: BeliefScorer) -> None:
    said, _ = scorer.score([referenced(rollout("full", at, 3, f"So I look. The answer is {at}")) for at in (4, 5)])
    if isinstance(scorer, PathFaithfulness) and isinstance(said, CannotScore):
        assert scorer.write
    else:
        assert not isinstance(said, CannotScore) and said


def test_only_those_that_read_the_reference_need_it_and_change_with_it(scorer: BeliefScorer) -> None:
    records = [rollout("full", at, 2, f"So I look. The answer is {at}") for at in (4, 5)]
    bare, held = scorer.score(records), scorer.score([referenced(one) for one in records])
    if scorer.reads_reference:
        assert str(bare[0]) == f"{scorer.title} not applicable: the task's reference holds no answer"
    else:
        assert str(bare) == str(held)


def test_company_and_order_change_nothing(scorer: BeliefScorer) -> None:
    records = [referenced(rollout("b", at, at, f"So I look. The answer is {at}")) for at in (1, 2, 3)]
    forth, back = scorer.score(records), scorer.score(records[::-1])[::-1]
    for one, other in zip(forth, back, strict=True):
        if isinstance(one, CannotScore):
            assert str(one) == str(other)
        else:
            assert [s.value for s in one] == pytest.approx([s.value for s in other], abs=2e-3)


def test_nothing_to_score_is_scored_with_nothing(scorer: BeliefScorer) -> None:
    assert scorer.score([]) == []
    assert scorer.score([referenced(RECORDS[3])]) == [()]


def test_what_scores_come_from_can_be_kept(scorer: BeliefScorer) -> None:
    said = scorer.provenance
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    assert said["range"] == list(scorer.range) and said["models"][0]["sha256"]
    assert isinstance(scorer.title, str) and isinstance(scorer.needs, str)


@pytest.mark.data
def test_real_traces_of_agents_are_read_and_said_to_be_shortened(language: LocalModel, shared_data: Path) -> None:
    path = shared_data / "agentprocessbench" / "trajectories" / "hotpotqa_q00-29.jsonl.gz"
    rollouts = [one for lesson in lessons(path)[:1] for one in lesson.rollouts]
    for made in (InformationGain, StepLikelihood):
        scored = made(language, max_tokens=400, answers=1).score(rollouts)
        for record, said in zip(rollouts, scored, strict=True):
            assert isinstance(said, CannotScore) or checked(record, said)
        flags = {
            flag for said in scored if not isinstance(said, CannotScore) for one in said for flag in one.detail["flags"]
        }
        assert flags & {"observations shortened", "read in a window"}


@pytest.mark.django_db
def test_a_run_keeps_scores_without_probabilities_that_say_what_was_read(tmp_path: Path, settings: Any) -> None:
    folder = str(tiny.reward_model(tmp_path, {}))
    names = {"gain": "gains.InformationGain", "reply": "hindsight.ReplyHindsight", "knows": "knowing.Knows"}
    settings.SCORERS = settings.SCORERS | {
        name: {
            "title": name,
            "class": f"models_service.scorers.belief.{kind}",
            "options": {"language": {"folder": folder, "device": "cpu"}},
        }
        for name, kind in names.items()
    }
    project = make.project()
    trajectory = make.trajectory(project, steps=2)
    trajectory.task.reference = {"answer": "4"}
    trajectory.task.save(update_fields=["reference"])
    for name in names:
        run = jobs.run_here(Run.objects.create(project=project, kind=Run.Kind.SCORE, config={"scorer": name}))
        assert run.state == Run.State.DONE, run.error
        found = Score.objects.filter(run=run)
        assert len(found) == (0 if name == "reply" else 2)
        assert {one.probability for one in found} <= {None}
        assert all(("reads the reference" in one.detail["flags"]) == (name == "gain") for one in found)


def test_what_was_asked_is_counted(language: LocalModel) -> None:
    before = InformationGain(language).usage["calls"]
    scorer = InformationGain(language)
    scorer.score([referenced(rollout("x", 0, 2))])
    assert scorer.usage["calls"] == before + 6  # two answers at three places


@pytest.mark.parametrize("chat", [True, False])
@pytest.mark.parametrize("made", [InformationGain, AnswerHindsight, Knows])
def test_a_served_model_believes_what_it_believes_from_its_folder(made: Made, chat: bool, tmp_path: Path) -> None:
    folder = tiny.reward_model(tmp_path, {})
    records = [referenced(rollout("x", at, 2, said), "4") for at, said in enumerate(["So I look. It is 4", "<|end|>"])]
    with Served(folder, limit=1024) as server:
        there = made({"server": server.url, "model": "tiny"}, chat=chat)
        here = made({"folder": str(folder), "device": "cpu"}, chat=chat)
        for one, other in zip(there.score(records), here.score(records), strict=True):
            assert not isinstance(one, CannotScore) and not isinstance(other, CannotScore)
            assert [step.detail["flags"] for step in one] == [step.detail["flags"] for step in other]
            assert [step.value for step in one] == pytest.approx([step.value for step in other], abs=1e-4)
        assert there.usage["prompt_tokens"] > 0


def test_a_scorer_is_made_of_how_its_model_is_reached(tmp_path: Path) -> None:
    folder = tiny.reward_model(tmp_path, {})
    scorer = InformationGain({"folder": str(folder), "device": "cpu"})
    [said] = scorer.score([referenced(rollout("x", 0, 1))])
    assert not isinstance(said, CannotScore) and len(said) == 1
