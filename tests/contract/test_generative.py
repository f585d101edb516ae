"""What every way of asking a language model for verdicts promises, with a tiny model through the real code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers.base import CannotScore, Partly, Scored, agent_steps, checked
from models_service.scorers.generative import VERIFIERS
from models_service.scorers.generative.scorer import GenerativeScorer
from models_service.scorers.generative.web_shepherd import WebShepherd
from models_service.scorers.language.asked import Prompt
from models_service.scorers.language.local import LocalModel
from tests import tiny
from tests.contract.test_families import HOSTILE

torch = pytest.importorskip("torch")


def record(*messages: str, name: str = "t", **more: Any) -> TrajectoryRecord:
    steps = (StepRecord("agent", number, message=one, **more) for number, one in enumerate(messages, 1))
    return TrajectoryRecord(TaskRecord(name), (StepRecord("user", 0, message="Add 2 and 2."), *steps), external_id=name)


CALL = {"id": "1", "name": "search", "arguments": '{"query": "2 + 2"}'}
RECORDS = [
    record("I look.", "Then I say it: 4."),
    record("I look.", tool_calls=(CALL,), observations=({"content": "4 " * 2000},)),
    record(HOSTILE, HOSTILE),
    record("", "x"),
    TrajectoryRecord(TaskRecord("none"), (StepRecord("user", 0, message="q"),)),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny.reward_model(tmp_path_factory.mktemp("asked"), {}, max_position_embeddings=8192)


@pytest.fixture(scope="module", params=[*sorted(VERIFIERS), "thinkprm prefix"])
def judge(request: pytest.FixtureRequest, folder: Path) -> GenerativeScorer:
    name, _, form = request.param.partition(" ")
    options = {"form": form} if form else {}
    return GenerativeScorer(
        name, {"folder": str(folder), "device": "cpu"}, most=12, characters=1200, samples=2, temperature=1.0, **options
    )


@pytest.fixture(scope="module")
def found(judge: GenerativeScorer) -> list[Scored]:
    return judge.score(RECORDS)


def test_each_agent_step_gets_one_finite_score_or_the_trajectory_says_why_not(
    judge: GenerativeScorer, found: list[Scored]
) -> None:
    low, high = judge.verifier.range
    for one, said in zip(RECORDS, found, strict=True):
        if isinstance(said, CannotScore):
            assert len(str(said)) > 10
            continue
        left_out = said.unscored if isinstance(said, Partly) else {}
        told = checked(one, said)
        assert not isinstance(told, CannotScore)
        assert [step.index for step in told] == [place for place in agent_steps(one) if place not in left_out]
        assert all(low <= step.value <= high and step.probability is None for step in said)
    assert found[-1] == ()


def test_the_forms_whose_place_of_judgement_is_known_score_everything(
    judge: GenerativeScorer, found: list[Scored]
) -> None:
    if judge.verifier.options.get("form") == "prefix":
        assert not any(isinstance(one, CannotScore) for one in found)


def test_company_changes_nothing(judge: GenerativeScorer, found: list[Scored]) -> None:
    again = [judge.score([one])[0] for one in RECORDS[:3]]
    for alone, together in zip(again, found, strict=False):
        if isinstance(alone, CannotScore) or isinstance(together, CannotScore):
            assert str(alone) == str(together)
        else:
            assert [step.value for step in alone] == pytest.approx([step.value for step in together], abs=1e-4)


def test_no_text_of_a_trajectory_becomes_a_special_token(
    judge: GenerativeScorer, found: list[Scored], monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(judge.verifier, WebShepherd):  # which, without a list, asks for nothing more
        for task in judge.verifier.lists:
            monkeypatch.setitem(judge.verifier.lists, task, ("The sum is said.",))
    language = judge.language
    assert isinstance(language, LocalModel)
    ids, asked = language.ids, list[Prompt]()
    monkeypatch.setattr(language, "ids", lambda prompt: asked.append(prompt) or ids(prompt))
    judge.score([record(HOSTILE, HOSTILE, observations=({"content": HOSTILE},))])
    special = set(language.tokenizer.get_added_vocab().values())
    assert asked
    for prompt in asked:
        bare = Prompt(tuple({**one, "content": "x"} for one in prompt.messages), "x")
        assert [one for one in ids(prompt) if one in special] == [one for one in ids(bare) if one in special]


def test_what_was_asked_is_told(judge: GenerativeScorer, found: list[Scored]) -> None:
    assert judge.usage["calls"] > 0 and judge.usage["prompt_tokens"] > 0
    told = judge.provenance
    assert told["models"][0]["sha256"] and told["rendering"] and told["sampling"]["count"] == 2
    assert not judge.siblings and not judge.reads_reference and judge.at_once == 4


def test_the_docs_name_every_way() -> None:
    told = (Path(__file__).parents[2] / "docs" / "scorers-generative.md").read_text()
    for name in VERIFIERS:
        assert f"| `{name}` |" in told, name
