"""What judges are asked under every shipped scheme: a right answer in the form that is sent gives back exactly its
labels, and no other answer gives a label that it does not say."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from annotations import schemes
from annotations.judges import prompts, ways
from annotations.schemes import Scheme
from annotations.schemes.judging_rules import ENDS
from models_service.judges import forms, methods
from models_service.judges.asked import Case
from models_service.judges.methods import single
from models_service.judges.reading import read
from tests import judged, judging_cases

SAMPLED = {name: scheme for name, scheme in schemes.shipped().items() if scheme.sample}
every_scheme = pytest.mark.parametrize("scheme", SAMPLED.values(), ids=SAMPLED.keys())
few = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


@cache
def case(name: str) -> Case:
    return judging_cases.case(SAMPLED[name])


@cache
def form(name: str) -> dict[str, Any]:
    return forms.schema(SAMPLED[name], case(name).arounds)


def whole_answers(data: st.DataObject, scheme: Scheme) -> dict[Any, Any]:
    return data.draw(judged.answers(scheme, case(scheme.name).arounds))


@every_scheme
def test_the_form_has_only_what_strict_modes_take(scheme: Scheme):
    Draft202012Validator.check_schema(form(scheme.name))
    known = {"type", "properties", "required", "additionalProperties", "anyOf", "enum", "items", "$ref", "$defs"}
    for node in _nodes(form(scheme.name)):
        assert set(node) <= known, node
        assert {"type", "anyOf", "$ref"} & set(node), f"strict modes ask for a type: {node}"
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])


def _nodes(schema: dict[str, Any]) -> Any:
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values(), *schema.get("anyOf", ())]
    for one in [*inner, *([schema["items"]] if "items" in schema else [])]:
        yield from _nodes(one)


@every_scheme
@few
@given(data=st.data())
def test_a_right_answer_in_the_form_that_is_sent_gives_back_its_labels(scheme: Scheme, data: st.DataObject):
    said = whole_answers(data, scheme)
    answer = judging_cases.spoken(case(scheme.name), said)
    assert not list(Draft202012Validator(form(scheme.name)).iter_errors(_ended(scheme, answer)))
    found = read(scheme, case(scheme.name).arounds, case(scheme.name).record.steps, json.loads(json.dumps(answer)))
    assert found.reading.problems == []
    assert found.reading.labels == {place: scheme.field(place[1]).in_order(one) for place, one in said.items()}
    assert found.notes.ignored == []


def _ended(scheme: Scheme, answer: dict[str, Any]) -> dict[str, Any]:
    """Steps that are not asked any more as null, where the scheme ends at the first error."""
    if not any(rule.rule in ENDS for rule in scheme.rules):
        return answer
    steps = {step: one if any(one.values()) else None for step, one in answer["steps"].items()}
    return {**answer, "steps": steps}


@every_scheme
@few
@given(data=st.data())
def test_no_answer_gives_a_label_that_it_does_not_say(scheme: Scheme, data: st.DataObject):
    said = whole_answers(data, scheme)
    spoilt = data.draw(judged.spoilt(scheme, said, case(scheme.name).arounds))
    try:
        answer = judging_cases.spoken(case(scheme.name), spoilt)
    except (TypeError, KeyError, AttributeError):
        return  # junk that has no words: the malformed ones below are of that kind
    found = read(scheme, case(scheme.name).arounds, case(scheme.name).record.steps, answer).reading
    for place, value in found.labels.items():
        assert place in spoilt
        assert _same(value, scheme.field(place[1]).in_order(spoilt[place]))


NAMES = st.sampled_from(["steps", "trajectory", "1", "2", "label", "why", "answer", "x"])
ATOMS = st.one_of(st.none(), st.booleans(), st.integers(-2, 3), st.floats(allow_nan=False), st.sampled_from(["", "1"]))
JUNK = st.recursive(
    ATOMS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=12,
)


@every_scheme
@few
@given(junk=JUNK)
def test_junk_is_read_without_an_error_of_ours_and_labels_nothing_it_does_not_name(scheme: Scheme, junk: Any):
    found = read(scheme, case(scheme.name).arounds, case(scheme.name).record.steps, junk).reading
    assert set(found.labels) <= _named(junk)


def _same(one: Any, other: Any) -> bool:
    """Whether both are the same, of the same types: true is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _named(junk: Any) -> set[Any]:
    """The places at which it has an answer."""
    found = set()
    for step, fields in {**_object(_object(junk).get("steps")), None: _object(junk).get("trajectory")}.items():
        for name, entry in _object(fields).items():
            if "answer" in _object(entry) and (step is None or step.isdecimal()):
                found.add((None if step is None else int(step), name))
    return found


def _object(one: Any) -> dict[Any, Any]:
    return one if isinstance(one, dict) else {}


@every_scheme
@pytest.mark.parametrize("reading", ["whole", "prefix"])
def test_every_prompt_of_ours_asks_something_of_every_scheme_it_fits(scheme: Scheme, reading: str):
    for prompt in prompts.fitting(scheme):
        judging = judging_cases.judge(prompt.text, reading=reading)
        work = single.asking(judging, case(scheme.name))
        for question in next(work):
            system, user = (one["content"] for one in question.messages)
            assert "{{" not in system and "What always holds" in system
            assert user.startswith("<trajectory>\n{")
            assert "secret reference" not in user and "the-policy" not in user


@every_scheme
@pytest.mark.parametrize("reading", ["whole", "prefix"])
@few
@given(data=st.data())
def test_from_question_to_verdict_the_labels_are_those_that_were_said(
    scheme: Scheme, reading: str, data: st.DataObject
):
    """Where nothing is compared: comparisons have tests of their own."""
    if ways.compared(scheme):
        return
    said = whole_answers(data, scheme)
    answers = judging_cases.by_step(case(scheme.name), said)
    verdict = judging_cases.played(methods.asking(judging_cases.judge(reading=reading), case(scheme.name)), answers)
    assert verdict.failed == ""
    assert verdict.labels == {place: scheme.field(place[1]).in_order(one) for place, one in said.items()}
