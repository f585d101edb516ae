"""A file of trajectories by byte offset: a line is read when it is asked for, the file is never in memory.

Offsets are of the unpacked text. A gzipped file is unpacked into a temporary file first, which goes with the process.
"""

from __future__ import annotations

import gzip
import json
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import IO, Generic, TypeVar

from annotations import formats
from annotations.formats import lines
from annotations.formats.base import FolderFormat, LineFormat, Reader, Refused, found
from annotations.formats.opening.sources import Source as File
from annotations.formats.opening.sources import of_path
from annotations.formats.opening.unpacking import GZIP
from annotations.records import TrajectoryRecord

BLOCK = 2**20
PATIENCE = 1.5  # seconds that a page of a list may take before it says how far it came


@dataclass(frozen=True)
class Entry:
    """A line that is not blank, or a record of its own: where it begins, and its record or why there is none. `format`
    is what it was read as, `where` the place of what is no record, in words, if that is not the offset."""

    offset: int
    end: int
    record: TrajectoryRecord | None = None
    field: str = ""
    reason: str = ""
    format: str = ""
    where: str = ""


Row = TypeVar("Row")


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """What was told of some entries; where those after them begin (None at the end), and whether the search only
    paused there."""

    rows: list[Row]
    after: int | None
    paused: bool = False


class Source:
    """The file and the format that reads it. Raises UnknownFormat where none does, OSError where it cannot be read."""

    def __init__(self, path: Path, format: str = "auto") -> None:
        self.path, self.name = path, path.name
        form = _format(of_path(path), format)
        assert isinstance(form, LineFormat)  # who opens another uses Gathered
        self.format, self.title = form, form.title
        self.broken = ""  # why a compressed file could not be unpacked to its end
        self._lock = Lock()
        self._stream: IO[bytes] = self._opened()
        self._stream.seek(0, 2)
        self.size = self._stream.tell()
        self.packed = path.stat().st_size

    def close(self) -> None:
        self._stream.close()

    def entry(self, offset: int) -> Entry | None:
        """The line that begins there; None where none does."""
        if offset >= self.size:
            return None
        with self._lock:
            if offset and not self._begins(offset):
                return None
            raw, end = self._line(offset)
        return self._entry(offset, end, raw) if raw.strip() else None

    def page(
        self, offset: int, many: int, tell: Callable[[Entry], Row], text: str = "", rejected: bool = False
    ) -> Listing[Row]:
        """What `tell` makes of the entries from there on; of those that hold the text, or that are no record. Gives up
        after a while and says where to go on. One record is in memory at a time."""
        rows: list[Row] = []
        began, at, needles = time.monotonic(), offset, _needles(text)
        while len(rows) < many:
            with self._lock:
                raw, end = self._line(at)
            if not raw:
                return Listing(rows, None)
            if raw.strip() and _holds(raw, needles):
                entry = self._entry(at, end, raw)
                rows += [tell(entry)] if not rejected or entry.record is None else []
            at = end
            if time.monotonic() - began > PATIENCE and len(rows) < many:
                return Listing(rows, self._next(at), paused=True)
        return Listing(rows, self._next(at))

    def before(self, offset: int, many: int) -> int:
        """Where the line begins that stands `many` lines before this one."""
        with self._lock:
            return next(self._starts(offset, many), 0)

    def share(self, offset: int) -> int:
        """How far into the file that is, in percent."""
        return round(100 * offset / self.size) if self.size else 100

    def _next(self, at: int) -> int | None:
        return at if at < self.size else None

    def _opened(self) -> IO[bytes]:
        with self.path.open("rb") as stream:
            packed = stream.read(2) == GZIP
        if not packed:
            return self.path.open("rb")
        plain = tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as the process
        try:
            with gzip.open(self.path) as stream:
                while piece := stream.read1(BLOCK):  # a whole block would be lost with where it breaks off
                    plain.write(piece)
        except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
            self.broken = f"the compressed file breaks off ({exc})"
        return plain

    def _line(self, offset: int) -> tuple[bytes, int]:
        """The line that begins there, cut where it is longer than any record may be, and where the next one begins."""
        self._stream.seek(offset)
        raw = self._stream.readline(lines.LONGEST)
        end = self._stream.tell()
        while len(raw) == lines.LONGEST and not raw.endswith(b"\n"):
            rest = self._stream.readline(BLOCK)
            end = self._stream.tell()
            if not rest or rest.endswith(b"\n"):
                break
        return raw, end

    def _begins(self, offset: int) -> bool:
        self._stream.seek(offset - 1)
        return self._stream.read(1) == b"\n"

    def _starts(self, offset: int, many: int) -> Iterator[int]:
        """The beginning of the line so many lines before the offset, found backwards; nothing where the file begins."""
        left, at = many + 1, offset
        while at > 0:
            start = max(0, at - BLOCK)
            self._stream.seek(start)
            block = self._stream.read(at - start)
            place = len(block)
            while (place := block.rfind(b"\n", 0, place)) >= 0:
                left -= 1
                if not left:
                    yield start + place + 1
                    return
            at = start

    def _entry(self, offset: int, end: int, raw: bytes) -> Entry:
        if len(raw) == lines.LONGEST and not raw.endswith(b"\n"):
            return Entry(offset, end, reason=f"the line is longer than {lines.LONGEST >> 20} MiB")
        line = lines.parse(1, (raw.removeprefix(lines.BOM) if not offset else raw).strip())
        if line.reason:
            return Entry(offset, end, reason=line.reason)
        try:
            if not isinstance(line.value, dict):
                raise Refused("", f"found {found(line.value)}; accepted is one JSON object a line")
            record = self.format.record(line.value)
        except Refused as refused:
            return Entry(offset, end, field=refused.field, reason=refused.reason)
        assert isinstance(record, TrajectoryRecord)  # a format that reads trajectories
        return Entry(offset, end, record, format=self.format.name)


def reads_lines(file: File, name: str) -> bool:
    """Whether the format of the file, or that of the name, makes a record of each line by itself. Raises
    UnknownFormat."""
    form = _format(file, name)
    return isinstance(form, LineFormat) and type(form).records is LineFormat.records


def _format(file: File, name: str) -> Reader | FolderFormat:
    return formats.detect(file)[0] if name == "auto" else formats.reader(name)


def _needles(text: str) -> list[bytes]:
    """How a file may spell the text: as it is, or in the escapes of JSON."""
    lower = text.lower()
    return [lower.encode(errors="replace"), json.dumps(lower)[1:-1].encode()] if text else []


def _holds(raw: bytes, needles: list[bytes]) -> bool:
    return not needles or any(needle in raw.lower() for needle in needles)
