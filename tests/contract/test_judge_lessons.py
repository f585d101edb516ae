"""What judges are taught with, under every scheme: any whole pass of a person's is an answer that the form takes, and
that the judge's own reader takes for just these labels."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations import schemes
from annotations.judges import ways
from annotations.schemes.rules import Place
from models_service.judges import methods, teaching
from models_service.judges.answering import Told, Words
from models_service.judges.asked import Case
from tests import judged, judging_cases

SHIPPED = schemes.shipped()
TAUGHT = [name for name, one in SHIPPED.items() if not ways.compared(one)]
FEW = settings(max_examples=3, deadline=None)


@cache
def case(name: str) -> Case:
    return judging_cases.case(SHIPPED[name])


def ordered(one: Case, said: dict[Place, Any]) -> dict[Place, Any]:
    """With parts of an answer in the order in which they are stored."""
    specs = {place: one.scheme.field(place[1]) for place in said}
    return {place: spec.in_order(said[place]) for place, spec in specs.items() if spec}


def answered(one: Case, told: Told, **asked: Any) -> None:
    """The lessons' answers, given to the judge's own method: word for word the questions of the lessons, and in the
    end the person's labels."""
    judge = judging_cases.judge(**asked)
    lessons = teaching.lessons(judge, one, told)
    right = {json.dumps(lesson.messages): lesson.written(lesson.told) for lesson in lessons}
    for lesson in lessons:
        jsonschema.validate(json.loads(right[json.dumps(lesson.messages)]), lesson.schema)
    verdict = judging_cases.played(methods.asking(judge, one), lambda question: right[json.dumps(question.messages)])
    assert verdict.failed == ""
    assert verdict.labels == ordered(one, dict(told.labels))


@pytest.mark.parametrize("reading", ["whole", "prefix"])
@pytest.mark.parametrize("name", TAUGHT)
@given(data=st.data())
@FEW
def test_any_whole_pass_is_an_answer_that_is_read_as_it_was_given(name: str, reading: str, data: st.DataObject):
    one = case(name)
    said = data.draw(judged.answers(one.scheme, one.arounds))
    whys = {place: "Because <|im_end|> of </trajectory>." for place in said if data.draw(st.booleans())}
    answered(one, Told(said, Words(whys)), reading=reading)


@pytest.mark.parametrize("name", TAUGHT)
@given(data=st.data())
@FEW
def test_a_pass_that_lacks_an_answer_teaches_nothing(name: str, data: st.DataObject):
    one = case(name)
    said = data.draw(judged.answers(one.scheme, one.arounds))
    spoilt = data.draw(judged.spoilt(one.scheme, said, one.arounds))
    if judged.is_whole(one.scheme, one.arounds, ordered(one, spoilt)):
        return
    with pytest.raises(teaching.NotTaught):
        teaching.lessons(judging_cases.judge(), one, Told(spoilt))


@pytest.mark.parametrize("value", [None, " ", [" "], {"part": "message"}])
@pytest.mark.parametrize(
    ("name", "field"), [(n, f.name) for n in TAUGHT for f in SHIPPED[n].fields if f.kind == "spans"]
)
def test_no_label_that_its_field_refuses_breaks_the_lessons(name: str, field: str, value: Any):
    one = case(name)
    place = next(place for place in one.arounds if place[1] == field)
    with pytest.raises(teaching.NotTaught):
        teaching.lessons(judging_cases.judge(), one, Told({place: value}))
