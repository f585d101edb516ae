"""The files of an export: JSON Lines that are opened when their first row comes, and tables with one type a column."""

from __future__ import annotations

import os
import shutil
from collections import Counter
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
SPOOL, AHEAD = ".spool", ".ahead"
FIRST = 2_000_000  # characters of a file that are sure to be in the block from which loaders take the types


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
    or as Parquet. Of a long JSONL file, a row that is the first to show what some place holds stands at the beginning:
    loaders look no further for the types. `columns` are what the files hold, once closed. `split`: what stands after
    the last dot of a name is a split, and all splits have one shape."""

    def __init__(self, folder: Path, writer: Writer, *, split: bool = False) -> None:
        self.folder, self.writer, self.split = folder, writer, split
        self.columns: dict[str, Columns] = {}
        self._whole: dict[str, Columns] = {}  # of all splits
        self._lines = Lines(folder)
        self._written: Counter[str] = Counter()

    def __exit__(self, kind: object, *more: object) -> None:
        self._lines.__exit__()
        if kind is None:
            for name, columns in self.columns.items():
                self._finish(name, self._whole.get(name.rpartition(".")[0], columns))
            self.columns = {name: self._whole.get(name.rpartition(".")[0], one) for name, one in self.columns.items()}

    def open(self, name: str) -> None:
        if name not in self.columns:
            self.columns[name] = Columns(self.writer.packed)
            self._lines.open(name + SPOOL)

    def row(self, name: str, row: Mapping[str, Json]) -> None:
        self.open(name)
        text, shows = dump(row), self.columns[name].see(row)
        if self.split:
            self._whole.setdefault(name.rpartition(".")[0], Columns(self.writer.packed)).see(row)
        early = shows and self._written[name] > FIRST and self.writer.suffix == ".jsonl" and not self.writer.exact
        self._lines.line(name + (AHEAD if early else SPOOL), text)
        self._written[name] += len(text)

    def _finish(self, name: str, columns: Columns) -> None:
        spool, path = self.folder / (name + SPOOL), self.folder / (name + self.writer.suffix)
        if (ahead := self.folder / (name + AHEAD)).exists():
            with spool.open("rb") as rest, ahead.open("ab") as target:
                shutil.copyfileobj(rest, target)
            os.replace(ahead, spool)
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
