"""What an import has met already, on disk: a file of millions of small records costs no memory for it."""

from __future__ import annotations

from annotations.formats.opening import scratch


class Seen:
    """Bytes by bytes."""

    def __init__(self) -> None:
        self._file = scratch.opened()
        self._file.execute("CREATE TABLE seen (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")

    def get(self, key: bytes) -> bytes | None:
        found: tuple[bytes] | None = self._file.execute("SELECT value FROM seen WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._file.execute("INSERT OR REPLACE INTO seen VALUES (?, ?)", (key, value))
