"""One type for each column, whatever shapes the rows of a file have between them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from pyarrow import parquet

from annotations.formats.writer import Writer
from annotations.records import Json, Labelled
from annotations.services import export_files
from annotations.services.export_files import Tables
from annotations.services.export_shapes import BIG, Columns


def columns(*rows: Mapping[str, Json], packed: frozenset[str] = frozenset()) -> Columns:
    made = Columns(packed)
    for row in rows:
        made.see(row)
    return made


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([1, 2, None], "int"),
        ([1, 0.5], "float"),
        ([True, False], "bool"),
        ([None, None], "null"),
        (["a", None], "text"),
        ([1, "a"], "JSON text"),
        ([True, 1], "JSON text"),
        ([1, BIG], "JSON text"),
        ([[1], [], [2]], ["int"]),
        ([[1], ["a"]], ["JSON text"]),
        (
            [{"role": "user", "content": "a"}, {"role": "tool", "name": "b"}],
            {"role": "text", "content": "text", "name": "text"},
        ),
        ([{"a": 1}, {"b": 1}], "JSON text"),
        ([{}, {"a": 1}], "JSON text"),
        ([{f"key {n}": n for n in range(40)}], "JSON text"),
    ],
)
def test_values_of_a_column_have_the_type_that_fits_them_all(values, told):
    assert columns(*({"column": value} for value in values)).told() == {"column": told}


def test_what_lacks_a_key_gets_a_null_and_what_has_no_one_shape_becomes_text():
    rows = [{"a": {"x": 1, "y": "one"}, "b": 1}, {"a": {"x": 2}, "b": "one"}]
    made = columns(*rows)
    assert not made.even
    assert [made.fitted(row) for row in rows] == [
        {"a": {"x": 1, "y": "one"}, "b": "1"},
        {"a": {"x": 2, "y": None}, "b": '"one"'},
    ]


def test_rows_of_one_shape_are_even():
    assert columns({"a": [1], "b": {"c": "d"}}, {"a": [], "b": {"c": None}}).even
    assert not columns({"a": 1}, {"b": 1}).even
    assert not columns({"a": 1}, {"a": 0.5}, packed=frozenset({"a"})).even


class Mixed(Writer):
    name = "mixed"
    suffix = ".parquet"
    packed = frozenset({"any"})

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        return iter(())


ROWS: list[dict[str, Json]] = [
    {"messages": [{"role": "user", "content": "Q"}], "any": {"x": 1}, "n": 1},
    {"messages": [{"role": "assistant", "content": "A", "name": "b"}], "any": [1, "two"], "n": 0.5},
    {"messages": [], "any": None, "n": None},
]


def test_a_table_holds_nested_rows_in_one_schema(tmp_path):
    with Tables(tmp_path, Mixed()) as tables:
        for row in ROWS:
            tables.row("rows", row)
    found = parquet.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [one["any"] for one in found] == ['{"x":1}', '[1,"two"]', None]
    assert [one["n"] for one in found] == [1.0, 0.5, None]
    assert found[0]["messages"] == [{"role": "user", "content": "Q", "name": None}]
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]


def test_a_table_without_rows_is_a_file_all_the_same(tmp_path):
    with Tables(tmp_path, Mixed()) as tables:
        tables.open("rows")
    assert parquet.read_table(tmp_path / "rows.parquet").num_rows == 0


@pytest.mark.parametrize("as_they_are", [False, True])
def test_lines_are_written_in_one_shape_unless_they_are_to_stay_as_they_are(tmp_path, as_they_are):
    class Lines(Mixed):
        suffix = ".jsonl"
        exact = as_they_are

    with Tables(tmp_path, Lines()) as tables:
        for row in ROWS:
            tables.row("rows", row)
    found = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    if as_they_are:
        assert found == ROWS
    else:
        assert [list(one) for one in found[1]["messages"]] == [["role", "content", "name"]]
        assert found[0]["messages"] == [{"role": "user", "content": "Q", "name": None}]
        assert found[0]["any"] == '{"x":1}'


LATE: list[dict[str, Json]] = [{"messages": [{"role": "user"}], "any": None, "n": None, "says": "x" * 40}] * 20
SHOWS: list[dict[str, Json]] = [
    {"messages": [{"role": "user", "name": "b"}], "any": None, "n": None, "says": "a name"},
    {"messages": [{"role": "user"}], "any": [1], "n": None, "says": "something"},
    {"messages": [], "any": None, "n": 1, "says": "a number"},
    {"messages": [], "any": None, "n": 0.5, "says": "a fraction"},
    {"messages": [], "any": [2], "n": 2.5, "says": "nothing new"},
]


@pytest.mark.parametrize("back", [False, True])
def test_the_rows_that_first_show_a_type_begin_a_long_file(tmp_path, monkeypatch, back):
    class Lines(Mixed):
        suffix = ".jsonl"
        reads = back

    monkeypatch.setattr(export_files, "FIRST", 1_000)
    with Tables(tmp_path, Lines()) as tables:
        for row in [*LATE, *SHOWS]:
            tables.row("rows", row)
    found = [json.loads(line)["says"] for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert found[:4] == ["a name", "something", "a number", "a fraction"]
    assert found[4:] == ["x" * 40] * 20 + ["nothing new"]
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]


def test_a_short_file_keeps_the_order_of_its_rows(tmp_path):
    class Lines(Mixed):
        suffix = ".jsonl"

    with Tables(tmp_path, Lines()) as tables:
        for row in [*LATE, *SHOWS]:
            tables.row("rows", row)
    found = [json.loads(line)["says"] for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert found == [row["says"] for row in [*LATE, *SHOWS]]


def test_what_breaks_leaves_the_spool_for_the_folder_to_be_thrown_away(tmp_path):
    with pytest.raises(OSError, match="full"), Tables(tmp_path, Mixed()) as tables:
        tables.row("rows", ROWS[0])
        raise OSError("the disk is full")
    assert not (tmp_path / "rows.parquet").exists()
