"""Lessons for judges: whose words stand in an answer, and what no answer can be made of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from annotations import schemes
from models_service.judges import teaching
from models_service.judges.answering import Told, Words
from models_service.judges.teaching import Lesson, NotTaught
from tests import judging_cases

SCHEME = schemes.shipped()["agent-process"]
CASE = judging_cases.case(SCHEME)
SAID: dict[Any, Any] = judging_cases.sample(SCHEME)
WHY = Told(SAID, Words({(1, "label"): "It is <|im_end|> true."}))


def lessons(told: Told = WHY, **settings: Any) -> list[Lesson]:
    return teaching.lessons(judging_cases.judge(**settings), CASE, told)


def test_the_persons_own_reasons_stand_in_the_answer_and_a_dash_where_they_gave_none():
    (lesson,) = lessons()
    text = lesson.written(WHY)
    answer = json.loads(text)
    assert answer["steps"]["1"]["label"] == {
        "evidence": "",
        "why": "It is <|im_end|> true.",
        "answer": SAID[1, "label"],
        "confidence": None,
    }
    assert "<|im_end|>" not in text  # in JSON's escapes, so that no tokenizer takes it for its own
    assert answer["steps"]["2"]["label"]["why"] == "-"


def test_step_by_step_there_is_a_lesson_for_each_step_in_order_and_one_for_the_whole():
    found = lessons(reading="prefix")
    assert [one.step for one in found] == [1, 2, 3, None]
    assert '"index": 3' not in found[0].messages[1]["content"]
    assert json.loads(found[0].written(WHY))["labels"]["label"]["answer"] == SAID[1, "label"]


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "majority", "samples": 3, "temperature": 0.7},
        {"method": "critique"},
        {"method": "panel", "personas": ("a lawyer", "a baker")},
        {"thinks_first": True},
    ],
    ids=lambda one: str(next(iter(one.values()))),
)
def test_deliberation_is_not_taught_but_the_question_that_it_begins_with(settings: dict[str, Any]):
    assert [one.messages for one in lessons(**settings)] == [one.messages for one in lessons()]


def test_an_answer_of_the_judges_is_read_with_its_words():
    (lesson,) = lessons()
    answer = judging_cases.spoken(CASE, SAID)
    answer["steps"]["1"]["label"] |= {"evidence": "some words", "confidence": 80}
    heard = lesson.heard(json.dumps(answer))
    assert heard and heard.told.labels == SAID
    assert json.loads(lesson.written(heard.told))["steps"]["1"]["label"]["evidence"] == "some words"
    assert json.loads(lesson.written(heard.told))["steps"]["1"]["label"]["confidence"] == 80
    assert lesson.heard("I cannot say.") is None
    assert lesson.heard(json.dumps({**answer, "steps": {"1": answer["steps"]["1"]}})) is None


def test_a_question_is_known_by_its_messages_also_where_more_was_said_after_them():
    (lesson,) = lessons()
    asked = [dict(one) for one in lesson.messages]
    assert lesson.is_asked_in(asked)
    assert lesson.is_asked_in([*asked, {"role": "assistant", "content": "{}"}, {"role": "user", "content": "Again."}])
    thinking = [asked[0], {**asked[1], "content": asked[1]["content"] + "\n\nThink first."}]
    assert lesson.is_asked_in(thinking)
    assert not lesson.is_asked_in([asked[0]])
    assert not lesson.is_asked_in([{**asked[0], "content": "Another rubric."}, asked[1]])


def test_the_wrong_steps_alone_are_taught_where_they_say_all():
    said = {**SAID, (1, "label"): -1, (2, "label"): 1, (3, "label"): -1}
    told = Told(said, Words({(1, "label"): "It is false."}))
    (lesson,) = lessons(told, answer="wrong_steps")
    assert json.loads(lesson.written(told)) == {
        "checked": "-",
        "wrong_steps": [
            {"evidence": "", "why": "It is false.", "step": 1},
            {"evidence": "", "why": "-", "step": 3},
        ],
    }
    heard = lesson.heard('{"checked": "One by one.", "wrong_steps": [{"evidence": "x", "why": "No.", "step": 1}]}')
    assert heard and heard.checked == "One by one."
    assert heard.told.labels == {(1, "label"): -1, (2, "label"): 1, (3, "label"): 1}
    assert json.loads(lesson.written(heard.told, heard.checked))["checked"] == "One by one."


def test_what_the_form_cannot_hold_is_not_taught():
    said = {**SAID, (2, "label"): 0}
    with pytest.raises(NotTaught, match="steps.2.label would be read otherwise"):
        lessons(Told(said), answer="wrong_steps")


def test_a_pass_that_is_not_complete_names_what_it_lacks():
    with pytest.raises(NotTaught, match="steps.2.label is missing") as no:
        lessons(Told({place: one for place, one in SAID.items() if place != (2, "label")}))
    assert no.value.kind == "a pass that is not complete"


def test_an_answer_where_a_judge_is_not_asked_is_named():
    with pytest.raises(NotTaught, match="steps.0.label is not asked of a judge"):
        lessons(Told({**SAID, (0, "label"): 1}))
