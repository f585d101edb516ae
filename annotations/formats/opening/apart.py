"""What belongs together in a log and stands apart in it, on disk until the log is at its end: memory holds one at a
time, however long the log is."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from annotations.formats.lines import Line
from annotations.formats.opening import scratch

TABLES = """
CREATE TABLE line (place INTEGER PRIMARY KEY, number INTEGER, replaced INTEGER, raw BLOB);
CREATE TABLE one (place INTEGER PRIMARY KEY, name BLOB UNIQUE);
CREATE TABLE part (one INTEGER, line INTEGER, value BLOB);
"""


@dataclass(frozen=True)
class Gathered:
    """Parts of one name, in order, and the line they make: its number is that of the first, its text that of all."""

    name: str
    parts: list[Any]
    line: Line


class Apart:
    """Parts by name."""

    def __init__(self) -> None:
        self._file = scratch.opened()
        self._file.executescript(TABLES)
        self._last: Line | None = None
        self._place = 0

    def hold(self, name: str, part: Any, line: Line) -> None:
        """Keep a part that the line holds; the line itself once, whatever it holds."""
        if line is not self._last:
            self._last, self._place = line, self._place + 1
            row = (self._place, line.number, line.replaced, line.raw)
            self._file.execute("INSERT INTO line VALUES (?, ?, ?, ?)", row)
        key = name.encode("utf-8", "surrogatepass")
        self._file.execute("INSERT OR IGNORE INTO one (name) VALUES (?)", (key,))
        self._file.execute(
            "INSERT INTO part SELECT place, ?, ? FROM one WHERE name = ?", (self._place, pickle.dumps(part), key)
        )

    def gathered(self, longest: int) -> Iterator[Gathered | tuple[str, int]]:
        """All names in the order in which they came. Of one whose lines are longer than that together only the name,
        and the number of its first line."""
        self._file.execute("CREATE INDEX IF NOT EXISTS parts ON part (one)")
        for place, key in self._file.execute("SELECT place, name FROM one ORDER BY place"):
            yield self._one(place, key.decode("utf-8", "surrogatepass"), longest)

    def _one(self, place: int, name: str, longest: int) -> Gathered | tuple[str, int]:
        whose = "FROM line WHERE place IN (SELECT line FROM part WHERE one = ?)"
        first, replaced, length = self._file.execute(
            f"SELECT min(number), sum(replaced), sum(length(raw)) {whose}", (place,)
        ).fetchone()
        if length > longest:
            return name, first
        raw = [one for (one,) in self._file.execute(f"SELECT raw {whose} ORDER BY place", (place,))]
        found = self._file.execute("SELECT value FROM part WHERE one = ? ORDER BY rowid", (place,))
        parts = [pickle.loads(value) for (value,) in found]  # our own words of a moment ago
        return Gathered(name, parts, Line(first, replaced=replaced, raw=b"\n".join(raw)))
