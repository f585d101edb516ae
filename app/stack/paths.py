"""Where the embedded stack keeps things. Pure: nothing here starts or makes anything."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

LONGEST_SOCKET_PATH = 100  # the kernel's sun_path holds 107 bytes


def run_dir(home: Path) -> Path:
    """The folder of the Unix sockets; a short one under the temporary folder where `home` is too deep."""
    here = home / "run"
    if len(str(here / ".s.PGSQL.5432").encode()) <= LONGEST_SOCKET_PATH:
        return here
    return Path(tempfile.gettempdir()) / ("stepmark-" + hashlib.sha256(str(home).encode()).hexdigest()[:12])


def broker_socket(home: Path) -> Path:
    return run_dir(home) / "broker.sock"
