"""Parts of many that stand mixed in one log come together, in order, without being held in memory."""

from __future__ import annotations

import json
from io import BytesIO

import pytest

from annotations.formats import FORMATS, lines
from annotations.formats.base import Reader
from annotations.formats.lines import Line
from annotations.formats.opening.apart import Apart, Gathered
from annotations.formats.opening.sources import Source
from annotations.records import TrajectoryRecord
from tests import spans


def test_parts_come_by_name_in_the_order_in_which_the_names_came() -> None:
    held, one, other = Apart(), Line(3, raw=b"one", replaced=1), Line(5, raw=b"other", replaced=2)
    held.hold("b", {"n": 1}, one)
    held.hold("a", {"n": 2.5, "text": "ä\ud83d"}, one)
    held.hold("b", {"n": 3}, other)
    first, second = held.gathered(1000)
    assert isinstance(first, Gathered) and isinstance(second, Gathered)
    assert (first.name, first.parts) == ("b", [{"n": 1}, {"n": 3}])
    assert (first.line.number, first.line.replaced, first.line.raw) == (3, 3, b"one\nother")
    assert (second.name, second.parts, second.line.raw) == ("a", [{"n": 2.5, "text": "ä\ud83d"}], b"one")


def test_a_line_that_holds_several_parts_is_kept_once() -> None:
    held, line = Apart(), Line(1, raw=b"whole")
    for number in range(3):
        held.hold("a", number, line)
    [one] = held.gathered(1000)
    assert isinstance(one, Gathered) and (one.parts, one.line.raw) == ([0, 1, 2], b"whole")


def test_of_what_is_too_long_together_the_name_is_told_and_the_others_are_there() -> None:
    held = Apart()
    held.hold("long", 1, Line(1, raw=b"x" * 100))
    held.hold("short", 2, Line(2, raw=b"x"))
    told, other = held.gathered(50)
    assert told == ("long", 1)
    assert isinstance(other, Gathered) and other.name == "short"


def test_a_trace_whose_lines_are_too_long_is_named_and_the_others_go_in(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (f"{number:032x}" for number in (1, 2))
    rows = [*spans.agent(trace=few, turns=1), *spans.agent(trace=many, turns=9)]
    body = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    monkeypatch.setattr(lines, "LONGEST", len(body) // 2)
    otlp = FORMATS["otlp"]
    assert isinstance(otlp, Reader)
    found = list(otlp.read(Source("spans.jsonl", lambda: BytesIO(body))))
    assert [len(one.record.steps) for one in found if isinstance(one.record, TrajectoryRecord)] == [2]
    [problem] = [problem for one in found for problem in one.problems]
    assert many in problem.reason and "longer than" in problem.reason
