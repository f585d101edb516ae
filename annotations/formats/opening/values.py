"""The JSON values of a source: its lines, the elements of its one list, its one object, or the rows of its table.

Streaming: one value is in memory at a time, however many there are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, Literal

from annotations.formats import lines
from annotations.formats.lines import BOM, LONGEST, UTF_16, Line
from annotations.formats.opening import documents, tables
from annotations.formats.opening.cutting import Cutter
from annotations.formats.opening.sources import Source
from annotations.formats.opening.unpacking import BREAKS
from annotations.records import Json

Shape = Literal["lines", "list", "object", "table", "text", "nothing"]
HEAD = 256 * 1024  # bytes that are looked at to tell the shape
LOOK = 20  # broken values at the head of a file do not hide what it is


@dataclass(frozen=True)
class Look:
    """What a source seems to hold: its shape, and the first values that can be read."""

    shape: Shape
    values: tuple[Json, ...] = ()
    reason: str = ""  # why the first value is none, where that is so


def look(source: Source) -> Look:
    shape = shape_of(source)
    if shape in ("text", "nothing"):
        return Look(shape)
    skimmed = documents.skimmed(source, LOOK) if shape in documents.SHAPES else None
    found = [skimmed] if skimmed else list(islice(read(source, shape), LOOK))
    good = tuple(one.value for one in found if not one.reason)
    return Look(shape, good, next((one.reason for one in found if one.reason), ""))


def read(source: Source, shape: Shape) -> Iterator[Line]:
    """Its values in order, each numbered from 1: a line by its line, an element by its place. What cannot be read is a
    Line with its reason. Raises OSError where the file itself cannot be opened."""
    if shape == "table":
        yield from tables.read(source)
        return
    with source.open() as stream:
        if shape == "list":
            yield from _elements(stream)
        elif shape == "object":
            yield from _whole(stream)
        else:
            yield from lines.read(stream)


def count(source: Source, shape: Shape) -> int:
    """How many values there are, for showing progress."""
    if shape == "lines":
        with source.open() as stream:
            return lines.count(stream)
    if shape == "table":
        return tables.count(source)
    return 1


def shape_of(source: Source) -> Shape:
    try:
        head = source.read(HEAD)
    except BREAKS:
        return "lines"  # reading it says where it breaks off
    if head.startswith(tables.PARQUET) or source.suffix in tables.DELIMITERS:
        return "table"
    return _shape(head, whole=len(head) < HEAD)


def _shape(head: bytes, *, whole: bool) -> Shape:
    text = head.removeprefix(BOM).lstrip()
    if not text:
        return "nothing"
    if head.startswith(UTF_16):
        return "lines"
    rows = [row for row in text.split(b"\n") if row.strip()][: LOOK + 1]
    if not whole and len(rows) <= LOOK:
        rows = rows[:-1]  # the last is cut
    kinds = [_kind(row) for row in rows]
    if text[:1] in b"{[":
        if rows and rows[0].strip() == b"[" and any(_in_list(row.strip()) for row in rows[1:]):
            return "list"  # an element a line
        if kinds[:1] == [""] and not any(kinds):
            return "list" if text[:1] == b"[" else "object"
        if not kinds:  # the first line is longer than what was looked at
            return "list" if text[:1] == b"[" else "lines"
        if len(kinds) == 1 and whole:
            return "list" if kinds[0] == "list" else "object"
        return "lines"
    meant = sum(bool(kind) or row.lstrip()[:1] in (b"{", b"[") for kind, row in zip(kinds, rows, strict=True))
    return "lines" if any(kinds) and 2 * meant >= len(kinds) else "text"  # a text may have a line that is JSON


def _in_list(row: bytes) -> bool:
    return row[:1] in (b",", b"]") or row.endswith(b",")


def _kind(row: bytes) -> str:
    """What JSON value the row is; "" where it is none, or one that a part of a longer text may well be."""
    try:
        value = json.loads(row)
    except (ValueError, RecursionError):
        return ""
    return type(value).__name__ if isinstance(value, (dict, list)) and value else ""


def _whole(stream: IO[bytes]) -> Iterator[Line]:
    try:
        raw = stream.read(LONGEST + 1)
    except BREAKS as exc:
        yield Line(1, reason=lines.broken(exc))
        return
    if len(raw) > LONGEST:
        yield Line(1, reason=f"the object is longer than {LONGEST >> 20} MiB")
    else:
        yield lines.parse(1, raw.removeprefix(BOM).strip())


def _elements(stream: IO[bytes]) -> Iterator[Line]:
    """The elements of the list that the stream is."""
    cutter, number = Cutter(), 0
    try:
        while block := stream.read(2**22):
            if cutter.closed:
                continue  # to the end, which says whether the file is whole
            for raw in cutter.cut(block.removeprefix(BOM) if not cutter.begun else block):
                number += 1
                yield lines.parse(number, raw)
            if cutter.over_long:
                yield Line(number + 1, reason=f"an element is longer than {LONGEST >> 20} MiB")
                return
    except BREAKS as exc:
        yield Line(number + 1, reason=lines.broken(exc))
        return
    if reason := cutter.end():
        yield Line(number + 1, reason=reason, raw=cutter.rest)
