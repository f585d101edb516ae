"""The files of an export: JSON Lines that are opened when their first row comes, and tables with one type a column."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from itertools import islice
from pathlib import Path
from typing import IO, Any

from annotations.formats.lines import dump, load
from annotations.formats.writer import Writer
from annotations.records import Json
from annotations.services.export_shapes import Columns

BATCH = 1_000  # rows of a table that are in memory at a time
SPOOL = ".spool"


class Lines(AbstractContextManager["Lines"]):
    """The JSONL files of an export, opened when their first line comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self._open: dict[str, IO[str]] = {}

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    @property
    def names(self) -> list[str]:
        return list(self._open)

    def open(self, name: str) -> IO[str]:
        if name not in self._open:
            stream = (self.folder / name).open("w", encoding="utf-8", newline="\n")
            self._open[name] = self._stack.enter_context(stream)
        return self._open[name]

    def line(self, name: str, text: str) -> None:
        self.open(name).write(text + "\n")


class Tables(AbstractContextManager["Tables"]):
    """The files of a Writer's rows, by name without suffix. What is written is JSONL; once all rows are known it stays
    as it is, where all have one shape or the format reads its own files again; else it is written anew in that shape,
    or as Parquet. `columns` are what the files hold, once closed."""

    def __init__(self, folder: Path, writer: Writer) -> None:
        self.folder, self.writer = folder, writer
        self.columns: dict[str, Columns] = {}
        self._lines = Lines(folder)

    def __exit__(self, kind: object, *more: object) -> None:
        self._lines.__exit__()
        if kind is None:
            for name, columns in self.columns.items():
                self._finish(name, columns)

    def open(self, name: str) -> None:
        if name not in self.columns:
            self.columns[name] = Columns(self.writer.packed)
            self._lines.open(name + SPOOL)

    def row(self, name: str, row: Mapping[str, Json]) -> None:
        self.open(name)
        self._lines.line(name + SPOOL, dump(row))
        self.columns[name].see(row)

    def _finish(self, name: str, columns: Columns) -> None:
        spool, path = self.folder / (name + SPOOL), self.folder / (name + self.writer.suffix)
        if self.writer.suffix == ".parquet":
            _parquet(_rows(spool), columns, path)
        elif self.writer.reads or self.writer.exact or columns.even:
            os.replace(spool, path)
            return
        else:
            with path.open("w", encoding="utf-8", newline="\n") as stream:
                stream.writelines(f"{dump(columns.fitted(row))}\n" for row in _rows(spool))
        spool.unlink()


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="\n") as stream:
        for line in stream:
            yield load(line)


def _parquet(rows: Iterator[dict[str, Any]], columns: Columns, path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema(list(columns.fields(pa)))
    with parquet.ParquetWriter(path, schema, compression="zstd") as out:
        while some := [columns.fitted(row) for row in islice(rows, BATCH)]:
            out.write_table(pa.Table.from_pylist(some, schema=schema))
        if not columns.rows:
            out.write_table(pa.Table.from_pylist([], schema=schema))
