"""ShareGPT and LLaMA-Factory: their spellings of turns, and the files their authors ship."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from annotations.formats.base import Refused
from annotations.formats.sharegpt import ShareGPT
from tests.unit.test_formats_chat import records, said

ASKED, SAID = {"from": "human", "value": "What is in the box?"}, {"from": "gpt", "value": "A lamp."}
HELD = [("user", "What is in the box?"), ("agent", "A lamp.")]


@pytest.mark.parametrize(
    "value",
    [
        [ASKED, SAID],
        {"conversations": [ASKED, SAID]},
        {"conversations": json.dumps([ASKED, SAID])},
        {"conversations": [{"role": "user", "content": ASKED["value"]}, {"role": "assistant", "content": "A lamp."}]},
        {"instruction": "What is in the box?", "input": "", "output": "A lamp."},
        {"messages": [{"role": "user", "content": [{"type": "text", "value": "What is in the box?"}]}]}
        | {"messages": [ASKED | {"from": "USER"}, SAID | {"from": "assistant"}]},
    ],
)
def test_turns_are_read_in_every_spelling(value):
    (record,) = records(value, "sharegpt")
    assert said(record) == HELD
    assert record.task.instruction == "What is in the box?"


def test_a_function_call_turn_is_a_step_with_its_calls_and_what_answered_them():
    both = [{"name": "open", "arguments": {"box": 1}}, {"name": "weigh", "arguments": "{}"}]
    turns = [ASKED, {"from": "function_call", "value": json.dumps(both)}]
    turns += [{"from": "observation", "value": "a lamp"}, {"from": "observation", "value": "2 kg"}, SAID]
    (record,) = records({"conversations": turns}, "sharegpt")
    first, last = [step for step in record.steps if step.source == "agent"]
    assert [(one["name"], one["arguments"]) for one in first.tool_calls] == [("open", {"box": 1}), ("weigh", "{}")]
    assert [one["content"] for one in first.observations] == ["a lamp", "2 kg"]
    assert (first.source_index, last.source_index) == (1, 4)


def test_function_call_turns_in_a_row_are_a_step_each_in_its_own_place():
    """LLaMA-Factory has no reading of them: its turns alternate, and it leaves such a row out."""
    turns = [ASKED, *({"from": "function_call", "value": json.dumps({"name": name})} for name in ("open", "weigh"))]
    turns += [{"from": "observation", "value": "2 kg"}, SAID]
    (record,) = records({"conversations": turns}, "sharegpt")
    steps = [step for step in record.steps if step.source == "agent"]
    assert [[one["name"] for one in step.tool_calls] for step in steps] == [["open"], ["weigh"], []]
    assert [[one["content"] for one in step.observations] for step in steps] == [[], ["2 kg"], []]
    assert [step.source_index for step in steps] == [1, 2, 4]


def test_a_call_that_is_no_json_is_kept_as_it_is():
    (record,) = records({"conversations": [ASKED, {"from": "function_call", "value": '{"name": "op'}]}, "sharegpt")
    assert record.steps[1].tool_calls[0]["arguments"] == '{"name": "op'


def test_reasoning_and_calls_among_parts_have_their_own_places():
    parts = [{"type": "reasoning", "value": "Look."}, {"type": "text", "value": "I look."}]
    parts += [{"type": "tool_call", "value": '{"name": "open", "arguments": {}}'}]
    turns = [{"role": "user", "content": [{"type": "text", "value": "?"}]}, {"role": "assistant", "content": parts}]
    (record,) = records({"messages": turns}, "sharegpt")
    step = record.steps[1]
    assert (step.reasoning, step.message, step.tool_calls[0]["name"]) == ("Look.", "I look.", "open")


def test_a_picture_stands_where_the_text_names_it():
    row = {"conversations": [ASKED | {"value": "<image>and<image>?"}, SAID], "images": ["a.png", {"path": "b.png"}]}
    (record,) = records(row, "sharegpt")
    content = record.steps[0].extra["fields"]["content"]
    assert [part.get("text") or part["image_url"]["url"] for part in content] == ["a.png", "and", "b.png", "?"]


def test_pictures_that_no_text_names_come_with_what_the_user_says_first():
    (record,) = records({"conversations": [ASKED, SAID], "images": ["a.png"]}, "sharegpt")
    assert record.steps[0].message == "What is in the box?\n[image_url]"


def test_the_system_prompt_opens_and_what_has_no_place_is_kept():
    row = {"system": "Be kind.", "conversations": [ASKED, SAID | {"loss": False}], "source": "made"}
    (record,) = records(row, "sharegpt")
    assert said(record)[0] == ("system", "Be kind.")
    assert record.extra["fields"] == {"source": "made"} and record.steps[2].extra["fields"] == {"loss": False}


def test_earlier_rounds_of_an_instruction_come_first():
    row = {"instruction": "And now?", "input": "The box.", "output": "A lamp.", "history": [["Before?", "Nothing."]]}
    (record,) = records(row, "sharegpt")
    assert said(record) == [("user", "Before?"), ("agent", "Nothing."), ("user", "And now?\nThe box."), HELD[1]]


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"conversations": []}, "conversations"),
        ({"conversations": [ASKED, {"from": "pilot", "value": "x"}]}, "conversations[1].from"),
        ({"conversations": [ASKED, 7]}, "conversations[1]"),
        ({"conversations": [ASKED]}, "conversations"),
    ],
)
def test_what_is_no_turn_is_named(value, field):
    with pytest.raises(Refused) as refused:
        ShareGPT().record(value)
    assert refused.value.field == field


def test_other_formats_files_are_left_to_them():
    for value in (
        {"messages": [{"role": "user", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
        {"conversations": [ASKED], "chosen": SAID, "rejected": SAID},
        {"instruction": "x", "input": "y", "response1": "a", "response2": "b"},
        {"conversations": [[]]},
        {"images": 3, "messages": [{"role": "user", "content": None}]},
    ):
        assert not ShareGPT().recognises(value)


@pytest.mark.parametrize(
    ("file", "conversations", "calls"),
    [("glaive_toolcall_en_demo.json.gz", 300, 211), ("reason_tool_use_demo_50.jsonl.gz", 50, 68)],
)
def test_the_files_of_its_authors_are_read_whole(shared_data: Path, file: str, conversations: int, calls: int):
    content = gzip.decompress((shared_data / "sharegpt" / file).read_bytes())
    read = records(content, "sharegpt", file.removesuffix(".gz"))
    steps = [step for record in read for step in record.steps]
    assert len(read) == conversations and all(isinstance(record.task.tools, list) for record in read)
    assert sum(len(step.tool_calls) for step in steps) == calls
    assert all(call["name"] and isinstance(call["arguments"], dict) for step in steps for call in step.tool_calls)


def test_a_call_that_is_spelled_as_another_format_has_it_is_read_too():
    said = {"type": "function_call", "call_id": "c", "name": "open", "arguments": "{}"}
    (record,) = records({"conversations": [ASKED, {"from": "function_call", "value": json.dumps(said)}]}, "sharegpt")
    assert (record.steps[1].tool_calls[0]["id"], record.steps[1].tool_calls[0]["name"]) == ("c", "open")
