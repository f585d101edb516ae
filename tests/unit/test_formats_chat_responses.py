"""OpenAI Responses: items are grouped into steps, and outputs find their calls."""

from __future__ import annotations

from typing import Any

import pytest

from annotations.formats import chat
from annotations.formats.base import Refused
from annotations.formats.openai_responses import OpenAIResponses
from annotations.records import StepRecord
from tests.unit.test_formats_chat import records

USER: dict[str, Any] = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Go."}]}
THOUGHT: dict[str, Any] = {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "Think."}]}


def asked(call_id: str) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}", "id": f"fc_{call_id}"}


def came(call_id: str, output: Any = "r") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": output}


def told(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": content}


def agents(value: Any) -> list[StepRecord]:
    (record,) = records(value, "openai-responses")
    return [step for step in record.steps if step.source == "agent"]


def test_what_follows_one_another_on_the_agents_side_is_one_step():
    first, last = agents([USER, THOUGHT, told("I call."), asked("a"), asked("b"), came("b"), came("a"), told("Done.")])
    assert (first.reasoning, first.message, len(first.tool_calls), first.source_index) == ("Think.", "I call.", 2, 1)
    assert [one["tool_call_id"] for one in first.observations] == ["b", "a"]
    assert (last.message, last.source_index) == ("Done.", 7)


def test_a_result_goes_to_the_call_it_names_however_late():
    first, second = agents([USER, asked("a"), USER, asked("b"), came("b"), came("a", "late")])
    assert [one["content"] for one in first.observations] == ["late"]
    assert [one["content"] for one in second.observations] == ["r"]


def test_the_items_are_a_conversation_in_their_order():
    items = [USER, asked("a"), USER, asked("b"), came("b"), came("a"), told("Done.")]
    (record,) = records(items, "openai-responses")
    roles = [message["role"] for message in chat.messages_of(record.steps)]
    assert roles == ["user", "assistant", "user", "assistant", "tool", "tool", "assistant"]


@pytest.mark.parametrize(
    ("item", "name", "arguments"),
    [
        ({"type": "custom_tool_call", "call_id": "c", "name": "shell", "input": "ls"}, "shell", "ls"),
        (
            {"type": "local_shell_call", "call_id": "c", "action": {"command": ["ls"]}},
            "local_shell",
            {"command": ["ls"]},
        ),
        ({"type": "computer_call", "call_id": "c", "action": {"type": "click"}}, "computer", {"type": "click"}),
        ({"type": "file_search_call", "id": "c", "queries": ["q"], "results": None}, "file_search", ["q"]),
        ({"type": "web_search_call", "id": "c", "status": "completed"}, "web_search", None),
    ],
)
def test_every_kind_of_call_is_a_call(item, name, arguments):
    (step,) = agents([USER, item])
    (call,) = step.tool_calls
    assert (call["id"], call["name"], call["arguments"]) == ("c", name, arguments)


def test_what_a_server_tool_found_stands_with_its_call_and_the_step_goes_on():
    item = {"type": "code_interpreter_call", "id": "c", "code": "1+1", "outputs": [{"type": "logs", "logs": "2"}]}
    (step,) = agents([USER, item, told("It is 2.")])
    assert step.message == "It is 2." and step.tool_calls[0]["arguments"] == "1+1"
    assert step.observations[0]["content"] == [{"type": "logs", "logs": "2"}]


def test_a_screenshot_that_answers_a_call_is_kept_as_a_picture():
    shot = {"type": "computer_screenshot", "image_url": "data:,"}
    output = {"type": "computer_call_output", "call_id": "c", "output": shot}
    (step,) = agents([USER, {"type": "computer_call", "call_id": "c", "action": {}}, output])
    assert step.observations[0]["content"] == shot


@pytest.mark.parametrize(
    "value",
    [
        {
            "input": "Go.",
            "output": [told("Done.")],
            "instructions": "Be quick.",
            "model": "m",
            "tools": [{"name": "f"}],
        },
        {"request": {"input": [USER], "instructions": "Be quick.", "tools": [{"name": "f"}]}}
        | {"response": {"id": "resp", "model": "m", "output": [told("Done.")]}},
        {"input": [USER], "instructions": "Be quick.", "tools": [{"name": "f"}], "model": "m"}
        | {"output": {"id": "resp", "output": [told("Done.")], "usage": {}}},
    ],
)
def test_logged_responses_are_read_with_what_was_asked(value):
    (record,) = records(value, "openai-responses")
    assert [(step.source, step.message) for step in record.steps][0::2] == [("system", "Be quick."), ("agent", "Done.")]
    assert (record.policy_model, record.task.tools, record.task.instruction) == ("m", [{"name": "f"}], "Go.")


def test_what_is_beside_the_items_is_kept():
    compaction = {"type": "compaction", "id": "x", "encrypted_content": "…"}
    (record,) = records(
        {"input": "Go.", "output": [told("Done."), compaction], "metadata": {"a": 1}}, "openai-responses"
    )
    assert record.extra["fields"]["metadata"] == {"a": 1}
    assert record.extra["fields"]["items"] == [{"place": 2, "item": compaction}]


@pytest.mark.parametrize(
    ("items", "field"),
    [([USER, 7], "items[1]"), ([USER, {"type": "message", "role": "pilot"}], "items[1].role"), ([USER], "items")],
)
def test_what_is_no_item_is_named(items, field):
    with pytest.raises(Refused) as refused:
        list(OpenAIResponses().records(items))
    assert refused.value.field == field


def test_chat_is_left_to_chat():
    for value in (
        [{"role": "user", "content": "x"}],
        {"input": "x", "output": "y"},
        {"input": [{"role": "user", "content": "x"}], "output": {"role": "assistant", "content": "y"}},
        {"type": "message", "role": "user"},
        [{"type": "user", "message": {}}],
        [{"type": ["message"]}],
    ):
        assert not OpenAIResponses().recognises(value)
