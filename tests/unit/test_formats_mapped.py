"""JSON that no format knows: a guess at where things are, and records made by pointing."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.formats.base import Item, Refused
from annotations.formats.guessing import guess
from annotations.formats.mapped import Mapped
from annotations.formats.opening.sources import Source
from annotations.formats.pointers import pointers
from annotations.records import TrajectoryRecord

DIALOGUE = {
    "uid": "d-1",
    "meta": {"model": "small-1", "seed": 3},
    "dialog": [
        {"speaker": "human", "utterance": "How deep is the shaft?"},
        {"speaker": "bot", "utterance": "I measure it.", "grade": "good"},
        {"speaker": "environment", "utterance": "12 m"},
        {"speaker": "bot", "utterance": "It is 13 m.", "grade": "bad"},
    ],
}
SOLVED = {"problem": "1 + 1?", "steps": ["Add the two numbers.", "The sum of them is 3."], "mistake_index": 1}


def read(config: dict[str, Any], *values: Any) -> list[Item]:
    text = "".join(json.dumps(one) + "\n" for one in values).encode()
    return list(Mapped("mine", "Mine", pointers(config)).read(Source("mine.jsonl", lambda: BytesIO(text))))


def one(config: dict[str, Any], value: Any) -> TrajectoryRecord:
    (item,) = read(config, value)
    assert isinstance(item.record, TrajectoryRecord), item.problems
    return item.record


def test_turns_and_who_speaks_in_them_are_found():
    found = guess(DIALOGUE)
    assert {name: found[name] for name in ("turns", "role", "content", "id")} == {
        "turns": "dialog",
        "role": "speaker",
        "content": "utterance",
        "id": "uid",
    }


def test_a_list_of_texts_is_taken_for_steps_with_the_question_before_them():
    found = guess(SOLVED)
    assert found == {"records": "", "turns": "steps", "prompt": "problem", "first_error": "mistake_index"}
    record = one(found, SOLVED)
    assert [(step.source, step.message) for step in record.steps][0] == ("user", "1 + 1?")
    assert record.rating.steps == {1: 1, 2: -1} and record.rating.scheme == "processbench"


def test_records_within_a_document_are_found_and_counted():
    document = {"version": 2, "data": {"runs": [DIALOGUE, {"uid": "broken"}, DIALOGUE | {"uid": "d-2"}]}}
    found = guess(document)
    assert (found["records"], found["turns"]) == ("data.runs", "dialog")
    items = read(found, document)
    assert [item.record.external_id for item in items if item.record] == ["d-1", "d-2"]
    (problem,) = items[1].problems
    assert problem.field == "data.runs[1].dialog" and "found null" in problem.reason


def test_labels_of_turns_come_in_as_what_they_are_said_to_mean():
    config = {"turns": "dialog", "role": "speaker", "content": "utterance", "model": "meta.model"}
    record = one(config | {"turn_label": "grade", "values": {"good": 1, "bad": -1}}, DIALOGUE)
    assert record.rating.steps == {1: 1, 3: -1}
    assert (record.policy_model, [len(step.observations) for step in record.steps]) == ("small-1", [0, 1, 0])
    assert record.extra["fields"] == {"uid": "d-1", "meta": {"seed": 3}}


@pytest.mark.parametrize(
    ("labels", "more", "expected"),
    [
        ([1, None, 0], {}, {1: 1, 3: 0}),
        ({"0": 1, "2": -1}, {}, {1: 1, 3: -1}),
        ({"1": 1}, {"base": 1}, {1: 1}),
        ({"1": True, "3": "-1"}, {"numbers": "turns"}, {1: 1, 3: -1}),
        ('{"0": 1}', {}, {1: 1}),
    ],
)
def test_labels_name_steps_or_turns_from_0_or_from_1(labels, more, expected):
    turns = [{"role": name, "text": name} for name in ("user", "assistant", "assistant", "assistant")]
    config = {"turns": "chat", "role": "role", "content": "text", "labels": "labels"} | more
    assert one(config, {"chat": turns, "labels": labels}).rating.steps == expected


@pytest.mark.parametrize(
    ("value", "field", "said"),
    [
        ({"dialog": 3}, "dialog", "found the number 3"),
        ({"dialog": [{"speaker": "martian", "utterance": ""}]}, "dialog[0].speaker", "found the text 'martian'"),
        ({"dialog": [{"speaker": "bot", "utterance": 3}]}, "dialog[0].utterance", "found the number 3"),
        ({"dialog": [7]}, "dialog[0]", "found the number 7"),
        ({"dialog": [{"speaker": "bot", "utterance": ""}], "marks": {"9": 1}}, "marks", "accepted are 0 to 0"),
        ({"dialog": [{"speaker": "bot", "utterance": ""}], "marks": "x"}, "marks", "found the text 'x'"),
    ],
)
def test_what_is_not_as_pointed_is_told_with_its_place(value, field, said):
    config = {"turns": "dialog", "role": "speaker", "content": "utterance", "labels": "marks"}
    (item,) = read(config, value)
    assert item.problems[0].field == field and said in item.problems[0].reason


@pytest.mark.parametrize(
    ("config", "field"),
    [({}, "turns"), ({"turns": "a", "base": 2}, "base"), ({"turns": "a", "colour": "b"}, "colour"), ([], "")],
)
def test_pointers_that_are_none_are_refused_by_name(config, field):
    with pytest.raises(Refused) as no:
        pointers(config)
    assert no.value.field == field


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["user", "gpt", "x", "", "[1]"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "steps", "data", "label", "id"]), inner, max_size=4)
    ),
    max_leaves=15,
)


@settings(max_examples=300, deadline=None)
@given(json_values, json_values)
def test_whatever_is_guessed_reads_or_refuses(value, other):
    found = guess(value)
    if found:
        assert all(item.record or item.problems for item in read(found, value, other))
