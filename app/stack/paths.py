"""Where the embedded stack keeps things. Pure: nothing here starts or makes anything."""

from __future__ import annotations

import hashlib
from pathlib import Path

LONGEST_SOCKET_PATH = 100  # the kernel's sun_path holds 107 bytes
SHORT_FOLDER = Path("/tmp")  # not $TMPDIR: every process of one home has to find the same sockets


def run_dir(home: Path) -> Path:
    """The folder of the Unix sockets; a short one in /tmp where `home` is too deep, or holds a comma,
    which libpq reads as two hosts."""
    here = home / "run"
    if len(str(here / ".s.PGSQL.5432").encode()) <= LONGEST_SOCKET_PATH and "," not in str(here):
        return here
    return SHORT_FOLDER / ("stepmark-" + hashlib.sha256(str(home).encode()).hexdigest()[:12])


def broker_socket(home: Path) -> Path:
    return run_dir(home) / "broker.sock"
