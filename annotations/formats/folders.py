"""The files of a folder as values and records: one is in memory at a time."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from io import BytesIO

from annotations.formats import lines
from annotations.formats.base import Item, Refused
from annotations.formats.lines import Line
from annotations.formats.opening import values
from annotations.formats.opening.sources import Source
from annotations.formats.opening.unpacking import BREAKS
from annotations.records import Json, Problem, TrajectoryRecord

MOST_TOGETHER = 256 * 2**20  # bytes of files that are one record


def value_of(source: Source) -> Line:
    """The one JSON value that the file is, or why it is none."""
    try:
        return next(values.read(source, "object"), Line(1, reason="the file is empty"))
    except (OSError, *BREAKS) as exc:
        return Line(1, reason=f"the file cannot be read: {exc}")


def bytes_of(source: Source, most: int) -> bytes:
    """The unpacked bytes; none where they cannot be read or are more."""
    try:
        found = source.read(most + 1)
    except (OSError, *BREAKS):
        return b""
    return found if len(found) <= most else b""


def bytes_at(source: Source, most: int) -> bytes:
    """How the unpacked file begins; nothing where it cannot be read."""
    try:
        return source.read(most)
    except (OSError, *BREAKS):
        return b""


def item(file: str, line: Line, made: Callable[[Json], TrajectoryRecord]) -> Item:
    """The record that is made of a file's value, or why there is none."""
    if line.reason:
        return nothing(file, line, "", line.reason)
    twice = "found the key twice in one object; the last one counts"
    problems = (Problem(file, line.number, line.doubled, twice),) if line.doubled else ()
    try:
        return Item(line.number, made(line.value), problems, line.replaced, line.raw)
    except Refused as refused:
        return nothing(file, line, refused.field, refused.reason)


def nothing(file: str, line: Line, field: str, reason: str) -> Item:
    return Item(line.number, None, (Problem(file, line.number, field, reason),), line.replaced, line.raw)


def zipped(members: Iterable[tuple[str, Source]]) -> bytes:
    """The files as one archive, the same bytes each time. Empty where they are more than can be held together."""
    made, room = BytesIO(), MOST_TOGETHER
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for path, source in members:
            content = bytes_of(source, min(room, lines.LONGEST))
            room -= len(content)
            archive.writestr(zipfile.ZipInfo(path), content)
            if room <= 0:
                return b""
    return made.getvalue()
