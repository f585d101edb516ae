"""Texts of Thought, Action and Observation: their dialects, and where one run ends and the next begins."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from annotations import formats
from annotations.formats.opening.sources import Source
from annotations.formats.react_text_pieces import called, pieces
from annotations.records import StepRecord, TrajectoryRecord
from tests.unit.test_formats_chat import records, said

SAMPLE = Path(__file__).parents[1] / "samples" / "react-text.txt"


def read(text: str) -> list[TrajectoryRecord]:
    return records(text.encode(), "react-text", "some.txt")


def acts(record: TrajectoryRecord) -> list[tuple[str, str, object, list[object]]]:
    """What the agent thought, called with what, and what came back."""
    return [_act(step) for step in record.steps if step.source == "agent"]


def _act(step: StepRecord) -> tuple[str, str, object, list[object]]:
    call = step.tool_calls[0] if step.tool_calls else {"name": "", "arguments": None}
    return step.reasoning, call["name"], call["arguments"], [one["content"] for one in step.observations]


def test_every_question_begins_a_run_of_its_own():
    first, second = read(SAMPLE.read_text())
    assert acts(first)[0] == ("I look up the red one.", "Search", "red tower", ["The red tower is 40 m high."])
    assert acts(first)[1][3] == ["The blue tower\nis 31 m high."]
    assert (first.outcome, second.outcome) == ({"answer": "the red tower"}, {"answer": "Three bells."})
    assert acts(second) == [
        ("I ask the keeper.", "ask", '{"who": "keeper"}', ["Three."]),
        ("I know it now.", "", None, []),
    ]
    assert second.task.instruction == "How many bells hang in it?" and said(second)[-1] == ("agent", "Three bells.")
    assert first.task.external_id != second.task.external_id


HELD = [("Hm.", "look", {"at": "it"}, ["red"]), ("So.", "", None, [])]


@pytest.mark.parametrize(
    "text",
    [
        'Thought: Hm.\nAction: {"name": "look", "arguments": {"at": "it"}}\nObservation: red\n'
        "Thought: So.\nAnswer: red",
        "Thought: Hm.\nAction:\n```json\n"
        '{"action": "look", "action_input": {"at": "it"}}\n```<end_action>\nObservation: red\n'
        "Thought: So.\nFinal Answer: red",
        '**Thought:** Hm.\n**Action:** {"tool": "look", "tool_input": {"at": "it"}}\n**Observation:** red\n'
        "**Thought:** So.\n**Final Answer:** red",
        '<thought>Hm.</thought>\n<action>{"name": "look", "arguments": {"at": "it"}}</action>\n'
        "<observation>red</observation><thought>So.</thought><answer>red</answer>",
        '<think>Hm.</think><tool_call>\n{"name": "look", "arguments": {"at": "it"}}\n</tool_call>\n'
        "<tool_response>red</tool_response>\n<think>So.</think>\n<answer>red</answer>",
        "\x1b[1m> Entering new AgentExecutor chain...\x1b[0m\n\x1b[32;1mThought: Hm.\n"
        'Action: {"name": "look", "arguments": {"at": "it"}}\x1b[0m\nObservation: red\nThought: So.\n'
        "Final Answer: red\n\n> Finished chain.",
    ],
)
def test_dialects_say_the_same(text):
    (record,) = read("Question: Which colour?\n" + text)
    assert acts(record) == HELD
    assert record.outcome == {"answer": "red"} and record.task.instruction == "Which colour?"


def test_code_is_called_as_it_is_written():
    text = "Task: Add.\nThought: I add.\nCode:\n```py\nprint(1 + 1)\n```<end_code>\nObservation: Execution logs:\n2\n"
    (record,) = read(text)
    assert acts(record)[0][:3] == ("I add.", "code", "print(1 + 1)")


def test_a_search_in_a_tag_is_a_call_and_what_it_found_answers_it():
    text = "<think>I look.</think><search>red tower</search><information>40 m</information><answer>40</answer>"
    (record,) = read(text)
    assert acts(record)[0] == ("I look.", "search", "red tower", ["40 m"])


def test_what_stands_before_begin_are_instructions_and_no_run():
    text = "Use this form.\nQuestion: the question\nThought: what you think\nAction: what you do\nBegin!\n\n"
    (record,) = read(text + "Question: Why?\nThought: Because.\nFinal Answer: So.")
    assert [source for source, _ in said(record)] == ["system", "user", "agent"]
    assert record.task.instruction == "Why?"


def test_thoughts_that_follow_one_another_are_steps_and_a_missing_result_is_none():
    (record,) = read("Question: Why?\nThought: One.\nThought: Two.\nAction: look[x]\nThought: Three.\nAnswer: So.")
    assert [(thought, name, seen) for thought, name, _, seen in acts(record)] == [
        ("One.", "", []),
        ("Two.", "look", []),
        ("Three.", "", []),
    ]


def test_a_dialogue_in_one_text_is_one_run():
    text = "system: Help.\nuser: Is it there?\nassistant: None\ntool: yes\nassistant: It is.\n"
    text += "user: Thanks.\nassistant: Bye."
    (record,) = read(text)
    sources = [step.source for step in record.steps]
    assert sources == ["system", "user", "agent", "agent", "user", "agent"]
    assert (record.steps[2].message, record.steps[2].observations[0]["content"]) == ("", "yes")


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("Search[red [old] tower]", "Search", "red [old] tower"),
        ("look(at='it')", "look", "at='it'"),
        ("ask the keeper", "ask the keeper", None),
        ('{"name": "look"', '{"name": "look"', None),
        ("[1, 2]", "[1, 2]", None),
    ],
)
def test_what_is_called_is_read_from_every_spelling(text, name, arguments):
    function = called(text)["function"]
    assert (function["name"], function["arguments"]) == (name, arguments)


def test_a_value_that_holds_such_a_text_is_read_with_what_stands_beside():
    row = {"id": 4, "question": "Why?", "trajectory": "Thought: Hm.\nAction: Finish[so]", "em": 1, "gold": "so"}
    (record,) = records([row, row | {"id": 5}], "react-text")[:1]
    assert said(record)[0] == ("user", "Why?") and record.external_id == "4"
    assert record.outcome == {"answer": "so"} and record.extra["fields"] == {"em": 1, "gold": "so"}


def test_texts_in_no_such_form_are_left_alone():
    for text in ("Just words.", "Question: Why?", "Answer: So.", "Action: run\nMore.", "user: alone", ""):
        assert pieces(text) == []
    with pytest.raises(formats.UnknownFormat):
        formats.detect(Source("some.txt", lambda: BytesIO(b"Just words.\nAnd more.")))


def test_many_tags_that_are_never_closed_are_read_in_one_go():
    assert pieces("<think>" * 200_000) == []
    assert len(pieces("Thought: a\nAction: b[" + "]" * 200_000 + "x")) == 2


def test_a_line_of_json_does_not_make_a_text_a_file_of_json_lines():
    (record,) = read('Thought: Hm.\nAction:\n{"name": "look", "arguments": {}}\nObservation:\n{"red": 1}\nAnswer: red')
    assert acts(record)[0][:3] == ("Hm.", "look", {})
    broken = b"oops\n" + b'{"id": 1, "trajectory": "Thought: Hm.\\nAction: Finish[so]"}\n{"id": 2, "traj'
    source = Source("some.jsonl", lambda: BytesIO(broken))
    found, look = formats.detect(source)
    assert (found.name, look.shape) == ("react-text", "lines")
