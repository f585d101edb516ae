"""A judge's answer under every shipped scheme: its JSON Schema and its reader take the whole answers, and no others."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from annotations import schemes
from annotations.schemes import Scheme, judging
from annotations.schemes.judging import Arounds
from tests import judged, sampled

SAMPLED = {name: scheme for name, scheme in schemes.shipped().items() if scheme.sample}
every_scheme = pytest.mark.parametrize("scheme", SAMPLED.values(), ids=SAMPLED.keys())
few = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


@cache
def arounds(name: str) -> Arounds:
    return judged.ground(SAMPLED[name]).arounds(SAMPLED[name])


@cache
def validator(name: str) -> Draft202012Validator:
    made = judging.schema(SAMPLED[name], arounds(name))
    Draft202012Validator.check_schema(made)
    return Draft202012Validator(made)


def complaints(scheme: Scheme, answer: Any) -> list[str]:
    return [error.message[:300] for error in validator(scheme.name).iter_errors(answer)]


def in_order(scheme: Scheme, said: dict[Any, Any]) -> dict[Any, Any]:
    return {place: scheme.field(place[1]).in_order(one) for place, one in said.items()}


@every_scheme
def test_the_sample_is_a_whole_answer(scheme: Scheme):
    said = sampled.answers_of(scheme)
    places = arounds(scheme.name) | {
        place: judged.ground(scheme).around(scheme.field(place[1]), *place) for place in said
    }
    answer = judged.told(scheme, said)
    found = judging.read(scheme, places, answer)
    assert found.problems == []
    assert found.labels == said


@every_scheme
@few
@given(data=st.data())
def test_whole_answers_are_taken_by_the_schema_and_by_the_reader(scheme: Scheme, data: st.DataObject):
    said = data.draw(judged.answers(scheme, arounds(scheme.name)))
    answer = judged.told(scheme, said)
    assert complaints(scheme, answer) == []
    found = judging.read(scheme, arounds(scheme.name), answer)
    assert found.problems == []
    assert found.labels == in_order(scheme, said)
    explained = {place for place in said if judging.is_explained(scheme.field(place[1]))}
    assert found.explanations == dict.fromkeys(explained, "Because.")


SAYS_NOT = ("spans", "preference")  # bounds and overlaps of spans, each candidate of a ranking once: `read` alone says


@every_scheme
@few
@given(data=st.data())
def test_what_is_no_whole_answer_is_refused_by_the_reader_and_but_for_spans_and_rankings_by_the_schema(
    scheme: Scheme, data: st.DataObject
):
    places = arounds(scheme.name)
    said = data.draw(judged.answers(scheme, places))
    spoilt = data.draw(judged.spoilt(scheme, said, places))
    whole = judged.is_whole(scheme, places, in_order(scheme, spoilt))
    answer = judged.told(scheme, spoilt)
    found = judging.read(scheme, places, answer)
    assert (not found.problems) == whole, found.problems
    taken = not complaints(scheme, answer)
    if taken != whole:
        odd = {scheme.field(place[1]).kind for place in spoilt if spoilt[place] != said.get(place)}
        assert taken and odd and odd <= set(SAYS_NOT)


WRONG_SHAPES: list[Any] = [
    None,
    [],
    "1",
    {},
    {"step": {}},
    {"steps": []},
    {"steps": {"0": []}},
    {"steps": {"999": {}}},
    {"steps": {}, "trajectory": None},
]


@every_scheme
@pytest.mark.parametrize("answer", WRONG_SHAPES, ids=repr)
def test_an_answer_of_another_shape_is_refused_by_both(scheme: Scheme, answer: Any):
    if judged.is_whole(scheme, arounds(scheme.name), {}) and answer == {}:
        return
    assert complaints(scheme, answer)
    found = judging.read(scheme, arounds(scheme.name), answer)
    assert found.problems and found.labels == {}


@every_scheme
@few
@given(data=st.data())
def test_a_verdict_without_its_reason_is_refused_by_both(scheme: Scheme, data: st.DataObject):
    said = data.draw(judged.answers(scheme, arounds(scheme.name)))
    if not any(judging.is_explained(scheme.field(name)) for _, name in said):
        return
    for why in ("", "  "):
        answer = judged.told(scheme, said, why)
        assert complaints(scheme, answer)
        assert judging.read(scheme, arounds(scheme.name), answer).problems
    answer = copy.deepcopy(judged.told(scheme, said))
    _take_away(answer, "why")
    assert complaints(scheme, answer)
    assert judging.read(scheme, arounds(scheme.name), answer).problems


def _take_away(said: Any, key: str) -> None:
    if isinstance(said, dict):
        said.pop(key, None)
        for one in said.values():
            _take_away(one, key)


def test_an_answer_says_why_before_it_says_what():
    scheme = SAMPLED["agent-process"]
    made = judging.schema(scheme, arounds(scheme.name))
    (step,) = made["$defs"].values()
    assert list(step["properties"]["label"]["properties"]) == ["why", "answer"]
    assert step["required"] == ["label"]
    assert made["properties"]["steps"]["required"] == ["1", "2", "3"]
    assert made["properties"]["trajectory"]["required"] == ["final"]


def test_what_is_wrong_is_said_with_its_place_and_what_is_accepted():
    scheme = SAMPLED["agent-process"]
    answer = judged.told(scheme, {(1, "label"): 7, (2, "label"): 1, (None, "final"): 1})
    answer["steps"]["2"]["mood"] = {"why": "Hm.", "answer": 1}
    problems = dict(judging.read(scheme, arounds(scheme.name), answer).problems)
    assert problems == {
        "steps.1.label.answer": "label takes one of 1, 0, -1, not 7",
        "steps.2.mood": "there is no such place; asked here is label, correction, note",
        "steps.3.label": "is missing; accepted is 1, 0, -1",
    }


def test_after_the_first_error_nothing_is_asked():
    scheme = SAMPLED["processbench"]
    said = {(1, "label"): 1, (2, "label"): -1, (None, "answer"): 0}
    places = arounds(scheme.name)
    assert complaints(scheme, judged.told(scheme, said)) == []
    assert judging.read(scheme, places, judged.told(scheme, said)).problems == []
    more = judged.told(scheme, {**said, (3, "label"): 1})
    assert complaints(scheme, more)
    assert [one.place for one in judging.read(scheme, places, more).problems] == ["steps.3.label"]
