"""Rows that ask something of a trajectory: long-context questions, what a judge is to answer, Label Studio's tasks."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from annotations import schemes
from annotations.formats.judge_rows import JudgeRows
from annotations.formats.label_studio import CONFIG, LabelStudio
from annotations.formats.long_context_qa import FIRST_ERROR, LongContextQA
from annotations.records import Labelled, RatingRecord, SchemeRecord
from annotations.schemes import judging
from annotations.schemes.fields.base import Around
from tests.rollouts import agent, rollout, user


def questions(*rollouts: Labelled, ask: str = "answer") -> list[dict[str, Any]]:
    return list(LongContextQA().rows(rollouts, {"ask": ask}))


def test_every_observation_is_in_the_context_once_and_the_answer_is_found_in_it():
    turns = agent(1, "a", "{}", "It is Turku."), agent(2, "b", "{}", "It is Turku."), agent(3, "c", "{}", "TURKU again")
    labelled = rollout(*turns, agent(4, "Turku"), grades=[1, 1, 0], final=1, asked="Where?")
    assert questions(labelled) == [
        {
            "kind": "answer",
            "question": "Where?",
            "context": "It is Turku.\n\nTURKU again",
            "sources": [
                {"step": 1, "start": 0, "end": 12, "grade": 1},
                {"step": 3, "start": 14, "end": 25, "grade": 0},
            ],
            "evidence": [{"start": 6, "end": 11, "step": 1}, {"start": 14, "end": 19, "step": 3}],
            "answer": "Turku",
            "task": "task",
            "trajectory": "t",
        }
    ]


def test_the_answer_is_the_one_the_file_names_before_the_last_words():
    labelled = rollout(agent(1, "a", "{}", "seen"), "I think it is x.", final=1, record={"outcome": {"answer": "x"}})
    assert [row["answer"] for row in questions(labelled)] == ["x"]


def test_nothing_is_asked_of_a_rollout_that_is_not_known_to_be_right():
    turns = agent(1, "a", "{}", "seen"), agent(2, "x")
    assert [questions(rollout(*turns, final=final)) for final in (None, 0, -1)] == [[], [], []]
    assert questions(rollout("a", "x", final=1)) == [], "there is no observation"


def test_the_first_wrong_step_is_asked_for_with_the_step_as_evidence():
    (row,) = questions(rollout("a", "bad", "c", grades=[0, -1]), ask="first-error")
    assert (row["kind"], row["question"], row["answer"]) == ("first-error", FIRST_ERROR, "2")
    assert row["context"] == "[user]\nQ\n\n[step 1]\na\n\n[step 2]\nbad\n\n[step 3]\nc"
    assert [row["context"][one["start"] : one["end"]] for one in row["evidence"]] == ["bad"]
    assert [one["grade"] for one in row["sources"]] == [0, -1, None]


def test_it_is_asked_only_where_the_answer_is_known():
    assert [row["answer"] for row in questions(rollout("a", "b", grades=[1, 0]), ask="both")] == ["none"]
    assert questions(rollout("a", "b", grades=[None, -1]), ask="first-error") == []
    assert questions(rollout("a", "b", grades=[1]), ask="first-error") == []


@given(st.lists(st.tuples(st.text("aAb🕳 \n", max_size=5), st.text("aA🕳ß", min_size=1, max_size=3)), max_size=5))
def test_evidence_is_always_the_answer_itself(said):
    for answer in {one for _, one in said}:
        turns = [agent(place, "", "{}", seen) for place, (seen, _) in enumerate(said, 1)]
        for row in questions(rollout(*turns, agent(len(said) + 1, answer), final=1)):
            found = [row["context"][one["start"] : one["end"]] for one in row["evidence"]]
            assert all(one.casefold() == answer.casefold() for one in found)
            assert (answer in row["context"]) <= bool(found)


def judged(labelled: Labelled, **asked: Any) -> list[dict[str, Any]]:
    return [json.loads(row["messages"][-1]["content"]) for row in JudgeRows().rows([labelled], asked)]


SAID = rollout("a", "bad", "c", grades=[1, -1, None], explanations={2: "Off by one."}, final=-1)


def test_a_judge_is_to_answer_what_was_labelled_with_the_reason_first():
    (row,) = JudgeRows().rows([SAID], {})
    assert [one["role"] for one in row["messages"]] == ["system", "user", "assistant"]
    assert row["messages"][1]["content"] == (
        "[user]\nQ\n\n[step 1]\na\n\n[step 2]\nbad\n\n[step 3]\nc\n\n[asked for]\n"
        "label of step 1, without a reason\nlabel of step 2, with a reason\nfinal of the trajectory, without a reason"
    )
    assert row["messages"][2]["content"] == (
        '{"steps":{"1":{"label":{"answer":1}},"2":{"label":{"why":"Off by one.","answer":-1}}},'
        '"trajectory":{"final":{"answer":-1}}}'
    )


def test_only_labels_with_a_reason_are_asked_for_where_that_is_wanted():
    assert judged(SAID, why="dropped") == [{"steps": {"2": {"label": {"why": "Off by one.", "answer": -1}}}}]
    assert judged(rollout("a", grades=[1]), why="dropped") == []


def test_one_step_is_judged_without_what_came_after_it():
    rows = list(JudgeRows().rows([SAID], {"unit": "step"}))
    assert [sorted(json.loads(row["messages"][2]["content"])["steps"]) for row in rows] == [["1"], ["2"]]
    assert "[step 2]" not in rows[0]["messages"][1]["content"]
    assert "trajectory" not in json.loads(rows[0]["messages"][2]["content"])


def test_answers_are_in_the_words_and_fields_of_the_scheme():
    scheme = SchemeRecord("own", "1", "", {"main": "quality", "final": "verdict"})
    labelled = rollout(
        "a", grades=[1], final=1, record={"schemes": (scheme,), "rating": RatingRecord({1: "good"}, final="solved")}
    )
    steps, whole = {"1": {"quality": {"answer": "good"}}}, {"verdict": {"answer": "solved"}}
    assert judged(labelled) == [{"steps": steps, "trajectory": whole}]
    assert judged(labelled, words="grades")[0]["steps"] == {"1": {"quality": {"answer": 1}}}


def test_what_a_judge_is_to_answer_is_an_answer_under_the_scheme():
    scheme = schemes.shipped()["agent-process"]
    labelled = rollout("a", "bad", grades=[1, -1], explanations={1: "Fine.", 2: "Off."})
    (answer,) = judged(labelled, why="dropped")
    arounds = {(1, "label"): Around(), (2, "label"): Around()}
    reading = judging.read(scheme, arounds, answer)
    assert (reading.problems, reading.labels) == ([], {(1, "label"): 1, (2, "label"): -1})


def tasks(labelled: Labelled) -> list[dict[str, Any]]:
    return list(LabelStudio().rows([labelled], {}))


def test_a_task_of_label_studio_has_a_choice_for_each_labelled_step():
    labelled = rollout(
        agent(1, "a"), user("More?", 2), agent(3, "bad"), grades=[None, -1], explanations={3: "Off."}, final=1
    )
    (task,) = tasks(labelled)
    assert task["data"]["steps"] == [{"index": 1, "text": "a"}, {"index": 3, "text": "bad"}]
    assert task["data"]["prompt"] == "Q"
    assert task["annotations"] == [
        {
            "result": [
                {
                    "id": "label_1",
                    "from_name": "label_1",
                    "to_name": "step_1",
                    "type": "choices",
                    "value": {"choices": ["Wrong"]},
                },
                {
                    "id": "why_1",
                    "from_name": "why_1",
                    "to_name": "step_1",
                    "type": "textarea",
                    "value": {"text": ["Off."]},
                },
                {
                    "id": "final",
                    "from_name": "final",
                    "to_name": "question",
                    "type": "choices",
                    "value": {"choices": ["Right"]},
                },
            ]
        }
    ]
    assert task["predictions"] == []


def test_scores_are_predictions_and_never_annotations():
    (task,) = tasks(rollout("a", scores={1: 0.25}))
    assert task["annotations"] == []
    assert [one["value"] for one in task["predictions"][0]["result"]] == [{"number": 0.25}]


def test_the_labelling_configuration_names_every_kind_of_result():
    root = ElementTree.fromstring(CONFIG)
    named = {tag.get("name", "").replace("{{idx}}", "0"): tag.tag.lower() for tag in root.iter() if tag.get("name")}
    labelled = rollout("a", grades=[1], explanations={1: "Fine."}, final=1, scores={1: 0.5})
    (task,) = tasks(labelled)
    results = [one for said in (*task["annotations"], *task["predictions"]) for one in said["result"]]
    assert {one["from_name"]: one["type"] for one in results}.items() <= named.items()
    assert {one["to_name"] for one in results} <= named.keys()
    choices = {tag.get("value") for tag in root.iter("Choice")}
    assert {text for one in results for text in one["value"].get("choices", ())} <= choices
    assert LabelStudio().beside({}) == {"labelling.xml": CONFIG}
