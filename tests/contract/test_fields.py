"""What every kind of field promises, whatever it asks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from annotations import schemes
from annotations.schemes.fields import KINDS, PreferenceField, RubricField
from annotations.schemes.fields.base import NOTHING, Around, FieldSpec

OPTIONS = [{"value": "good", "title": "Good"}, {"value": "bad", "title": "Bad"}, {"value": 3, "title": "Third"}]
DECLARED: dict[str, list[dict[str, Any]]] = {
    "choice": [{"choices": OPTIONS}, {"choices": [{"value": -0.5, "title": "Half"}, {"value": 1, "title": "One"}]}],
    "taxonomy": [
        {
            "choices": [
                {"value": "a", "title": "A", "choices": OPTIONS},
                {"value": "none", "title": "None", "alone": True},
            ]
        },
        {"choices": OPTIONS, "most": 1},
        {"choices": [{"value": "none", "title": "None", "alone": True}]},
    ],
    "scale": [
        {},
        {"min": 0, "max": 10, "step": 1},
        {"min": -0.5, "max": 0.5, "step": 0.1},
        {"min": 1, "max": 5, "step": 0.5},
        {"min": 0, "max": 1, "step": 0.01},
        {"min": 1, "max": 100, "step": 3, "better": "low"},
        {"max": 5, "step": 1, "dimensions": [{"name": "clear", "title": "Clear"}, {"name": "true", "title": "True"}]},
    ],
    "progress": [{}, {"step": 5}],
    "flag": [{}],
    "text": [{}],
    "correction": [{}],
    "intervention": [{}],
    "spans": [
        {"types": OPTIONS},
        {"types": OPTIONS, "parts": ["call", "observation"], "evidence": "required"},
        {"types": OPTIONS, "parts": ["message", "reasoning"], "evidence": "optional", "overlap": False},
    ],
    "rubric": [
        {"items": [{"name": "one", "title": "One?"}, {"name": "two", "title": "Two?", "weight": -1}], "na": True},
        {
            "items": [
                {"name": "c", "title": "C", "checks": [{"name": "c.1", "title": "1"}, {"name": "c.2", "title": "2"}]}
            ]
        },
        {"items_from": "task"},
    ],
    "first_error": [{}],
    "preference": [
        {"form": "pair"},
        {"form": "best", "ties": False},
        {"form": "rank", "level": "ranking"},
        {"form": "rank", "level": "ranking", "target": "step", "ties": False},
        {"form": "best", "target": "step"},
    ],
}
MADE = [
    KINDS[kind].model_validate({"name": "asked", "title": "Asked", "kind": kind, **one})
    for kind, several in DECLARED.items()
    for one in several
]
SHIPPED = [spec for scheme in schemes.shipped().values() for spec in scheme.fields]
every_field = pytest.mark.parametrize("spec", MADE, ids=lambda spec: spec.kind)
every_place = pytest.mark.parametrize("known", [False, True], ids=["alone", "in a place"])
ITEMS = {
    "x": {"name": "x", "title": "X?"},
    "y": {"name": "y", "title": "Y?", "checks": [{"name": "y.1", "title": "1"}]},
}


def around(spec: FieldSpec, known: bool = True) -> Around:
    """What an answer may name, where anything is known of the place."""
    if not known:
        return NOTHING
    lengths = {"message": 40, "reasoning": 8, "call-0": 12, "observation-0": 9}
    items = ITEMS if isinstance(spec, RubricField) and spec.items_from != "scheme" else None
    return Around(3, steps=[1, 3, 5], lengths=lengths, items=items, candidates=[1, 3, 5])


def accepts(spec: FieldSpec, value: Any, here: Around) -> bool:
    schema = spec.json_schema(here)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema).is_valid(value)


def test_every_kind_is_declared_here():
    assert set(DECLARED) == set(KINDS)


@every_place
@every_field
def test_its_sample_is_a_whole_answer(spec: FieldSpec, known: bool):
    here = around(spec, known)
    value = spec.sample(here)
    assert (spec.problem(), spec.refusal(value, here), spec.lacking(value, here)) == ("", "", "")


@every_place
@every_field
def test_its_json_schema_takes_the_sample_and_comes_through_json(spec: FieldSpec, known: bool):
    here = around(spec, known)
    value = spec.sample(here)
    assert accepts(spec, value, here)
    assert json.loads(json.dumps(value)) == value


@pytest.mark.parametrize("spec", SHIPPED, ids=lambda spec: spec.name)
def test_a_field_that_is_shipped_promises_the_same(spec: FieldSpec):
    value = spec.sample()
    assert (spec.refusal(value), spec.lacking(value), accepts(spec, value, NOTHING)) == ("", "", True)


NO_ANSWERS: list[Any] = [
    None,
    True,
    False,
    0.123456789,
    -99,
    10**30,
    1e300,
    "",
    "  ",
    "nothing of the kind",
    [],
    [[]],
    [None],
    [{}],
    {},
    {"asked": 1},
    {"step": 99, "text": "x"},
    {"step": True, "text": "x"},
    {"step": 1, "text": ""},
    [["good"], ["bad"]],
    [[1], [1]],
    [[True], [0]],
    [{"part": "message", "start": 5, "end": 2, "type": "good"}],
    [{"part": "call-01", "start": 0, "end": 2, "type": "good"}],
    [{"part": "message\n", "start": 0, "end": 2, "type": "good"}],
    [{"part": "message", "start": 0, "end": 2, "type": "good", "evidence": None}],
    [{"part": ["message"], "start": 0, "end": 2, "type": "good"}],
    [{"part": {}, "start": {}, "end": [], "type": {}}],
    {"one": "maybe"},
    {"one": ["yes"]},
    {"one": {}},
    {"step": {}, "text": {}},
]


@every_field
@pytest.mark.parametrize("value", NO_ANSWERS, ids=repr)
def test_whatever_comes_it_says_why_and_lists_what_it_takes(spec: FieldSpec, value: Any):
    """It never raises; and a text field takes every text, so there is nothing that no field takes."""
    here = around(spec)
    reason = spec.refusal(value, here)
    assert isinstance(reason, str)
    assert spec.accepted(here)
    if not reason:
        assert isinstance(spec.lacking(value, here), str)
        assert json.loads(json.dumps(value)) == value


@every_field
@pytest.mark.parametrize("value", NO_ANSWERS, ids=repr)
def test_what_its_json_schema_takes_is_refused_only_for_what_a_schema_cannot_say(spec: FieldSpec, value: Any):
    """The other way round there are no exceptions: what is a whole answer, the schema takes."""
    here = around(spec)
    whole = not spec.refusal(value, here) and not spec.lacking(value, here)
    assert accepts(spec, value, here) or not whole
    if accepts(spec, value, here) and not whole:
        assert spec.kind in ("spans", "preference", "taxonomy")  # order, bounds, and each candidate once


@every_field
def test_its_parts_are_plain_values_with_names(spec: FieldSpec):
    units = spec.units(spec.sample(around(spec)))
    assert units
    if spec.level not in ("set", "none"):
        for unit in units:
            assert isinstance(unit.value, str | int | float | bool)
    assert all(isinstance(unit.name, str) for unit in units)
    assert len({(unit.name, *unit.extra.values()) for unit in units}) == len(units)


@every_field
def test_where_no_step_moved_the_answer_is_the_same(spec: FieldSpec):
    value = spec.sample(around(spec))
    assert spec.moved(value, {index: index for index in range(99)}) == value


def evidence(step: int) -> list[dict[str, Any]]:
    there = {"step": step, "part": "message", "start": 0, "end": 1}
    return [{"part": "message", "start": 0, "end": 2, "type": "good", "evidence": there}]


NAMES_STEPS = {
    "first_error": (3, 7),
    "intervention": ({"step": 3, "text": "Ask."}, {"step": 7, "text": "Ask."}),
    "spans": (evidence(3), evidence(7)),
}


@pytest.mark.parametrize("kind", NAMES_STEPS)
def test_an_answer_that_names_a_step_goes_with_it_and_ends_with_it(kind: str):
    spec = next(spec for spec in MADE if spec.kind == kind)
    before, after = NAMES_STEPS[kind]
    assert spec.moved(before, {1: 1, 3: 7}) == after
    assert spec.moved(before, {1: 1}) is None


def test_a_preference_among_steps_goes_with_them_and_one_among_rollouts_stays():
    kinds = {(spec.form, spec.target): spec for spec in MADE if isinstance(spec, PreferenceField)}
    best, rank, rollouts = kinds["best", "step"], kinds["rank", "step"], kinds["rank", "task"]
    assert (best.moved(3, {3: 4}), best.moved(3, {}), best.moved("tie", {})) == (4, None, "tie")
    assert rank.moved([[3], [1]], {1: 9, 3: 2}) == [[2], [9]]
    assert rank.moved([[3], [1]], {1: 9}) is None
    assert rollouts.moved([[3], [1]], {}) == [[3], [1]]


@every_field
def test_it_says_its_answer_in_words_and_in_a_tone(spec: FieldSpec):
    value = spec.sample(around(spec))
    assert spec.words(value).strip()
    assert spec.tone(value) in ("right", "neutral", "wrong", "plain")
