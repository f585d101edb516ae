"""The long table again, for what reads no Parquet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from annotations.formats.base import Format
from annotations.formats.parquet import ORDER


class LongCSV(Format):
    """The columns of the Parquet table, as UTF-8 with a header. A null is an empty cell, `value` is JSON and never
    empty. Texts are as they are: to a spreadsheet one that begins with = is a formula."""

    name = "csv"
    title = "One row a label (CSV)"
    purpose = "everything"
    keeps = "Every label of every rater, as in the Parquet table."
    loses = "The texts of the trajectories."
    suffix = ".csv"
    holds = "labels"
    writes = True
    everyone = True

    def write(self, rows: Iterable[Mapping[str, Any]], path: Path) -> int:
        """Write the rows, keys as in the Parquet table; returns how many."""
        written = 0
        with path.open("w", encoding="utf-8", newline="") as stream:
            out = csv.writer(stream, lineterminator="\n")
            out.writerow(ORDER)
            for row in rows:
                out.writerow([_cell(row.get(name)) for name in ORDER])
                written += 1
        return written


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value
