"""A document with one long list is read element by element, and says what reading it at once says."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.formats.base import Item, Reader
from annotations.formats.inspect_log import InspectLog
from annotations.formats.opening import documents, sources, values
from annotations.formats.tau2_bench import Tau2Bench
from annotations.records import TrajectoryRecord
from tests.conftest import SHARED

SAMPLES = Path(__file__).parents[1] / "samples"
FILES = [(Tau2Bench(), SAMPLES / "tau2-bench.json"), (InspectLog(), SAMPLES / "inspect.json")]
FILES += [(InspectLog(), one) for one in sorted((SHARED / "data" / "inspect").glob("*.json*"))]


@pytest.fixture
def every_document_is_long(monkeypatch) -> None:
    monkeypatch.setattr(documents, "SHORT", 0)
    monkeypatch.setattr(documents, "BLOCK", 7)


@pytest.fixture
def written(tmp_path) -> Callable[[str], sources.Source]:
    def write(text: str) -> sources.Source:
        path = tmp_path / "made.json"
        path.write_text(text)
        return sources.of_path(path)

    return write


def told(items: list[Item]) -> list[tuple[Any, ...]]:
    return [(one.line, one.record, one.problems, one.replaced) for one in items]


@pytest.mark.parametrize(("form", "path"), FILES, ids=lambda one: getattr(one, "name", ""))
def test_the_records_are_those_of_the_whole(form: Reader, path: Path, monkeypatch) -> None:
    source = sources.of_path(path)
    whole = list(form.read(source))
    assert all(isinstance(one.record, TrajectoryRecord) for one in whole)
    monkeypatch.setattr(documents, "SHORT", 0)
    parts = list(form.read(source))
    assert told(parts) == told(whole)
    assert len(whole) == 1 or all(len(one.original) < len(path.read_bytes()) for one in parts)
    (look,) = values.look(source).values
    assert form.recognises(look)


@pytest.mark.usefixtures("every_document_is_long")
@pytest.mark.parametrize(
    "text",
    [
        '\ufeff {"a" : 1.5e3 , "n": {"x": [1, "]"]},\n "list": [ {"p": "]}\\"["}, [2], 3 ] , "b": "é"}  \n',
        '{"list": [{"p": 1}], "a": [1, [2, {}], "three"]}',
    ],
)
def test_a_document_comes_apart_and_each_element_is_as_it_stands(text: str, written) -> None:
    source = written(text)
    rest, elements = documents.parted(source, "list") or (None, None)
    meant = json.loads(text.removeprefix("\ufeff"))
    assert rest and rest.value == meant | {"list": []}
    assert [one.value for one in elements or ()] == meant["list"]
    few = documents.skimmed(source, 1)
    assert few and few.value == {key: one[:1] if isinstance(one, list) else one for key, one in meant.items()}


@pytest.mark.usefixtures("every_document_is_long")
@pytest.mark.parametrize(
    "text",
    [
        '{"list": [1, 2',
        '{"list": [1], "a": ',
        '{"list": [1], "list": [2]}',
        '{"list": [], "a": 1}',
        '{"list": {"a": 1}}',
        '{"list": [1], "a": NaN}',
        '{"list": [1] "a": 1}',
        '{"lis',
        "[1]",
        "",
        '{1: 2, "list": [1]}',
        '{"list": [1]}\n{"list": [2]}\n',
        '{"list": [1]} x',
        '{"list": [1]}\x0b',
    ],
)
def test_what_is_no_such_document_is_left_to_who_reads_it_at_once(text: str, written) -> None:
    assert documents.parted(written(text), "list") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["list", "a", "b\u2028", ""]), JSON),
    st.sampled_from([None, 0, 2]),
    st.booleans(),
    st.integers(1, 40),
    st.data(),
)
def test_whatever_a_document_holds_it_comes_apart_into_what_it_is_or_is_left_alone(
    document: dict[str, Any], indent: int | None, escaped: bool, block: int, data: st.DataObject
) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=escaped).encode()
    cut = data.draw(st.integers(0, len(text)) | st.just(len(text)))
    torn = text[:cut] + data.draw(st.binary(max_size=2)) + text[cut:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "SHORT", 0)
        patch.setattr(documents, "BLOCK", block)
        for raw in (text, text[:cut], torn):
            source = sources.Source("made.json", lambda raw=raw: BytesIO(raw))  # type: ignore[misc]
            (whole,) = list(values.read(source, "object"))
            few, parts = documents.skimmed(source, 10**6), documents.parted(source, "list")
            read = parts and parts[0].value | {"list": [line.value for line in parts[1]]}
            if not whole.reason:  # of a list, good elements are read beside broken ones
                assert (few is None or few.value == whole.value) and (parts is None or read == whole.value)
    if isinstance(document.get("list"), list) and document["list"]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(documents, "SHORT", 0)
            assert documents.parted(sources.Source("made.json", lambda: BytesIO(text)), "list")


def test_a_document_on_one_line_comes_apart_too(written, monkeypatch) -> None:
    source = written(json.dumps(json.loads((SAMPLES / "tau2-bench.json").read_text())))
    monkeypatch.setattr(values, "HEAD", 100)
    monkeypatch.setattr(documents, "SHORT", 200)
    look = values.look(source)
    assert look.shape == "lines" and Tau2Bench().recognises(look.values[0])
    items = list(Tau2Bench().read(source, look.shape))
    assert all(one.record for one in items) and len({one.original for one in items}) == len(items) > 1


@pytest.mark.usefixtures("every_document_is_long")
def test_one_broken_simulation_is_told_with_its_place_and_the_others_come_in(written) -> None:
    document = json.loads((SAMPLES / "tau2-bench.json").read_text())
    good = document["simulations"][0]
    document["simulations"] = [good, good | {"messages": [{"role": "clown"}]}, 7, good | {"id": "last"}]
    text = json.dumps(document, indent=1).replace('"id": "last"', '"id": "last", "id": "lasting"')
    items = list(Tau2Bench().read(written(text)))
    assert [one.record is not None for one in items] == [True, False, False, True]
    problems = [problem for one in items for problem in one.problems]
    assert [one.field for one in problems][1:] == ["simulations[2]", "simulations[3].id"]
    assert problems[0].field.startswith("simulations[1].messages")


def test_a_packed_document_that_breaks_off_says_so(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(documents, "SHORT", 100)
    packed = gzip.compress((SAMPLES / "tau2-bench.json").read_bytes())
    (tmp_path / "cut.json.gz").write_bytes(packed[:-9])
    (item,) = Tau2Bench().read(sources.of_path(tmp_path / "cut.json.gz"), "object")
    assert item.record is None and "breaks off" in item.problems[0].reason
