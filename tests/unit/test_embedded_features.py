"""What the embedded scorer counts: answers and their agreement, what becomes of a step, trees."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.records import RatingRecord, StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers import features, siblings, train_prior, training
from models_service.scorers.embedded import EmbeddedScorer
from models_service.scorers.reading import answer, failed, fits, said_in_short, well_formed
from models_service.scorers.train_prior import SAMPLE

ASKED = "Who wrote Emma?"


def look(asked: str, found: str = "Found: nothing new.", **more: Any) -> StepRecord:
    call = {"name": "search", "arguments": json.dumps({"q": asked})}
    return StepRecord("agent", 0, message="I look.", tool_calls=(call,), observations=({"content": found},), **more)


def close(said: str, **more: Any) -> StepRecord:
    return StepRecord("agent", 0, message=f"<answer>{said}</answer>", **more)


def rollout(*steps: StepRecord, question: str = ASKED) -> TrajectoryRecord:
    asked = StepRecord("user", 0, message=question)
    numbered = tuple(replace(step, source_index=place + 1) for place, step in enumerate(steps))
    return TrajectoryRecord(TaskRecord("t", instruction=question), (asked, *numbered))


def values(name: str, *rollouts: TrajectoryRecord) -> list[list[float]]:
    at = features.NAMES.index(name)
    return [[row[at] for row in rows] for rows in features.table(rollouts)]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("<think>The answer is 3? No.</think><answer> 4 </answer>", "4"),
        ("I write <answer> at the end. <answer>Emma</answer>", "Emma"),
        ("<think>Maybe Paris.", ""),
        ("Maybe Rome.</think> The answer is Paris.", "Paris."),
        ("Paris", "Paris"),
    ],
)
def test_an_answer_is_what_is_said_and_not_what_was_thought(message: str, told: str) -> None:
    assert answer(message) == told


@pytest.mark.parametrize(
    ("question", "said", "fitting"),
    [
        ("Are both films American?", "No, one is.", True),
        ("Are both films American?", "American", False),
        ("Is Rome or Paris older?", "Rome", None),
        ("How many people live there?", "Many", False),
        ("How many people live there?", "about twenty", True),
        ("In what year was it built?", "in 1838", True),
        ("Who built it?", "nobody knows", None),
    ],
)
def test_an_answer_fits_the_kind_of_question_or_not(question: str, said: str, fitting: bool | None) -> None:
    assert fits(question, said) is fitting


def test_of_yes_and_no_only_the_word_is_compared() -> None:
    assert said_in_short("Is it the old one?", "No, it is the new one") == {"no"}
    assert said_in_short("Who is it?", "No, the one") == {"no", "one"}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Rome and Paris are not on one level.", "no"),
        ("The first isn’t.", "no"),
        ("Only Rome is a capital.", "no"),
        ("Both are capitals.", "yes"),
    ],
)
def test_an_answer_that_does_not_begin_with_yes_or_no_says_it_in_other_words(said: str, told: str) -> None:
    assert said_in_short("Are Rome and Paris both capitals?", said) == {told}


@pytest.mark.parametrize(
    ("observed", "wrong"),
    [
        ('{"error": "missing query"}', True),
        ("Error: no such file " + "x" * 1000, True),
        ("x" * 1000 + "\nTraceback (most recent call last):\n  KeyError", True),
        ("Rome is the capital of Italy. " * 20 + "Its founder is unknown.", False),
        ("", False),
    ],
)
def test_a_long_text_that_speaks_of_what_is_unknown_is_no_error(observed: str, wrong: bool) -> None:
    assert failed(observed) is wrong


def test_an_answer_that_only_repeats_the_task_is_noticed_save_where_the_task_offers_it() -> None:
    name = "answer only repeats the task"
    assert values(name, rollout(close("Emma"), question="Who wrote Emma?")) == [[1]]
    assert values(name, rollout(close("Jane Emma"), question="Who wrote Emma?")) == [[0.5]]
    assert values(name, rollout(close("Emma"), question="Which is older, Emma or Persuasion?")) == [[-1]]


def test_an_answer_longer_than_those_of_siblings_is_noticed() -> None:
    found = values(
        "answer longer than those of siblings", rollout(close("Jane Austen wrote")), rollout(close("Austen"))
    )
    assert found == [[pytest.approx(math.log(2))], [pytest.approx(-math.log(2))]]


def test_arguments_that_are_no_json_object_are_noticed() -> None:
    given = ('{"q": ["a"', '["a"]', '{"q": 1}', {"q": 1}, "", None)
    assert [well_formed({"arguments": one}) for one in given] == [False, False, True, True, True, True]
    broken = replace(look("a"), tool_calls=({"name": "search", "arguments": '{"q": ["a")'},))
    assert values("arguments are no JSON", rollout(look("a"), broken)) == [[0, 1]]


def test_those_who_do_not_know_agree_with_nobody() -> None:
    unknown, also = rollout(close("None found")), rollout(close("None found"))
    known = rollout(close("Jane Austen"))
    assert values("answer agrees with siblings", unknown, also, known) == [[0], [0], [0]]
    assert values("says it does not know", unknown, known) == [[1], [0]]
    assert values("ends without an answer", unknown, known, rollout(look("Emma"))) == [[1], [0], [1]]


def test_votes_are_counted_beside_those_for_the_answer_most_siblings_give() -> None:
    austen, yonge = rollout(close("Jane Austen")), rollout(close("Yonge"))
    found = values("votes for this answer", austen, austen, austen, yonge)
    # With two siblings of the same mind: (1 + 2) / (2 + 1). Alone against three: (1 + 0) / (3 + 1).
    assert found == [[1], [1], [1], [0.25]]


def test_what_a_step_brought_is_looked_for_in_later_steps() -> None:
    one = rollout(look("Emma", "By Jane Austen in 1815."), look("Jane Austen"), close("Jane Austen"))
    # Jane and Austen, both new and both spoken of later; 1815 is not.
    assert values("names of the observation used later", one)[0][0] == pytest.approx(1.0986, abs=1e-4)
    assert values("own answer in the observation", one)[0][:2] == [1, 0]


def test_doing_the_same_again_is_noticed_of_the_first_time_too() -> None:
    one = rollout(look("novel Emma"), look("novel Emma"), look("Highbury"), close("Jane Austen"))
    assert values("most similar later call", one)[0] == [1, 0, 0, 0]
    assert values("next call like this one", one)[0][0] == 1
    assert values("earlier calls like this one", one)[0][:2] == [0, 1]


def test_an_answer_beside_the_words_of_the_task_is_better_supported() -> None:
    near = rollout(look("x", "Emma was wrote by Austen."), close("Austen"))
    far = rollout(look("x", "Emma is a novel that someone wrote. Austen lived in Bath."), close("Austen"))
    assert values("answer found beside task words", near, far) == [[-1, 1], [-1, 0]]


def test_an_answer_from_memory_is_looked_for_in_what_siblings_saw() -> None:
    memory, seen = rollout(close("Austen")), rollout(look("x", "Emma was wrote by Austen."), close("Jane"))
    for name in ("answer found in what siblings saw", "answer found beside task words in what siblings saw"):
        assert values(name, memory, seen, rollout(close("Yonge"))) == [[1], [-1, -1], [0]]


def tree() -> TrajectoryRecord:
    """Two looks tried after the first one, each with an answer of its own."""
    first, other = look("Jane", parent=1), look("Emma", parent=1)
    return rollout(look("Emma"), first, close("Jane Austen", parent=2), other, close("Yonge", parent=4))


def test_in_a_tree_what_came_before_is_what_a_step_was_tried_after() -> None:
    assert [round(2.71828**value - 1) for value in values("steps before", tree())[0]] == [0, 1, 2, 1, 2]
    assert values("last step", tree()) == [[0, 0, 1, 0, 1]]
    assert values("uses of this tool before", tree()) == [[0, 1, 0, 1, 0]]
    assert values("same call made before", tree()) == [[0, 0, 0, 1, 0]]  # its ancestor's, not the one beside it


def test_the_ways_of_a_tree_are_siblings_of_each_other() -> None:
    assert set(values("has siblings", tree())[0]) == {1}
    assert values("answer agrees with siblings, at the last step", tree())[0][2] == 0


def test_a_step_is_not_moved_by_what_is_tried_beside_it_save_as_a_sibling() -> None:
    alone = rollout(look("Emma"), look("Jane"), close("Jane Austen"))
    own = [name for name in features.NAMES if name not in siblings.NAMES]
    for name in own:
        assert values(name, tree())[0][:3] == values(name, alone)[0], name


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_question_and_answer_can_be_read(question: str, said: str) -> None:
    rows = features.table([rollout(close(said), question=question), rollout(close(question), question=said)])
    assert all(len(row) == len(features.NAMES) and all(map(math.isfinite, row)) for one in rows for row in one)


def test_every_name_is_there_once() -> None:
    assert len(set(features.NAMES)) == len(features.NAMES)
    assert set(features.TRANSFERABLE) <= set(features.NAMES)


def test_labels_and_reference_of_a_task_held_out_leave_its_features_as_they_are_to_the_bit() -> None:
    lessons = train_prior.lessons(SAMPLE)
    turned = [told_otherwise(one) if place % 3 == 0 else one for place, one in enumerate(lessons)]
    one, other = training.examples(lessons), training.examples(turned)
    assert one.values.tobytes() == other.values.tobytes()
    assert one.labels.tobytes() != other.labels.tobytes()


def told_otherwise(lesson: training.Lesson) -> training.Lesson:
    rollouts = tuple(
        replace(
            each,
            task=replace(each.task, reference={"target": ["another truth"]}),
            outcome={"reward": 0, "answer": "another"},
            rating=RatingRecord(steps={step.source_index: -1 for step in each.steps}, final=-1),
        )
        for each in lesson.rollouts
    )
    return training.Lesson(rollouts, tuple({step: -label for step, label in one.items()} for one in lesson.labels))


def test_an_artefact_says_the_same_after_a_round_through_json() -> None:
    lessons = train_prior.lessons(SAMPLE)
    model = training.teach(training.examples(lessons))
    there = EmbeddedScorer(model.to_json()).score(lessons[0].rollouts)
    back = EmbeddedScorer(json.loads(json.dumps(model.to_json()))).score(lessons[0].rollouts)
    for one, other in zip(there, back, strict=True):
        assert [s.value for s in one] == pytest.approx([s.value for s in other], abs=1e-9)
