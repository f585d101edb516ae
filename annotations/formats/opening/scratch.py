"""A scratch file that is a database: what is too much for memory, for as long as somebody holds it."""

from __future__ import annotations

import sqlite3


def opened() -> sqlite3.Connection:
    """SQLite's own temporary file: nobody else can open it, and it leaves nothing."""
    file = sqlite3.connect("", isolation_level=None)
    file.execute("PRAGMA synchronous = OFF")
    file.execute("PRAGMA journal_mode = OFF")
    return file
