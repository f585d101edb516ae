"""Comma- and tab-separated text as a table."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import NamedTuple

from annotations.rendering.marks import inert

ROWS, COLUMNS = 1_000, 60  # of which a table is drawn; the rest stands in the text as it was written
_SHORT = 40  # characters of what can be the name of a column


class Table(NamedTuple):
    rows: Sequence[Sequence[str]]
    left: int  # rows that are not among them


def parse(text: str) -> Table | None:
    """The table, if each line of the text has as many fields as the others: two or more, in three lines or more."""
    lines = text.strip("\n").splitlines()
    if len(lines) < 3:
        return None
    for delimiter, least in (("\t", 2), (",", 3), (";", 3)):
        if lines[0].count(delimiter) + 1 >= least and lines[-1].count(delimiter) + 1 >= least:
            rows = _rows(lines, delimiter)
            if rows and len(rows[0]) >= least and all(len(one) < _SHORT for one in rows[0]):
                return Table(rows[:ROWS], max(0, len(rows) - ROWS))
    return None


def _rows(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error:
        return []
    return rows if len(rows) >= 3 and len({len(row) for row in rows}) == 1 else []


def to_html(table: Table) -> str:
    head, *body = table.rows
    rows = "".join(f"<tr>{_cells(row, 'td')}</tr>" for row in body)
    drawn = f"<table><thead><tr>{_cells(head, 'th')}</tr></thead><tbody>{rows}</tbody></table>"
    return scrolling(drawn) + _left_out(table)


def scrolling(table: str) -> str:
    """A table that moves within itself where it is wider than the page."""
    return f'<div class="scrolls" role="group" aria-label="Table" tabindex="0">{table}</div>'


def _cells(row: Sequence[str], tag: str) -> str:
    return "".join(f"<{tag if one else 'td'}>{inert(one)}</{tag if one else 'td'}>" for one in row[:COLUMNS])


def _left_out(table: Table) -> str:
    columns = max(0, len(table.rows[0]) - COLUMNS)
    left = [f"{table.left:,} more rows"] * bool(table.left) + [f"{columns:,} more columns"] * bool(columns)
    return f'<p class="muted">{" and ".join(left)}: see the text as written.</p>' if left else ""
