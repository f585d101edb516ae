"""Which shape a file has: what its bytes say, not its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from annotations.formats.opening import sources, values


@pytest.mark.parametrize(
    "text",
    ['[\n{"a": 1}\n]', '[\n{"a": 1},\n{"a": 2}\n]\n', '[\n{"a": 1}\n,{"a": 2}\n]', '[\n{"a": 1}\n,\n{"a": 2}\n]'],
)
def test_a_list_with_an_element_a_line_is_a_list_however_its_commas_stand(tmp_path: Path, text: str) -> None:
    (tmp_path / "file.json").write_text(text)
    source = sources.of_path(tmp_path / "file.json")
    shape = values.shape_of(source)
    assert shape == "list"
    assert [(line.value["a"], line.reason) for line in values.read(source, shape)][:2] == [
        (number, "") for number in range(1, text.count("a") + 1)
    ]


def test_a_broken_first_line_leaves_the_others_lines(tmp_path: Path) -> None:
    (tmp_path / "file.jsonl").write_text('[\n{"a": 1}\n{"a": 2}\n')
    source = sources.of_path(tmp_path / "file.jsonl")
    assert values.shape_of(source) == "lines"
    assert [line.value for line in values.read(source, "lines")] == [None, {"a": 1}, {"a": 2}]
