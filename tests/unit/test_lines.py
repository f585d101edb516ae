"""Whatever a file holds, reading it gives lines and reasons, never an exception."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.formats import lines
from annotations.formats.opening.sources import of_path


def read(folder: Path, content: bytes) -> list[lines.Line]:
    path = folder / "file"
    path.write_bytes(content)
    with of_path(path).open() as stream:
        return list(lines.read(stream))


def test_lines_are_numbered_and_blank_ones_passed_over(tmp_path):
    assert [(one.number, one.value) for one in read(tmp_path, b'\xef\xbb\xbf{"a":1}\r\n\n  \n2\n"x"')] == [
        (1, {"a": 1}),
        (4, 2),
        (5, "x"),
    ]


def test_a_gzipped_file_reads_like_the_plain_one(tmp_path):
    assert read(tmp_path, gzip.compress(b"1\n2\n")) == read(tmp_path, b"1\n2\n")


def test_a_gzipped_file_cut_in_the_middle_gives_what_it_held_and_says_so(tmp_path):
    whole = gzip.compress(b"".join(b'{"n":%d,"text":"%s"}\n' % (n, str(hash(n)).encode() * 50) for n in range(5_000)))
    found = read(tmp_path, whole[: len(whole) // 2])
    assert 0 < len(found) < 5_000
    assert "breaks off" in found[-1].reason and found[-1].number == len(found)
    assert all(not one.reason for one in found[:-1])


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_json_does_not_have_are_refused(word):
    assert word.lstrip("-") in lines.parse(1, f'{{"a": {word}}}'.encode()).reason


def test_numbers_beyond_64_bits_are_kept():
    assert lines.dump(lines.parse(1, b"123456789012345678901234567890").value) == "123456789012345678901234567890"


def test_what_no_text_column_holds_is_made_visible_and_counted():
    line = lines.parse(1, rb'{"\u0000k": ["a\u0000b", "\ud800", "\ud83d\ude00", 1]}')
    assert line == lines.Line(1, {"␀k": ["a␀b", "\ufffd", "😀", 1]}, replaced=3)
    assert lines.parse(1, b'"a\x00b"') == lines.Line(1, "a␀b", replaced=1)
    assert lines.parse(1, b'"a\xff\xfeb"').value == "a\ufffd\ufffdb"


def test_an_escaped_escape_is_left_alone():
    assert lines.parse(1, rb'"\\u0000"') == lines.Line(1, "\\u0000")


@pytest.mark.parametrize("deep", ["[" * 3000 + "]" * 3000, '{"a":' * 3000 + "1" + "}" * 3000, "[" * 201 + "]" * 201])
def test_deep_nesting_is_refused(deep):
    assert "levels deep" in lines.parse(1, deep.encode()).reason


def test_nesting_up_to_the_limit_is_read():
    assert not lines.parse(1, b"[" * 200 + b"]" * 200).reason


def test_a_line_of_ten_megabytes_is_a_line(tmp_path):
    assert len(read(tmp_path, json.dumps("x" * 10_000_000).encode())[0].value) == 10_000_000


def test_a_line_beyond_the_limit_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST", 100)
    found = read(tmp_path, b'"' + b"x" * 5_000 + b'"\n1\n')
    assert "longer than" in found[0].reason and found[1] == lines.Line(2, 1)


def test_a_small_file_that_unpacks_to_one_endless_line_is_passed_over_in_little_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST", 2**20)
    bomb = gzip.compress(b"[" * 100 * 2**20 + b"\n1\n")
    assert len(bomb) < 200_000
    tracemalloc.start()
    found = read(tmp_path, bomb)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "longer than 1 MiB" in found[0].reason and found[1] == lines.Line(2, 1)
    assert most < 10 * 2**20


def test_a_line_of_too_many_brackets_is_refused_unparsed(monkeypatch):
    monkeypatch.setattr(lines, "MOST", 10)
    assert not lines.parse(1, b"[" + b",".join([b"{}"] * 9) + b"]").reason
    assert "opening brackets" in lines.parse(1, b"[" + b",".join([b"{}"] * 10) + b"]").reason


def test_a_line_of_too_many_values_is_refused_unparsed(monkeypatch):
    monkeypatch.setattr(lines, "MOST_VALUES", 10)
    assert not lines.parse(1, b"[1" + b",1" * 10 + b"]").reason
    assert "11 commas; accepted are up to 10" in lines.parse(1, b"[1" + b",1" * 11 + b"]").reason


def test_utf_16_is_named(tmp_path):
    assert "UTF-16" in read(tmp_path, '{"a": 1}\n'.encode("utf-16"))[0].reason


def test_the_last_of_equal_keys_counts():
    assert lines.parse(1, b'{"a": 1, "a": 2}').value == {"a": 2}


def test_counting_lines_needs_no_last_newline(tmp_path):
    path = tmp_path / "file"
    for content, expected in ((b"", 0), (b"1", 1), (b"1\n", 1), (b"1\n2", 2), (gzip.compress(b"1\n2\n3\n"), 3)):
        path.write_bytes(content)
        with of_path(path).open() as stream:
            assert lines.count(stream) == expected


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_a_reason(raw):
    line = lines.parse(1, raw)
    if not line.reason:
        lines.dump(line.value).encode()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_is_dumped_loads_again(value):
    cleaned, _ = lines.storable(value)
    assert lines.load(lines.dump(cleaned)) == cleaned


def test_a_packed_list_unpacks_when_looked_into():
    packed = lines.Packed('[{"a":1},2]')
    assert (len(packed), list(packed), packed[1], packed[:1]) == (2, [{"a": 1}, 2], 2, [{"a": 1}])
