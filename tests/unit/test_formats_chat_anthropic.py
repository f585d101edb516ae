"""Anthropic messages: blocks become steps, and results that the user's messages hold go to their calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from annotations.formats import chat
from annotations.formats.anthropic import Anthropic
from annotations.formats.base import Refused
from tests.unit.test_formats_chat import records

USE = {"type": "tool_use", "id": "u", "name": "f", "input": {"a": 1}}
THINKING = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
ASKED = {"role": "user", "content": "Go."}
SAMPLE = Path(__file__).parents[1] / "samples" / "anthropic.jsonl"


def result(call_id: str, content: Any = "r", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def agent(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def test_results_inside_what_the_user_says_are_observations_and_the_rest_is_a_turn():
    said = user(result("u", is_error=True), {"type": "text", "text": "Hurry."})
    (record,) = records([ASKED, agent(THINKING, USE), said, agent({"type": "text", "text": "Done."})], "anthropic")
    assert [(step.source, step.source_index) for step in record.steps] == [
        ("user", 0),
        ("agent", 1),
        ("user", 2),
        ("agent", 3),
    ]
    step = record.steps[1]
    assert (step.reasoning, step.tool_calls[0]["arguments"]) == ("Hm.", {"a": 1})
    assert step.observations[0] == {"role": "tool", "tool_call_id": "u", "content": "r", "is_error": True}
    assert step.extra["fields"]["pieces"] == [{"type": "thinking", "signature": "s"}]
    assert record.steps[2].message == "Hurry."


def test_as_chat_the_results_come_before_what_the_user_adds():
    said = user({"type": "text", "text": "Hurry."}, result("u"))
    (record,) = records([ASKED, agent(USE), said, agent()], "anthropic")
    assert [one["role"] for one in chat.messages_of(record.steps)] == ["user", "assistant", "tool", "user", "assistant"]


def test_two_messages_of_the_assistant_are_two_steps():
    (record,) = records([ASKED, agent(THINKING), agent(USE), user(result("u"))], "anthropic")
    assert [step.source for step in record.steps] == ["user", "agent", "agent"]
    assert len(record.steps[2].observations) == 1


def test_a_tool_of_the_server_is_answered_in_the_step_that_goes_on():
    search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}}
    came = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"type": "web_search_result"}]}
    (record,) = records([ASKED, agent(search, came, {"type": "text", "text": "So."})], "anthropic")
    (step,) = record.steps[1:]
    assert (step.message, step.tool_calls[0]["name"], len(step.observations)) == ("So.", "web_search", 1)


def test_a_logged_request_is_read_with_its_response():
    (record,) = records(json.loads(SAMPLE.read_text().splitlines()[1]), "anthropic")
    assert (record.policy_model, record.external_id, record.steps[-1].message) == ("small-4b", "msg_1", "A ferry.")
    assert record.extra["fields"] == {"request": {"model": "small-4"}}
    assert record.steps[-1].extra["fields"]["pieces"][0]["usage"] == {"input_tokens": 9}


def test_a_system_prompt_of_blocks_opens_and_a_picture_is_kept():
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    said = {"system": [{"type": "text", "text": "Be kind."}], "messages": [user(picture), agent(USE)]}
    (record,) = records(said, "anthropic")
    assert [(step.source, step.message) for step in record.steps][:2] == [("system", "Be kind."), ("user", "[image]")]
    assert record.steps[1].extra["fields"]["content"] == [picture]


def test_a_call_without_a_result_and_a_result_without_a_call_are_kept():
    (record,) = records([user(result("nobody")), ASKED, agent(USE)], "anthropic")
    assert (record.steps[0].source, record.steps[0].message) == ("user", "r")
    assert record.steps[2].tool_calls and not record.steps[2].observations
    (record,) = records([user(result("a"), result("b")), agent(USE)], "anthropic")
    assert [step.source_index for step in record.steps] == [0, 1]
    assert record.steps[0].extra["fields"]["content"] == [result("a"), result("b")]


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([ASKED, 7], "messages[1]"),
        ([ASKED, {"role": "tool", "content": ""}], "messages[1].role"),
        ([ASKED], "messages"),
        ([], "messages"),
    ],
)
def test_what_is_no_message_is_named(messages, field):
    with pytest.raises(Refused) as refused:
        list(Anthropic().records(messages))
    assert refused.value.field == field


def test_chat_is_left_to_chat():
    for value in (
        [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}],
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
        {"messages": [{"role": "assistant", "content": "", "tool_calls": []}], "system": "x"},
        {"messages": [{"role": ["user"], "content": [USE]}]},
        [user(USE), None],
        {"messages": 3},
    ):
        assert not Anthropic().recognises(value)
