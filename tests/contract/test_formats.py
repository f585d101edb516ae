"""What every format promises, whatever it reads or writes."""

from __future__ import annotations

import gzip
import json
import tarfile
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations import formats
from annotations.formats.agentprocessbench import AgentProcessBench
from annotations.formats.agentprocessbench_labels import AgentProcessBenchLabels
from annotations.formats.base import FolderFormat, Item, LabelRecord, LineFormat, Reader
from annotations.formats.lines import dump
from annotations.formats.opening import archives
from annotations.formats.opening.sources import Source, of_path
from annotations.formats.writer import Writer
from annotations.records import Labelled, RatingRecord, TrajectoryRecord
from annotations.services import drafts, sources

SAMPLES = Path(__file__).parents[1] / "samples"
READERS = [name for name, one in formats.FORMATS.items() if isinstance(one, Reader)]
OF_FOLDERS = [name for name, one in formats.FORMATS.items() if isinstance(one, FolderFormat)]
OF_LINES = [name for name in READERS if isinstance(formats.FORMATS[name], LineFormat)]
BOTH_WAYS = [name for name in READERS if isinstance(formats.FORMATS[name], Writer)]
BROKEN = ["{", "[1]", "42", '"text"', "null", "{}", '{"messages": 3, "step_labels": "x"}']


def sample(name: str) -> Path:
    """The format's sample, whatever it ends in: a file, or a folder where the format takes one."""
    (path,) = [one for one in SAMPLES.iterdir() if one.name.split(".")[0] == name]
    return path


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in sample(name).read_text().splitlines()]


def written(folder: Path, *values: object) -> Path:
    path = folder / "made.jsonl"
    path.write_text("".join(f"{value if isinstance(value, str) else json.dumps(value)}\n" for value in values))
    return path


def read(name: str, path: Path, called: str = "") -> list[Item]:
    one = formats.reader(name, formats.FORMATS[name].holds)
    assert isinstance(one, Reader)
    return list(one.read(of_path(path, called)))


def test_every_format_says_what_it_is():
    for name, one in formats.FORMATS.items():
        assert (one.name, bool(one.title), one.suffix[:1]) == (name, True, ".")
        assert one.reads or one.writes
        assert one.keeps and one.loses, f"{name} says what it keeps and what it loses"


@pytest.mark.parametrize("name", READERS)
def test_a_sample_is_detected_by_what_it_holds(name):
    assert formats.detect(of_path(sample(name), "file"), formats.FORMATS[name].holds)[0].name == name


@pytest.mark.parametrize("name", OF_FOLDERS)
def test_a_folder_is_detected_by_what_it_holds(name):
    with archives.opened(sample(name)) as (folder, problems):
        found = formats.detect_folder(folder)
        assert (found and found.name, problems) == (name, [])
        assert all(item.record and not item.problems for item in found.read_folder(folder))


@pytest.mark.parametrize("name", READERS)
def test_all_of_a_sample_becomes_records(name):
    items = read(name, sample(name))
    assert items and [item.problems for item in items] == [()] * len(items)
    expected = TrajectoryRecord if formats.FORMATS[name].holds == "trajectories" else LabelRecord
    assert all(isinstance(item.record, expected) and item.original for item in items)


@pytest.mark.parametrize("name", READERS)
def test_records_stand_as_they_would_be_stored(name):
    """Steps have places that only grow where they are no tree, labels name steps that are there, nothing is no JSON."""
    for item in read(name, sample(name)):
        if isinstance(item.record, TrajectoryRecord):
            _check(item.record)


def _check(record: TrajectoryRecord) -> None:
    agents = {step.source_index for step in record.steps if step.source == "agent"}
    assert agents and record.task.external_id
    assert len({step.source_index for step in record.steps}) == len(record.steps)
    assert all(step.parent is None or step.parent < place for place, step in enumerate(record.steps))
    assert set(record.rating.steps) <= agents if record.rating else True
    assert drafts.draft(record, "file", 1).steps


@pytest.mark.parametrize("name", OF_LINES)
@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_line_is_named_and_the_others_are_read(name, broken, tmp_path):
    good = sample(name).read_text().splitlines()
    items = read(name, written(tmp_path, good[0], broken, good[-1]), "named.jsonl")
    assert {item.line for item in items if item.record} == {1, 3}
    (problem,) = [problem for item in items if item.line == 2 for problem in item.problems]
    assert problem.file == "named.jsonl"
    assert "accepted" in problem.reason or "not JSON" in problem.reason


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("packed", ["gz", "zst", "bom", "zip", "tar.gz"])
def test_a_packed_sample_reads_like_the_plain_one(name, packed, tmp_path):
    plain = sample(name).read_bytes()
    path = tmp_path / f"{sample(name).name}.{packed}"
    pack(path, packed, sample(name).name, plain)
    with sources.opened([(path, path.name)], holds=formats.FORMATS[name].holds) as (unit,):
        assert unit.format and unit.format.name == name
        assert list(unit.items()) == read(name, sample(name), unit.name)


def pack(path: Path, how: str, name: str, content: bytes) -> None:
    if how == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"inner/{name}", content)
    elif how == "tar.gz":
        with tarfile.open(path, "w:gz") as archive:
            entry = tarfile.TarInfo(f"inner/{name}")
            entry.size = len(content)
            archive.addfile(entry, BytesIO(content))
    else:
        packer = {"gz": gzip.compress, "zst": zstandard.compress, "bom": lambda text: b"\xef\xbb\xbf" + text}
        path.write_bytes(packer[how](content))


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_done_to_a_sample_gives_records_or_located_problems(name, data):
    """Any piece of the file is cut out, doubled or replaced: no exception, and every problem says where it is."""
    content = bytearray(sample(name).read_bytes()[:20_000])
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(len(content), start + 200)))
        content[start:end] = data.draw(st.sampled_from(PIECES) | st.binary(max_size=8))
    one = formats.reader(name, formats.FORMATS[name].holds)
    source = Source(f"fuzzed{sample(name).suffix}", lambda: BytesIO(bytes(content)))
    for item in one.read(source):
        assert item.record or item.problems
        assert all(problem.file == source.name and problem.line > 0 for problem in item.problems)
        if isinstance(item.record, TrajectoryRecord):
            drafts.draft(item.record, "file", 1)


PIECES = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b"0",
    b'"x"',
    b"1e999",
    b"-1",
    b"true",
    b'{"role":"x"}',
    b"NaN",
    b"[[[",
    b"\\ud800",
]


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_values_of_other_kinds_in_a_sample_are_refused_where_they_stand(name, data):
    """Any value of the first records is replaced by one of another kind: still a record, or a problem; no exception."""
    try:
        values = [json.loads(line) for line in sample(name).read_text().splitlines()]
    except ValueError:
        try:
            values = [json.loads(sample(name).read_text())]
        except ValueError:
            return  # a table, or a text
    value = data.draw(st.sampled_from(values))
    holders = list(_holders(value))
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(holders))
        holder[key] = data.draw(st.sampled_from(ODD))
    text = "".join(json.dumps(one) + "\n" for one in values).encode()
    one = formats.reader(name, formats.FORMATS[name].holds)
    for item in one.read(Source("fuzzed.json", lambda: BytesIO(text))):
        assert item.record or item.problems
        if isinstance(item.record, TrajectoryRecord):
            drafts.draft(item.record, "file", 1)


ODD = [
    None,
    True,
    0,
    -1,
    1.5,
    2**70,
    "",
    "x",
    "{",
    "\u0000",
    [],
    {},
    [None],
    [[]],
    [1, "a"],
    {"a": 1},
    [{"role": "user"}],
]


def _holders(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in the value that something stands in."""
    for key, one in list(value.items()) if isinstance(value, dict) else list(enumerate(value)):
        yield value, key
        if isinstance(one, dict | list):
            yield from _holders(one)


@pytest.mark.parametrize("name", BOTH_WAYS)
def test_what_is_written_reads_again_as_the_same_record(name, tmp_path):
    form = formats.FORMATS[name]
    assert isinstance(form, Writer)
    before = [item.record for item in read(name, sample(name)) if isinstance(item.record, TrajectoryRecord)]
    asked = {option.name: option.default for option in form.options}
    groups = together(before) if form.together else [[one] for one in before]
    made = [row for group in groups for row in form.rows([labelled(one) for one in group], asked)]
    after = [item.record for item in read(name, written(tmp_path, *map(dump, made)))]
    assert after == before
    if sample(name).suffix == ".jsonl":
        assert "".join(dump(row) + "\n" for row in made) == sample(name).read_text(), "the same bytes"


def together(records: list[TrajectoryRecord]) -> list[list[TrajectoryRecord]]:
    """The rollouts of each task, in the order of the file."""
    groups: dict[str, list[TrajectoryRecord]] = {}
    for record in records:
        groups.setdefault(record.task.external_id, []).append(record)
    return list(groups.values())


def labelled(record: TrajectoryRecord) -> Labelled:
    """The record with the labels of its file, under the grades that their scheme's values are."""
    rating = record.rating or RatingRecord()
    places = {step.source_index: place for place, step in enumerate(record.steps)}
    grades = {places[index]: grade(value) for index, value in rating.steps.items()}
    final = grade(rating.final) if rating.final is not None else None
    return Labelled(record, grades, final, explanations={places[k]: v for k, v in rating.explanations.items()})


def grade(value: Any) -> int:
    return (value > 0) - (value < 0) if isinstance(value, int | float) else 0


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
    ((problem,),) = [item.problems for item in read("apb", path)]
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
    with pytest.raises(formats.UnknownFormat, match="keys a, b; accepted are stepmark, apb, "):
        formats.detect(of_path(written(tmp_path, {"b": 1, "a": 2})))
    with pytest.raises(formats.UnknownFormat, match="use import_labels"):
        formats.detect(of_path(sample("apb-labels")))
    with pytest.raises(formats.UnknownFormat, match="empty"):
        formats.detect(of_path(written(tmp_path)))
