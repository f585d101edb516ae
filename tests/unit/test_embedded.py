"""The embedded scorer: what it may look at, what it learns, when it may be used."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest

from annotations.records import RatingRecord, StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers import deciding, features, train_prior, training
from models_service.scorers.embedded import PRIOR, EmbeddedScorer
from models_service.scorers.train_prior import SAMPLE


@pytest.fixture(scope="module")
def lessons() -> list[training.Lesson]:
    return train_prior.lessons(SAMPLE)


@pytest.fixture(scope="module")
def data(lessons: list[training.Lesson]) -> training.Examples:
    return training.examples(lessons)


def record(*agent: str, answer: str = "", rollout: int = 0) -> TrajectoryRecord:
    """A rollout whose agent steps each look something up, and a closing answer."""
    steps = [StepRecord("user", 0, message="Who wrote Emma in 1815?")]
    for number, asked in enumerate(agent):
        steps.append(
            StepRecord(
                "agent",
                2 * number + 1,
                message="I look.",
                tool_calls=({"id": "1", "name": "search", "arguments": json.dumps({"q": asked})},),
                observations=({"content": f"Found: {asked} by Jane Austen, 1815."},),
            )
        )
    if answer:
        steps.append(StepRecord("agent", 2 * len(agent) + 1, message=f"<answer>{answer}</answer>"))
    return TrajectoryRecord(TaskRecord("t", instruction="Who wrote Emma in 1815?"), tuple(steps), rollout=rollout)


def value(rollouts: list[TrajectoryRecord], step: int, name: str, rollout: int = 0) -> float:
    return features.table(rollouts)[rollout][step][features.NAMES.index(name)]


def test_a_call_that_was_made_before_is_noticed() -> None:
    one = record("Emma", "Emma author", "Emma", answer="Jane Austen")
    assert [value([one], step, "same call made before") for step in range(4)] == [0, 0, 1, 0]
    assert value([one], 2, "uses of this tool before") == 2


def test_what_no_evidence_shows_is_noticed() -> None:
    grounded, invented = record("Emma", answer="Jane Austen, 1815"), record("Emma", answer="Charlotte Yonge, 1847")
    assert value([grounded], 1, "numbers not found in evidence") == 0
    assert value([invented], 1, "numbers not found in evidence") == 1
    assert value([invented], 1, "names not found in evidence") == 2
    assert value([grounded], 1, "answer found in evidence") == 1


def test_the_agreement_of_siblings_is_measured_and_its_absence_is_not_agreement() -> None:
    rollouts = [record("Emma", answer=said) for said in ("Jane Austen", "It was Jane Austen", "Yonge")]
    assert value(rollouts, 1, "answer agrees with siblings") == 0.5
    assert value(rollouts, 1, "answer agrees with siblings", rollout=2) == 0
    assert value(rollouts[:1], 1, "answer agrees with siblings") == features.ABSENT
    assert value(rollouts[:1], 1, "has siblings") == 0


def test_a_failing_observation_is_noticed_after_it_too() -> None:
    one = record("Emma", "Emma again")
    broken = replace(one.steps[1], observations=({"content": "Error: no such page"},))
    one = replace(one, steps=(one.steps[0], broken, one.steps[2]))
    assert value([one], 0, "observation looks like an error") == 1
    assert (value([one], 1, "errors before"), value([one], 1, "step before met an error")) == (1, 1)


def test_any_content_a_message_may_have_is_read() -> None:
    parts = [{"type": "text", "text": "seen"}, "plain", None, {"type": "image_url", "image_url": {"url": "x"}}]
    odd = StepRecord(
        "agent",
        1,
        tool_calls=({"name": None}, "call", 7),
        observations=({"content": parts}, {"content": {"a": 1}}, 5, {}),
    )
    trajectory = TrajectoryRecord(
        TaskRecord("t"), (StepRecord("user", 0), odd, StepRecord("agent", 3, message="\x00 ☃"))
    )
    [scored] = EmbeddedScorer().score([trajectory])
    assert [one.index for one in scored] == [1, 2]


def test_no_label_reference_or_outcome_is_read(lessons: list[training.Lesson]) -> None:
    lesson = lessons[0]
    told = tuple(
        replace(
            one,
            task=replace(one.task, reference={"target": ["another truth"]}),
            outcome={"answer": "another", "reward": 0},
            rating=RatingRecord(steps={step.source_index: -1 for step in one.steps}, final=-1),
            meta={"total_index": 999},
            extra={"fields": {"tool_metrics": "bad"}},
        )
        for one in lesson.rollouts
    )
    assert features.table(told) == features.table(lesson.rollouts)


def test_labels_of_one_task_do_not_touch_the_features_of_another(lessons: list[training.Lesson]) -> None:
    turned = [replace(lessons[0], labels=tuple({k: -v for k, v in one.items()} for one in lessons[0].labels))]
    one, other = training.examples(lessons), training.examples(turned + lessons[1:])
    assert np.array_equal(one.values, other.values)
    assert not np.array_equal(one.labels, other.labels)


def test_rollouts_of_a_task_may_come_in_any_order(lessons: list[training.Lesson]) -> None:
    records = [one for lesson in lessons for one in lesson.rollouts]
    shuffled = records.copy()
    random.Random(1).shuffle(shuffled)
    by_id = {one.external_id: said for one, said in zip(shuffled, EmbeddedScorer().score(shuffled), strict=True)}
    for one, said in zip(records, EmbeddedScorer().score(records), strict=True):
        assert [s.value for s in by_id[one.external_id]] == pytest.approx([s.value for s in said], abs=1e-12)


def test_the_shipped_prior_is_what_the_command_makes() -> None:
    shipped, made = json.loads(PRIOR.read_text()), json.loads(json.dumps(train_prior.train().to_json()))
    assert shipped.keys() == made.keys()
    for key in ("names", "classes", "version", "format", "trained_on"):
        assert shipped[key] == made[key]
    for key in ("weights", "bias", "mean", "scale", "centre"):
        assert np.allclose(shipped[key], made[key], atol=1e-6)
    assert all(np.allclose(a, b) for a, b in zip(shipped["edges"], made["edges"], strict=True))


def test_a_score_is_a_probability_with_its_reasons(lessons: list[training.Lesson]) -> None:
    [said] = EmbeddedScorer().score(lessons[0].rollouts[:1])
    for one in said:
        assert one.probability == one.value
        assert one.value == pytest.approx(1 - one.detail["classes"]["-1"])
        assert sum(one.detail["classes"].values()) == pytest.approx(1)
        assert [set(why) for why in one.detail["why"]] == [{"feature", "contribution"}] * 3
        sizes = [abs(why["contribution"]) for why in one.detail["why"]]
        assert sizes == sorted(sizes, reverse=True)


def test_it_learns_the_sample_and_beats_the_baselines(data: training.Examples) -> None:
    found = deciding.learn(data)
    model, report, activated = found.model, found.report, found.activated
    ours, shape, always = (report[name] for name in ("embedded", "structure_only", "always_right"))
    assert activated
    assert ours["auroc"] > 0.9 > shape["auroc"] > always["auroc"] == 0.5
    assert ours["step_acc"] > always["step_acc"]
    assert model.trained_on["sha256"] == data.digest


def test_shuffled_labels_teach_it_nothing(data: training.Examples) -> None:
    areas = []
    for seed in range(5):
        shuffled = replace(data, labels=np.random.default_rng(seed).permutation(data.labels))
        held, _ = training.held_out(shuffled, range(len(features.NAMES)))
        areas.append(held.figures(shuffled.labels)["auroc"])
    assert np.mean(areas) == pytest.approx(0.5, abs=0.06)


def test_what_learned_from_noise_is_not_activated(data: training.Examples) -> None:
    noise = replace(data, labels=np.random.default_rng(0).permutation(data.labels))
    found = deciding.learn(noise)
    report, activated = found.report, found.activated
    assert not activated
    assert min(report["beats"]["always_right"].values()) < deciding.CONVINCING


def test_folds_keep_the_rollouts_of_a_task_together(data: training.Examples) -> None:
    fold = training.folds(data)
    for task in set(data.tasks.tolist()):
        assert len(set(fold[data.tasks == task].tolist())) == 1
    assert set(fold.tolist()) == set(range(training.FOLDS))


def test_too_few_labels_are_named(data: training.Examples, lessons: list[training.Lesson]) -> None:
    assert training.too_few(data) == ""
    assert "40 needed" in training.too_few(training.examples(lessons[:2]))
    assert training.too_few(training.examples([])) == "0 labelled trajectories, 40 needed"
    right = replace(data, labels=np.where(data.labels == -1, 1, data.labels))
    assert training.too_few(right) == "0 steps labelled -1, 15 needed"


@pytest.mark.data
def test_on_hotpotqa_it_beats_always_right_and_the_shape_alone(shared_data) -> None:
    path = shared_data / "agentprocessbench" / "trajectories" / "hotpotqa_q00-29.jsonl.gz"
    data = training.examples(train_prior.lessons(path))
    assert (data.trajectories, len(data.labels)) == (150, 426)
    found = deciding.learn(data)
    report, activated = found.report, found.activated
    ours, shape, always = (report[name] for name in ("embedded", "structure_only", "always_right"))
    assert activated
    assert always["step_acc"] == pytest.approx(286 / 426)
    assert ours["step_acc"] > always["step_acc"] + 0.05
    assert ours["macro_f1"] > always["macro_f1"] + 0.2
    assert ours["auroc"] > shape["auroc"] + 0.05
    assert ours["auroc"] > 0.8
