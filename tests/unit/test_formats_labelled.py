"""Step-labelled sets that are read and written: what their labels mean, and that what is written is what is graded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from annotations import schemes
from annotations.records import Labelled, RatingRecord, StepRecord, TrajectoryRecord
from annotations.schemes import conversions
from tests.labelled import chat, items_of, labels_of, record_of, rows, tree

TAG = "ки"


PROCESSBENCH = {"id": "x", "generator": "g", "problem": "p", "steps": ["a", "b", "c"], "final_answer_correct": False}


@pytest.mark.parametrize(
    ("label", "labels"), [(0, [-1, None, None]), (1, [1, -1, None]), (2, [1, 1, -1]), (-1, [1, 1, 1])]
)
def test_the_one_number_of_processbench_labels_what_stands_before_it_and_nothing_after(label, labels):
    record = record_of("processbench", PROCESSBENCH | {"label": label})
    assert (labels_of(record), record.rating and record.rating.final) == (labels, 0)


@pytest.mark.parametrize("label", [3, -2, True, "1", 0.5])
def test_a_label_of_a_step_that_is_not_there_is_refused(label):
    ((problem,),) = [item.problems for item in items_of("processbench", PROCESSBENCH | {"label": label})]
    assert problem.field == "label" and "0 to 2" in problem.reason


def test_a_processbench_record_without_a_label_says_nothing_of_its_steps():
    record = record_of("processbench", PROCESSBENCH | {"label": None})
    assert labels_of(record) == [None, None, None]
    assert rows("processbench", Labelled(record)) == []


def test_solutions_of_one_problem_are_rollouts_of_one_task():
    first, second = (record_of("processbench", PROCESSBENCH | {"id": one, "label": 0}) for one in "xy")
    assert first.task == second.task and first.external_id != second.external_id


@pytest.mark.parametrize(
    ("grades", "label"),
    [((1, 1), -1), ((1, -1, 1), 1), ((0, -1), 1), ((0, 0), -1), ((None, -1), None), ((1, None), None), ((-1, None), 0)],
)
def test_processbench_is_written_where_the_first_wrong_step_is_known(grades, label):
    assert [row["label"] for row in rows("processbench", chat(*grades))] == ([] if label is None else [label])


def test_what_is_written_is_the_label_of_now_and_not_that_of_the_file():
    record = record_of("processbench", PROCESSBENCH | {"label": 0, "extra": [1]})
    (row,) = rows("processbench", Labelled(record, {1: 1, 2: 1, 3: 1}, final=1))
    assert row == PROCESSBENCH | {"label": -1, "extra": [1], "final_answer_correct": True}


@pytest.mark.parametrize(("final", "said"), [(1, True), (-1, False), (0, None), (None, None)])
def test_an_undecided_verdict_is_no_incorrect_answer(final, said):
    assert rows("processbench", chat(1, final=final))[0]["final_answer_correct"] is said


def completion(text: str, rating: int | None, **more: Any) -> dict[str, Any]:
    return {"text": text, "rating": rating, "flagged": None} | more


def prm800k(*steps: dict[str, Any], finish: str | None = "solution") -> dict[str, Any]:
    return {"labeler": "l", "question": {"problem": "p"}, "label": {"steps": list(steps), "finish_reason": finish}}


def step(*completions: Any, chosen: int | None = None, human: Any = None) -> dict[str, Any]:
    every = list(completions) or None
    return {"completions": every, "human_completion": human, "chosen_completion": chosen}


def test_alternatives_are_siblings_after_the_one_that_was_chosen():
    first = step(completion("a", 0), completion("b", 1), completion("c", -1), chosen=1)
    record = record_of("prm800k", prm800k(first, step(completion("d", 1), chosen=0)))
    assert [(one.message, one.parent) for one in record.steps[1:]] == [("a", 0), ("b", 0), ("c", 0), ("d", 2)]
    assert labels_of(record) == [0, 1, -1, 1]


@pytest.mark.parametrize("human", ["h", {"text": "h", "rating": None}])
def test_a_human_step_is_gone_on_from_and_has_no_label_of_its_own(human):
    record = record_of("prm800k", prm800k(step(completion("a", -1), human=human), step(completion("b", 1), chosen=0)))
    assert [(one.message, one.parent) for one in record.steps[1:]] == [("a", 0), ("h", 0), ("b", 2)]
    assert labels_of(record) == [-1, None, 1]


def test_a_human_step_with_a_rating_has_it():
    assert labels_of(record_of("prm800k", prm800k(step(human=completion("h", 1))))) == [1]


def test_a_solution_without_alternatives_is_no_tree():
    record = record_of("prm800k", prm800k(step(completion("a", 1), chosen=0), step(completion("b", -1))))
    assert [one.parent for one in record.steps] == [None] * 3


@pytest.mark.parametrize("finish", ["solution", "found_error", "give_up", "bad_problem"])
def test_why_the_work_ended_is_the_verdict_in_the_words_of_its_scheme(finish):
    record = record_of("prm800k", prm800k(step(completion("a", 1)), finish=finish))
    assert record.rating and record.rating.final == finish
    field = schemes.shipped()["prm800k"].field("finish")
    assert field and not field.refusal(finish)


@pytest.mark.parametrize("wrong", [2, True, "1", 0.5])
def test_a_rating_that_is_none_is_refused_where_it_stands(wrong):
    (item,) = items_of("prm800k", prm800k(step(completion("a", 1), completion("b", wrong))))
    assert item.problems[0].field == "label.steps[0].completions[1].rating"


def test_an_alternative_is_written_where_it_stood_with_the_rating_of_now():
    row = prm800k(step(completion("a", 0), completion("b", 1, flagged=True), chosen=1), finish="found_error")
    record = record_of("prm800k", row)
    (made,) = rows("prm800k", replace_rating(record, {1: -1, 2: 1}))
    first = made["label"]["steps"][0]
    assert first == step(completion("a", -1), completion("b", 1, flagged=True), chosen=1)


def replace_rating(record: TrajectoryRecord, grades: dict[int, int]) -> Labelled:
    return Labelled(replace(record, rating=RatingRecord(scheme="agent-process")), grades)


def test_another_formats_trajectory_ends_at_its_first_wrong_step_in_prm800k():
    (row,) = rows("prm800k", chat(1, -1, 1, by="human:ann"))
    said = row["label"]["steps"]
    assert [one["completions"][0]["rating"] for one in said] == [1, -1]
    assert ([one["chosen_completion"] for one in said], row["label"]["finish_reason"]) == ([0, None], "found_error")
    assert (row["labeler"], row["question"]["problem"]) == ("human:ann", "How far?")


def test_siblings_of_a_tree_are_alternatives_in_prm800k():
    (row,) = rows("prm800k", tree())
    assert [one["text"] for one in row["label"]["steps"][1]["completions"]] == ["left", "right"]


def shepherd(said: str, signs: str) -> dict[str, str]:
    label = said
    for sign in signs:
        label = label.replace(TAG, sign, 1)
    return {"input": said, "label": label, "task": "t"}


@pytest.mark.parametrize("between", [f" {TAG}\n", f"\n{TAG}\n", f"{TAG} ", f" {TAG}"])
def test_a_tag_is_found_wherever_it_stands(between):
    row = shepherd(f"Q? Step 1: 1 + 1 = 2 - 0.{between}Step 2: +-+.{between}", "+-")
    record = record_of("math-shepherd", row)
    assert [one.message for one in record.steps] == ["Q?", "Step 1: 1 + 1 = 2 - 0.", "Step 2: +-+."]
    assert labels_of(record) == [1, -1]
    assert rows("math-shepherd", Labelled(record, {1: 1, 2: -1})) == [row]


def test_a_tag_that_both_texts_have_is_a_piece_of_a_word():
    row = {"input": f"Q? Step 1: {TAG}т. {TAG}", "label": f"Q? Step 1: {TAG}т. +", "task": "t"}
    assert [one.message for one in record_of("math-shepherd", row).steps] == ["Q?", f"Step 1: {TAG}т."]


@pytest.mark.parametrize(
    "label", ["Q? Step 1: b. +", "Q? Step 1: a. x", "Q? Step 1: a. + more", "", f"Q? Step 1: a. {TAG}"]
)
def test_a_label_of_another_text_is_refused(label):
    ((problem,),) = [i.problems for i in items_of("math-shepherd", {"input": f"Q? Step 1: a. {TAG}", "label": label})]
    assert problem.field == "label" and "found" in problem.reason


def test_a_list_of_labels_has_one_for_each_tag():
    said = f"Q\na {TAG}\nb {TAG}"
    assert labels_of(record_of("math-shepherd", {"input": said, "label": ["+", "-"]})) == [1, -1]
    assert "2 tags" in items_of("math-shepherd", {"input": said, "label": ["+"]})[0].problems[0].reason


def test_a_fraction_is_an_estimate_and_no_verdict():
    record = record_of("math-shepherd", {"input": f"Q\na {TAG}\nb {TAG}", "label": [0.75, 1.0]})
    assert record.rating is None
    assert [one.extra["values"] for one in record.steps[1:]] == [{"score": 0.75}, {"score": 1.0}]


def test_another_formats_steps_are_numbered_and_end_before_the_first_without_a_sign():
    (row,) = rows("math-shepherd", chat(1, -1, 0, 1))
    assert row["input"] == f"How far? Step 1: turn 1 {TAG}\nStep 2: turn 2 {TAG}"
    assert row["label"] == "How far? Step 1: turn 1 +\nStep 2: turn 2 -"
    assert labels_of(record_of("math-shepherd", row)) == [1, -1]


def test_a_trajectory_that_says_the_tag_itself_is_not_written():
    labelled = chat(1)
    steps = (labelled.record.steps[0], StepRecord("agent", 1, f"a{TAG}b"))
    assert rows("math-shepherd", Labelled(replace(labelled.record, steps=steps), {1: 1})) == []


def test_stepwise_labels_can_be_estimates_for_each_token():
    row = {"prompt": "p", "completions": ["a", "b", "c"], "labels": [True, 0.5, [0.1, 0.9]]}
    record = record_of("trl-stepwise", row)
    assert labels_of(record) == [1, None, None]
    assert record.steps[2].extra == {"values": {"score": 0.5}} and record.steps[3].extra["fields"]["label"] == [
        0.1,
        0.9,
    ]


@pytest.mark.parametrize("labels", [[True], "true", [True, "x"], [True, 2]])
def test_stepwise_labels_that_do_not_fit_the_completions_are_refused(labels):
    row = {"prompt": "p", "completions": ["a", "b"], "labels": labels}
    assert items_of("trl-stepwise", row)[0].problems[0].field.startswith("labels")


@pytest.mark.parametrize(
    ("zero", "labels"), [("drop", [True]), ("true", [True, True, False]), ("false", [True, False, False])]
)
def test_a_neutral_step_is_dropped_or_counted_as_it_is_asked(zero, labels):
    assert [row["labels"] for row in rows("trl-stepwise", chat(1, 0, -1), zero=zero)] == [labels]


def test_a_tree_is_written_one_way_to_a_leaf_a_row():
    assert [(row["completions"], row["labels"]) for row in rows("trl-stepwise", tree())] == [
        (["start", "left"], [True, True]),
        (["start", "right"], [True, False]),
    ]


@pytest.mark.parametrize(
    ("asked", "labels"),
    [
        ({}, [True, None, False]),
        ({"zero": "true"}, [True, True, False]),
        ({"zero": "drop"}, [True]),
        ({"labels": "ternary"}, [1, 0, -1]),
        ({"labels": "ternary", "propagated": "masked"}, [1, 0, None]),
        ({"labels": "soft"}, [0.9, None, 0.1]),
    ],
)
def test_rows_for_reward_models_have_the_labels_that_are_asked_for(asked, labels):
    labelled = chat(1, 0, -1, propagated=frozenset([3]), scores={1: 0.9, 3: 0.1}, final=-1, by="human:ann")
    (row,) = rows("prm-rows", labelled, **asked)
    assert (row["labels"], len(row["steps"]), row["final_label"]) == (labels, len(labels), -1)
    assert list(row) == ["prompt", "steps", "labels", "label_source", "first_error", "final_label"]


@pytest.mark.parametrize(("grades", "first"), [((1, -1), 1), ((1, 0), -1), ((1, None), None)])
def test_rows_for_reward_models_name_the_first_error_where_it_is_known(grades, first):
    assert rows("prm-rows", chat(*grades))[0]["first_error"] == first


def test_values_of_a_tree_are_labels_where_they_are_asked_for():
    found = rows("prm-rows", tree(), labels="q")
    assert [(row["labels"], row["label_source"]) for row in found] == [([0.5, 1.0], "tree"), ([0.5, None], "tree")]


@pytest.mark.parametrize("name", ["trl-stepwise", "prm-rows", "prm800k", "processbench", "math-shepherd"])
def test_a_trajectory_that_nobody_graded_gives_no_row(name):
    assert rows(name, chat(None, None)) == []


@pytest.mark.parametrize("source", ["agent-process", "binary", "prm800k", "processbench"])
@pytest.mark.parametrize("to", ["agent-process", "binary", "processbench"])
def test_labels_of_files_have_a_way_into_the_usual_projects(source, to):
    every = schemes.shipped()
    assert conversions.route(every[source], every[to])
