"""What every format promises, whatever it reads or writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from annotations import formats
from annotations.formats.agentprocessbench import AgentProcessBench
from annotations.formats.agentprocessbench_labels import AgentProcessBenchLabels
from annotations.formats.base import LabelRecord, LineFormat
from annotations.formats.lines import dump
from annotations.records import TrajectoryRecord

SAMPLES = Path(__file__).parents[1] / "samples"
READERS = [name for name, one in formats.FORMATS.items() if one.reads]


def sample(name: str) -> Path:
    return SAMPLES / f"{name}.jsonl"


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in sample(name).read_text().splitlines()]


def written(folder: Path, *values: object) -> Path:
    path = folder / "made.jsonl"
    path.write_text("".join(f"{value if isinstance(value, str) else json.dumps(value)}\n" for value in values))
    return path


def test_every_format_says_what_it_is():
    for name, one in formats.FORMATS.items():
        assert (one.name, bool(one.title), one.suffix[:1]) == (name, True, ".")
        assert one.reads or one.writes


@pytest.mark.parametrize("name", READERS)
def test_a_format_recognises_its_sample_and_no_other(name):
    for other in READERS:
        assert [formats.FORMATS[name].recognises(row) for row in rows(other)] == [name == other] * len(rows(other))


@pytest.mark.parametrize("name", READERS)
def test_a_sample_is_detected_by_what_it_holds(name):
    assert formats.detect(sample(name), formats.FORMATS[name].holds).name == name


@pytest.mark.parametrize("name", READERS)
def test_every_line_of_a_sample_becomes_a_record(name):
    reader = formats.reader(name, formats.FORMATS[name].holds)
    items = list(reader.read(sample(name)))
    assert [item.problems for item in items] == [()] * len(rows(name))
    expected = TrajectoryRecord if reader.holds == "trajectories" else LabelRecord
    assert all(isinstance(item.record, expected) for item in items)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("broken", ["{", "[1]", "42", '"text"', "null", "{}", '{"messages": 3, "step_labels": "x"}'])
def test_a_broken_line_is_named_and_the_others_are_read(name, broken, tmp_path):
    good = rows(name)
    reader = formats.reader(name, formats.FORMATS[name].holds)
    items = list(reader.read(written(tmp_path, good[0], broken, good[1]), "named.jsonl"))
    assert [item.line for item in items if item.record] == [1, 3]
    (problem,) = items[1].problems
    assert (problem.file, problem.line) == ("named.jsonl", 2)
    assert "accepted" in problem.reason or "not JSON" in problem.reason


def test_apb_writes_back_every_byte_it_read():
    form = AgentProcessBench()
    for line in sample("apb").read_text().splitlines():
        assert form.line(form.record(json.loads(line))) == line
        assert dump(form.row(form.record(json.loads(line)))) == line


@pytest.mark.parametrize("row", rows("openai-chat"))
def test_apb_holds_what_a_chat_file_said(row):
    """Another format's trajectory, written as apb and read again, is written the same; its messages are untouched."""
    form = AgentProcessBench()
    made = form.row(formats.reader("openai-chat").record(row), query=4)
    assert made["messages"] == row["messages"]
    assert (made["query_index"], made["metadata"], made["model"]) == (4, row["metadata"], "small-1")


def test_labels_read_back_what_they_write():
    form, trajectory = AgentProcessBenchLabels(), AgentProcessBench().record(rows("apb")[0])
    for row in rows("apb-labels"):
        record = form.record(row)
        again = form.record(form.row(_rated(trajectory, record), "j", "sample"))
        assert again.rating == record.rating


def _rated(trajectory: TrajectoryRecord, record: LabelRecord) -> TrajectoryRecord:
    return TrajectoryRecord(**vars(trajectory) | {"rating": record.rating})


@pytest.mark.parametrize(
    ("said", "read"), [(True, 1), (False, 0), (1.0, 1), ("-1", -1), (" 1 ", 1), (0.5, 0.5), ("good", "good"), (2, 2)]
)
def test_labels_are_read_as_the_originals_arithmetic_reads_them(said, read):
    record = AgentProcessBench().record(rows("apb")[0] | {"step_labels": {"2": said}, "final_label": said})
    assert record.rating.steps == {2: read} and type(record.rating.steps[2]) is type(read)
    assert record.rating.final == read


def test_a_failed_call_says_nothing():
    record = AgentProcessBenchLabels().record(rows("apb-labels")[1])
    assert (record.rating.failed, record.rating.steps, record.rating.final) == (True, {}, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("query_index", "0"),
        ("query_index", -1),
        ("sample_index", True),
        ("total_index", 1.5),
        ("messages", []),
        ("messages", [{"role": "user", "content": "alone"}]),
        ("step_labels", "1"),
        ("step_labels", {"two": 1}),
    ],
)
def test_a_wrong_field_is_named_with_what_was_found(field, value, tmp_path):
    path = written(tmp_path, rows("apb")[0] | {field: value})
    ((problem,),) = [item.problems for item in formats.reader("apb").read(path)]
    assert problem.field == field and "found" in problem.reason and "accepted" in problem.reason or field == "messages"


def test_unusual_messages_come_back_as_they_were():
    """Odd key orders, calls that are no objects, late and stray observations, two kinds of reasoning."""
    messages = [
        {"role": "tool", "content": "nobody asked"},
        {"content": "first the content", "role": "user", "name": "u"},
        {"role": "assistant", "content": "", "tool_calls": [], "refusal": None},
        {"role": "assistant", "content": None, "tool_calls": ["broken", {"id": 7, "function": "f"}, {"name": "flat"}]},
        {
            "role": "assistant",
            "tool_calls": [{"id": "late", "type": "function", "function": {"name": "f", "arguments": {}}}],
        },
        {"role": "user", "content": "wait"},
        {"role": "tool", "tool_call_id": "late", "content": "came later"},
        {"role": "assistant", "content": [{"type": "text", "text": "a"}], "reasoning": "r", "reasoning_content": "s"},
    ]
    record = AgentProcessBench().record(rows("apb")[0] | {"messages": messages})
    assert dump(AgentProcessBench().row(record)["messages"]) == dump(messages)
    late = record.steps[4]
    assert (late.observations[0]["content"], late.source_index) == ("came later", 4)
    assert [step.reasoning for step in record.steps][-1] == "s"


def test_stepwise_supervision_is_cut_where_a_label_is_missing_or_zero():
    form, record = formats.FORMATS["trl-stepwise"], AgentProcessBench().record(rows("apb")[0])
    assert form.row(record)["labels"] == [True]
    assert form.row(record, "true")["labels"] == [True, True, False]
    assert form.row(record, "false")["labels"] == [True, False, False]
    row = form.row(record, "true")
    assert set(row) == {"prompt", "completions", "labels"}
    assert row["prompt"].endswith("the shaft? 🕳") and "12 m" in row["completions"][0]
    unlabelled = AgentProcessBench().record(rows("apb")[0] | {"step_labels": {"4": 1, "6": 1}})
    assert form.row(unlabelled) is None


def test_an_unknown_file_is_told_what_is_accepted(tmp_path):
    with pytest.raises(formats.UnknownFormat, match="keys a, b; accepted are apb, openai-chat"):
        formats.detect(written(tmp_path, {"b": 1, "a": 2}))
    with pytest.raises(formats.UnknownFormat, match="use import_labels"):
        formats.detect(sample("apb-labels"))
    with pytest.raises(formats.UnknownFormat, match="empty"):
        formats.detect(written(tmp_path))


def test_readers_are_line_formats():
    assert all(isinstance(formats.FORMATS[name], LineFormat) for name in READERS)
