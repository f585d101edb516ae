"""Rows of tables, Parquet and delimited text, as JSON objects. A cell that holds JSON text stays text: what it means is
for the format to say."""

from __future__ import annotations

import csv
import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from typing import IO, Any, cast

from annotations.formats import lines
from annotations.formats.lines import Line
from annotations.formats.opening.sources import Source
from annotations.formats.opening.unpacking import BREAKS
from annotations.records import Json

PARQUET = b"PAR1"
DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
BATCH = 256  # rows of a Parquet file that are unpacked at a time
WIDEST = 64 * 2**20  # characters of one cell


def read(source: Source) -> Iterator[Line]:
    """The rows, numbered from 1 (without the header)."""
    if _is_parquet(source):
        yield from _parquet(source)
    else:
        yield from _delimited(source)


def count(source: Source) -> int:
    if not _is_parquet(source):
        with source.open() as stream:
            return max(0, lines.count(stream) - 1)
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with _seekable(source) as stream:
            return int(ParquetFile(stream).metadata.num_rows)
    except (ArrowException, OSError):
        return 1


def _is_parquet(source: Source) -> bool:
    try:
        return source.read(4) == PARQUET
    except BREAKS:
        return False


def _seekable(source: Source) -> IO[bytes]:
    """The source as a stream whose end can be read first, which is where a Parquet file says what it holds."""
    stream = source.open()
    if stream.seekable():
        return stream
    with stream:
        spare = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
        shutil.copyfileobj(stream, spare)
    spare.seek(0)
    return cast(IO[bytes], spare)


def _parquet(source: Source) -> Iterator[Line]:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    number = 0
    try:
        with _seekable(source) as stream:
            for batch in ParquetFile(stream).iter_batches(BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield _line(number, row)
    except (ArrowException, OSError, *BREAKS) as exc:
        yield Line(number + 1, reason=f"the Parquet file cannot be read: {str(exc)[:200]}")


def _line(number: int, row: dict[str, Any]) -> Line:
    """The row as JSON; what JSON has no spelling for (times, bytes) as text."""
    try:
        value, replaced = lines.storable(_plain(row))
        return Line(number, value, replaced=replaced, raw=lines.dump(value).encode())
    except (ValueError, RecursionError) as exc:
        return Line(number, reason=f"the row is no JSON: {str(exc)[:200]}")


def _plain(value: Any) -> Json:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _delimited(source: Source) -> Iterator[Line]:
    """Rows with the names of the first one. Cells are texts; one too many or too few is said."""
    csv.field_size_limit(min(WIDEST, sys.maxsize))
    number = 0
    try:
        with source.open() as stream:
            text = io.TextIOWrapper(stream, "utf-8-sig", errors="replace", newline="")
            rows = csv.reader(text, delimiter=DELIMITERS.get(source.suffix, ","))
            header = next(rows, None)
            if header is None:
                return
            for number, row in enumerate(rows, 1):
                if row:
                    yield _cells(number, header, row)
    except (csv.Error, OSError, *BREAKS) as exc:
        yield Line(number + 1, reason=f"the table cannot be read: {exc}")


def _cells(number: int, header: list[str], row: list[str]) -> Line:
    if len(row) != len(header):
        return Line(number, reason=f"found {len(row)} cells; accepted are {len(header)}, as the header has")
    return _line(number, dict(zip(header, row, strict=True)))
