"""Traces of terminals: rows of commands, and recordings."""

from __future__ import annotations

from typing import Any

import pytest

from annotations import formats
from annotations.records import StepRecord, TrajectoryRecord
from tests.unit.test_formats_agents import agents, items_of, records_of

HEAD = {"version": 2, "width": 80, "height": 24, "title": "Say hello."}


def typed(step: StepRecord) -> Any:
    return step.tool_calls[0]["arguments"] if step.tool_calls else None


def printed(step: StepRecord) -> dict[str, Any]:
    return {one["name"]: one["content"] for one in step.observations}


def cast(*events: list[Any], **head: Any) -> TrajectoryRecord:
    (record,) = records_of("terminal", HEAD | head, *events)
    return record


def test_a_command_is_a_step_with_all_that_came_of_it():
    row = {"command": "cat a", "stdout": "one", "stderr": "two", "exit_code": 1, "duration": 0.5, "cwd": "/"}
    (record,) = records_of("terminal", row)
    (step,) = agents(record)
    assert (typed(step), printed(step)) == ("cat a", {"stdout": "one", "stderr": "two", "exit code": "1"})
    assert step.extra["values"] == {"exit_code": 1, "seconds": 0.5}
    assert step.extra["fields"] == {"duration": 0.5, "cwd": "/"}


def test_rows_belong_together_by_their_session():
    rows = [{"session_id": name, "command": name, "stdout": ""} for name in ("a", "b", "a")]
    one, two = records_of("terminal", *rows)
    assert [(record.external_id, len(agents(record))) for record in (one, two)] == [("a", 2), ("b", 1)]
    assert [step.source_index for step in one.steps] == [1, 2]


def test_an_object_may_hold_all_commands_and_what_came_of_them():
    (record,) = records_of(
        "terminal", {"goal": "Look.", "trace": [{"cmd": ["ls", "-l"], "output": "a"}], "success": False}
    )
    assert [(step.source, step.source_index) for step in record.steps] == [("user", 0), ("agent", 1)]
    assert (typed(record.steps[1]), record.outcome, record.task.instruction) == ("ls -l", {"success": False}, "Look.")


def test_what_is_no_command_is_named():
    items = items_of("terminal", {"command": "ls", "stdout": ""}, {"note": "lunch"})
    assert [(item.line, bool(item.record)) for item in items] == [(2, False), (1, True)]
    assert "accepted is an object with command" in items[0].problems[0].reason


@pytest.mark.parametrize(
    "value", [{"command": "ls"}, {"stdout": "a"}, {"commands": []}, {"version": 2}, [], [[1, "o", "a"]]]
)
def test_other_objects_are_not_taken_for_traces(value):
    assert not formats.FORMATS["terminal"].recognises(value)


def test_a_recording_of_typing_gives_the_commands_that_were_typed():
    record = cast(
        [0.1, "o", "$ "],
        [0.2, "i", "lz"],
        [0.3, "i", "\x7fs"],
        [0.4, "o", "ls"],
        [0.5, "i", "\r"],
        [0.6, "o", "\r\na.py\r\n$ "],
        [0.7, "i", "exit\r"],
    )
    assert [(step.source, step.source_index, typed(step)) for step in record.steps] == [
        ("system", 0, None),
        ("agent", 2, "ls"),
        ("agent", 7, "exit"),
    ]
    assert printed(record.steps[1]) == {"output": "\r\na.py\r\n$ "}


def test_a_recording_of_output_is_cut_at_its_prompts():
    record = cast(
        [0.1, "o", "Welcome.\r\n\x1b[32mada@host:~$\x1b[0m ls\r\n"],
        [0.2, "o", "a.py\r\n"],
        [0.3, "o", "root@host:/# id\r\n0\r\n"],
    )
    assert [(step.source, step.source_index, typed(step)) for step in record.steps] == [
        ("system", 0, None),
        ("agent", 1, "ls"),
        ("agent", 3, "id"),
    ]
    assert [printed(step) for step in agents(record)] == [{"output": "a.py\n"}, {"output": "0\n"}]


def test_a_recording_without_prompts_is_one_step():
    (step,) = cast([0.1, "o", "Hello"], [0.2, "m", "mark"], [0.3, "o", "."]).steps
    assert (step.source, printed(step)) == ("agent", {"output": "Hello."})


def test_the_first_version_holds_its_events_in_one_object():
    (record,) = records_of(
        "terminal", {"version": 1, "width": 80, "height": 24, "stdout": [[0.1, "$ ls\r\n"], [0.2, "a\r\n"]]}
    )
    assert [typed(step) for step in record.steps] == ["ls"]


def test_an_event_that_is_none_is_named():
    ((problem,),) = [item.problems for item in items_of("terminal", HEAD, [0.1, "o"])]
    assert (problem.field, problem.line) == ("events[0]", 1)


def test_a_step_of_every_command_is_stored_once():
    record = cast([0.1, "o", "$ a\n$ b\n$ c\n"])
    indices = [step.source_index for step in record.steps]
    assert indices == sorted(set(indices)) == [1, 2, 3]
