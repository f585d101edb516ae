"""Whatever else the formats open: lists, objects, tables, folders, archives.

Their records come in order only, so they are kept in a temporary file, which goes with the process, as far as pages
asked for them. An address is a record's number.
"""

from __future__ import annotations

import pickle
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Lock

from annotations import formats
from annotations.formats.base import Item
from annotations.formats.opening import archives, values
from annotations.formats.opening.sources import of_path
from annotations.formats.opening.unpacking import ZSTD
from annotations.records import TrajectoryRecord
from annotations.services import sources
from annotations.services.sources import Unit
from annotations.viewer import source
from annotations.viewer.source import Entry, Listing, Row, Source


def opened(path: Path, format: str = "auto") -> Source | Gathered:
    """The file as it can be read best: by place where it has a record a line, else in order. Raises UnknownFormat where
    no format reads it, OSError where it cannot be read."""
    return Source(path, format) if _has_lines(path, format) else Gathered(path, format)


def _has_lines(path: Path, format: str) -> bool:
    if path.is_dir() or archives.is_archive(path):
        return False
    file = of_path(path)
    with path.open("rb") as stream:
        packed = stream.read(len(ZSTD)) == ZSTD
    return not packed and values.shape_of(file) == "lines" and source.reads_lines(file, format)


class Gathered:
    """The records of all that is at the path, numbered from 0."""

    broken = ""

    def __init__(self, path: Path, format: str = "auto") -> None:
        self.path, self.name = path, path.name
        self._stack = ExitStack()
        chosen = None if format == "auto" else formats.reader(format)
        units = self._stack.enter_context(sources.opened([(path, path.name)], chosen))
        known = dict.fromkeys(one.format.title for one in units if one.format)
        if not known:
            self.close()
            raise formats.UnknownFormat(units[0].reason if units else "there is no file in it")
        self.title = ", ".join(known)
        self.size = self.packed = _size(path)
        self._kept = self._stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        self._places = [0]  # where each entry begins there, and the next one will
        self._coming = _entries(units)
        self._lock = Lock()

    def close(self) -> None:
        self._stack.close()

    def entry(self, number: int) -> Entry | None:
        """The record of that number, or why it is none; None where there are not so many."""
        found = self._at(number)
        return found[0] if found else None

    def page(
        self, number: int, many: int, tell: Callable[[Entry], Row], text: str = "", rejected: bool = False
    ) -> Listing[Row]:
        """As Source.page."""
        rows: list[Row] = []
        began, needle = time.monotonic(), text.lower().encode(errors="replace")
        while len(rows) < many:
            if (found := self._at(number)) is None:
                return Listing(rows, None)
            entry, raw = found
            if needle in raw.lower() and not (rejected and entry.record):
                rows.append(tell(entry))
            number += 1
            if time.monotonic() - began > source.PATIENCE and len(rows) < many:
                return Listing(rows, number, paused=True)
        return Listing(rows, number if self._at(number) else None)

    def before(self, number: int, many: int) -> int:
        return max(0, number - many)

    def share(self, number: int) -> int | None:
        """Nobody knows how many there are."""
        return None

    def _at(self, number: int) -> tuple[Entry, bytes] | None:
        with self._lock:
            while number >= len(self._places) - 1:
                entry = next(self._coming, None)
                if entry is None:
                    return None
                self._kept.seek(self._places[-1])
                self._places.append(self._places[-1] + self._kept.write(pickle.dumps(entry)))
            self._kept.seek(self._places[number])
            raw = self._kept.read(self._places[number + 1] - self._places[number])
        entry = pickle.loads(raw)  # our own, of a moment ago
        return replace(entry, offset=number, end=number + 1), raw


def _entries(units: list[Unit]) -> Iterator[Entry]:
    for unit in units:
        for item in unit.items():
            yield from _of(item, unit)


def _of(item: Item, unit: Unit) -> Iterator[Entry]:
    form = unit.format.name if unit.format else ""
    if isinstance(item.record, TrajectoryRecord):
        yield Entry(0, 0, item.record, format=form)
    else:
        for one in item.problems:
            where = f"{one.file}, line {one.line}" if one.line else one.file
            yield Entry(0, 0, field=one.field, reason=one.reason, where=where)


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(one.stat().st_size for one in files if one.is_file())
