"""OpenAI chat: the ways in which conversations are kept in files."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest

from annotations import formats
from annotations.formats.agentprocessbench import AgentProcessBench
from annotations.formats.base import Reader
from annotations.formats.lines import dump
from annotations.formats.openai_chat import OpenAIChat
from annotations.formats.opening.sources import Source
from annotations.formats.turns import call
from annotations.records import TrajectoryRecord

ASKED = {"role": "user", "content": "How far is it?"}
SAID = {"role": "assistant", "content": "Two miles."}
TOOLS = [{"type": "function", "function": {"name": "measure", "parameters": {"type": "object"}}}]


def records(value: Any, expected: str = "openai-chat", name: str = "some.json") -> list[TrajectoryRecord]:
    """The records of a file that holds this value, by the format that finds itself in it."""
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    source = Source(name, lambda: BytesIO(text))
    found, look = formats.detect(source)
    assert found.name == expected and isinstance(found, Reader)
    items = list(found.read(source, look.shape))
    assert [item.problems for item in items] == [()] * len(items)
    return [item.record for item in items if isinstance(item.record, TrajectoryRecord)]


def said(record: TrajectoryRecord) -> list[tuple[str, str]]:
    return [(step.source, step.message) for step in record.steps]


HELD = [("user", "How far is it?"), ("agent", "Two miles.")]


@pytest.mark.parametrize(
    "value",
    [
        [ASKED, SAID],
        {"messages": [ASKED, SAID]},
        {"messages": json.dumps([ASKED, SAID])},
        {"prompt": "How far is it?", "completion": "Two miles."},
        {"prompt": [ASKED], "completion": [SAID]},
        {"prompt": [ASKED], "response": "Two miles."},
        {"request": {"messages": [ASKED]}, "response": {"choices": [{"index": 0, "message": SAID}]}},
        {"messages": [ASKED], "choices": [{"message": SAID}]},
    ],
)
def test_a_conversation_is_read_however_it_is_kept(value):
    (record,) = records(value)
    assert said(record) == HELD
    assert record.task.instruction == "How far is it?"


def test_a_file_of_bare_lists_is_one_conversation_a_list():
    assert [said(record) for record in records([[ASKED, SAID], [ASKED, SAID, ASKED, SAID]])] == [HELD, HELD * 2]
    lines = b"\n".join(json.dumps([ASKED, SAID]).encode() for _ in range(2))
    assert [said(record) for record in records(lines, name="some.jsonl")] == [HELD, HELD]


def test_a_conversation_longer_than_what_is_looked_at_is_still_one_record():
    (record,) = records([ASKED, SAID] * 200)
    assert len(record.steps) == 400


def test_every_choice_of_a_response_is_a_rollout_of_the_same_task():
    log = {
        "request": {"model": "small", "messages": [ASKED], "tools": TOOLS, "temperature": 1},
        "response": {
            "id": "r-1",
            "model": "small-2",
            "choices": [
                {"index": 0, "finish_reason": "stop", "message": SAID},
                {"index": 1, "finish_reason": "length", "message": {"role": "assistant", "content": "Two"}},
            ],
            "usage": {"total_tokens": 9},
        },
        "tag": "night",
    }
    first, second = records(log)
    assert first.task == second.task and first.task.tools == TOOLS
    assert (first.policy_model, first.rollout, second.steps[1].message) == ("small-2", None, "Two")
    assert second.extra["fields"]["choice"] == {"index": 1, "finish_reason": "length"}
    assert first.extra["fields"]["response"]["usage"] == {"total_tokens": 9}
    assert first.extra["fields"]["request"] == {"model": "small", "temperature": 1}
    assert first.extra["fields"]["tag"] == "night"


def test_a_system_prompt_beside_the_messages_opens_them():
    (record,) = records({"system": "Be brief.", "messages": [ASKED, SAID]})
    assert said(record) == [("system", "Be brief."), *HELD]
    (record,) = records({"system": "kept", "messages": [{"role": "system", "content": "Be brief."}, ASKED, SAID]})
    assert said(record)[0] == ("system", "Be brief.") and record.extra["fields"] == {"system": "kept"}


@pytest.mark.parametrize(
    "row",
    [
        {"model": "m", "messages": [ASKED, SAID]},
        {"id": 7, "messages": [ASKED, SAID], "tools": None, "rollout": None},
        {"id": "a", "task_id": "t", "rollout": 3, "messages": [ASKED, SAID], "weight": 0.5},
        {"messages": [ASKED, SAID], "tools": json.dumps(TOOLS), "model": {"name": "m"}},
        {"messages": [ASKED, SAID | {"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{oops"}}]}]},
    ],
)
def test_a_row_is_written_as_it_was_read(row):
    form = OpenAIChat()
    assert dump(form.row(form.record(row))) == dump(row)


def test_other_spellings_are_written_as_messages_and_read_as_the_same_record():
    form = OpenAIChat()
    for value in (
        {"prompt": "How far is it?", "completion": "Two miles.", "seed": 4},
        {"system": "Be brief.", "messages": [ASKED, SAID], "model": "m"},
        {"request": {"messages": [ASKED]}, "response": {"choices": [{"message": SAID}], "model": "m"}},
    ):
        (record,) = records(value)
        row = form.row(record)
        again = form.record(row)
        assert "messages" in row and (again.steps, again.task, again.policy_model) == (
            record.steps,
            record.task,
            record.policy_model,
        )


def test_a_record_of_another_format_is_written_with_its_names():
    row = {
        "query_index": 2,
        "sample_index": 1,
        "data_source": "made",
        "question": "How far is it?",
        "messages": [ASKED, SAID],
        "tool_metrics": {},
        "step_labels": {"1": 1},
    }
    made = OpenAIChat().row(AgentProcessBench().record(row))
    assert made["messages"] == row["messages"] and "step_labels" not in made
    assert (made["id"], made["task_id"], made["rollout"]) == ("made:2:1", "made:2", 1)
    assert made["tool_metrics"] == {}


def test_who_is_no_message_of_this_format_is_left_to_others():
    form = OpenAIChat()
    for value in (
        {"messages": [{"content": "no role"}]},
        [{"type": "message", "role": "user", "content": "x"}],
        [{"role": "pilot", "content": "x"}],
        [{"role": ["user"], "content": "x"}],
        {"prompt": [ASKED], "completion": [SAID], "label": True},
        {"prompt": 3, "completion": 4},
        {"request": {"messages": [ASKED]}, "response": None},
        [],
        None,
        "text",
    ):
        assert not form.recognises(value)


def test_a_call_keeps_what_else_is_said_of_it_under_any_name():
    made = call("open", "{}", "a", call_id="b", name="c")
    assert (made["id"], made["call_id"], made["name"], made["function"]["name"]) == ("a", "b", "c", "open")
