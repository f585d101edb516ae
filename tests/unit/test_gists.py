"""Steps in a few words, also where the database sends only the beginning of their JSON."""

from __future__ import annotations

import json

import pytest

from annotations.formats.lines import dump
from annotations.records import StepRecord
from annotations.services import gists
from annotations.services.gists import CALLS, SEEN, Call


def call(name: str, arguments: object) -> dict[str, object]:
    return {"id": "a", "name": name, "arguments": arguments}


def test_a_step_is_what_it_said_called_and_saw():
    step = StepRecord(
        "agent", 0, "I look.\n\nTwice.", tool_calls=(call("look", '{"at": 7}'),), observations=({"content": "Saw\n7."},)
    )
    assert gists.told(step) == ("I look. Twice.", (Call("look", "7"),), "Saw 7.")


def test_who_says_nothing_is_shown_thinking():
    assert gists.told(StepRecord("agent", 0, "", "Hm."))[0] == "Hm."


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ('{"pattern": "x"}', "x"),
        ('{"path": "a.py", "start": 3}', "path: a.py, start: 3"),
        ({"path": "a.py", "start": 3}, "path: a.py, start: 3"),
        ('{"broken', '{"broken'),
        ("[1, 2]", "1 2"),
        (None, ""),
        (json.dumps({"text": "long " * 500}), ("long " * 500)[:200]),
    ],
    ids=range(7),
)
def test_arguments_are_noted_as_a_person_would(arguments: object, shown: str):
    assert gists.told(StepRecord("agent", 0, tool_calls=(call("t", arguments),)))[1] == (Call("t", shown),)


def test_calls_that_break_off_are_read_as_far_as_they_come():
    calls = dump([call("edit", dump({"path": "ü.py", "text": "x" * 10_000}))])
    (found,) = gists._calls(calls[:CALLS])
    assert found.name == "edit"
    assert found.arguments.startswith('{"path":"ü.py","text":"xxx')
    assert len(found.arguments) <= 200


@pytest.mark.parametrize("cut", range(60, 160))
def test_wherever_it_breaks_off_nothing_is_made_up(cut: int):
    said = 'A "quoted"\nword \\ and \u2603 ' * 20
    text = dump([{"role": "tool", "tool_call_id": "a", "name": "t", "content": said}])
    assert said.startswith(gists._beginning(text[:cut]))


def test_an_observation_that_breaks_off_begins_as_it_was():
    text = dump([{"role": "tool", "content": [{"type": "text", "text": "Saw it. " * 1_000}]}])
    assert gists._beginning(text[:SEEN]).startswith("Saw it. Saw it.")


@pytest.mark.parametrize("text", ["", "[]", "[1]", "nonsense", '[{"name":', '[{"name":"a","arguments":{"x"'])
def test_what_is_no_list_of_calls_breaks_nothing(text: str):
    assert all(isinstance(one, Call) for one in gists._calls(text))
    assert isinstance(gists._beginning(text), str)
