"""What the embedded scorer may learn of beside its usual features: nearness in meaning, and others' words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from annotations.records import TrajectoryRecord
from models_service.scorers import deciding, features, meaning, train_prior, training
from models_service.scorers.embedded import EmbeddedScorer
from models_service.scorers.extras import Extra, MissingExtra, wanted
from models_service.scorers.stacking import Said, Source, extra
from models_service.scorers.train_prior import SAMPLE
from tests.unit.test_embedded_features import close, look, rollout

JUDGE, SCORER = Source("judge:1", "judge ann", True), Source("run:2", "scorer prm", False)


class Letters:
    """Encodes a text by which of the letters a to e are in it."""

    sha256 = "letters"

    def rows(self, texts: Sequence[str]) -> np.ndarray:
        found = np.array([[float(letter in text) for letter in "abcde"] for text in texts]).reshape(len(texts), 5)
        return found / np.maximum(1, np.linalg.norm(found, axis=1, keepdims=True))


def test_what_a_judge_said_as_numbers_by_hand() -> None:
    assert JUDGE.values([1, -1, 0]) == [[0, 0, 1, 0], [1, 0, -1, 0], [0, 1, -1, 0]]
    assert SCORER.values([0.5, 1.0]) == [[0.5, 0.5, 0.75], [1.0, 0.5, 0.75]]
    assert len(JUDGE.names) == 4 and JUDGE.names[0] == "judge ann: says wrong"


def test_a_source_that_left_out_a_step_says_nothing_of_the_rollout() -> None:
    assert extra(JUDGE, lambda rollouts: [[1, None], []]).table([]) == [None, None]
    assert extra(SCORER, lambda rollouts: [[0.1]]).table([]) == [[[0.1, 0.1, 0.1]]]


def test_cosines_by_hand() -> None:
    one = rollout(look("ab", "abcd"), close("ab"), question="ac")
    two = rollout(close("b"), question="ac")
    found = dict(zip(meaning.NAMES, meaning.table([one, two], Letters())[0][1], strict=True))
    # "<answer>ab</answer>" has a, b and e; "abcd" (1,1,1,1,0): 2 / (√3·2); the task a and c: 1 / (√3·√2)
    assert found["meaning: step and what was seen before"] == pytest.approx(2 / (math.sqrt(3) * 2), abs=1e-4)
    assert found["meaning: step and task"] == pytest.approx(1 / math.sqrt(6), abs=1e-4)
    assert found["meaning: task and what was seen before"] == pytest.approx(2 / (math.sqrt(2) * 2), abs=1e-4)
    assert found["meaning: answer and siblings' answers"] == pytest.approx(1 / math.sqrt(2), abs=1e-4)
    assert found["meaning: step and what it brought"] == meaning.ABSENT


@pytest.fixture(scope="module")
def lessons() -> list[training.Lesson]:
    return train_prior.lessons(SAMPLE)


def oracle(lessons: list[training.Lesson], noise: float = 0.1, silent: int = -1) -> Extra:
    """A judge that says what the labels say, save in a share of the steps; of one task nothing."""
    random, said = np.random.default_rng(0), dict[str, list[Said]]()
    for number, lesson in enumerate(lessons):
        for record, labels in zip(lesson.rollouts, lesson.labels, strict=True):
            agent = [index for index, step in enumerate(record.steps) if step.source == "agent"]
            words = [float(labels.get(at, 1) * (1 if random.random() > noise else -1)) for at in agent]
            heard: Said = [] if number == silent else words
            said.setdefault(record.task.external_id, []).append(heard)
    return extra(JUDGE, lambda rollouts: list(said[rollouts[0].task.external_id]))


def test_a_judge_that_knows_is_listened_to_and_the_part_without_it_stays(lessons: list[training.Lesson]) -> None:
    judge = oracle(lessons)
    found = deciding.learn(training.examples(lessons, [judge]))
    assert found.stacked and found.report["stacked"]["auroc"] >= found.report["embedded"]["auroc"]
    assert [one["extras"] for one in found.report["tried"]] == [[], ["judge:1"]]
    alone = deciding.learn(training.examples(lessons))
    assert found.model.weights == alone.model.weights
    assert set(found.stacked.names) == set(features.NAMES) | set(JUDGE.names)


def test_where_the_judge_was_silent_the_part_without_it_scores(lessons: list[training.Lesson]) -> None:
    document = deciding.learn(training.examples(lessons, [oracle(lessons)])).to_json()
    half = oracle(lessons, silent=0)
    scorer, alone = (
        EmbeddedScorer(document, [half]),
        EmbeddedScorer({k: v for k, v in document.items() if k != "stacked"}),
    )
    for lesson, heard in ((lessons[0], False), (lessons[1], True)):
        [said, *_], [plain, *_] = scorer.score(lesson.rollouts), alone.score(lesson.rollouts)
        assert all(("extras" in one.detail) is heard for one in said)
        assert ([one.value for one in said] == [one.value for one in plain]) is not heard


def test_a_judge_that_has_not_judged_every_labelled_rollout_is_left_out(lessons: list[training.Lesson]) -> None:
    data = training.examples(lessons, [oracle(lessons, silent=3)])
    assert (data.extras, data.columns) == ((), features.NAMES)
    assert data.digest == training.examples(lessons).digest


def test_noise_is_not_listened_to(lessons: list[training.Lesson]) -> None:
    random = np.random.default_rng(1)

    def babble(rollouts: Sequence[TrajectoryRecord]) -> list[Said]:
        counts = [sum(step.source == "agent" for step in one.steps) for one in rollouts]
        return [random.integers(-1, 2, count).tolist() for count in counts]

    found = deciding.learn(training.examples(lessons, [extra(JUDGE, babble)]))
    assert found.stacked is None
    assert len(found.report["tried"]) == 2


def test_labels_of_another_task_do_not_touch_what_is_heard_of_this_one(lessons: list[training.Lesson]) -> None:
    judge = oracle(lessons)
    turned = [replace(lessons[0], labels=tuple({k: -v for k, v in one.items()} for one in lessons[0].labels))]
    one, other = training.examples(lessons, [judge]), training.examples(turned + lessons[1:], [judge])
    assert one.values.tobytes() == other.values.tobytes()


def test_an_artefact_that_needs_what_is_not_there_is_refused() -> None:
    here = Extra("meaning", ("m",), {"encoder": "1"}, lambda rollouts: [])
    assert wanted({"meaning": {"encoder": "1"}}, [here]) == [here]
    with pytest.raises(MissingExtra, match="meaning"):
        wanted({"meaning": {"encoder": "2"}}, [here])


def test_meaning_is_learned_and_scored_with(lessons: list[training.Lesson]) -> None:
    near = meaning.extra(Letters())
    data = training.examples(lessons[:9], [near])
    model = training.teach(data, data.columns)
    assert model.trained_on["extras"] == {"meaning": {"encoder": "letters"}}
    records: Sequence[TrajectoryRecord] = lessons[0].rollouts
    [said, *_] = EmbeddedScorer(model.to_json(), [near]).score(records)
    assert said[0].detail["extras"] == ["meaning"]
    with pytest.raises(MissingExtra):
        EmbeddedScorer(model.to_json())
