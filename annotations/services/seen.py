"""What an import has met already, on disk: a file of millions of small records costs no memory for it."""

from __future__ import annotations

import sqlite3


class Seen:
    """Bytes by bytes, for as long as the object lives. The file is SQLite's own temporary one and leaves nothing."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("PRAGMA synchronous = OFF")
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute("CREATE TABLE seen (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")

    def get(self, key: bytes) -> bytes | None:
        found: tuple[bytes] | None = self._file.execute("SELECT value FROM seen WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._file.execute("INSERT OR REPLACE INTO seen VALUES (?, ?)", (key, value))
