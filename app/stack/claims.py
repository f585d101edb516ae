"""What only one supervisor may have: a home, and a port to listen on."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from app.stack.postgres import make_private

PORTS_TRIED = 100


class Refused(Exception):
    """Nothing was started; the message says why and what to do."""


@contextlib.contextmanager
def home(folder: Path) -> Iterator[Callable[[str], None]]:
    """Hold the home; gives a function that notes for others where we are. Freed by the kernel even after a kill -9."""
    make_private(folder, mode=0o755)
    with (folder / ".up").open("a+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.seek(0)
            raise Refused(f"already running: {held.read() or 'just starting'}, data in {folder}") from None

        def note(where: str) -> None:
            held.truncate(0)
            held.write(where)
            held.flush()

        note("")
        yield note
        note("")


@contextlib.contextmanager
def port(host: str, number: int) -> Iterator[socket.socket]:
    """Listen there. While the web server is started again, callers wait in the queue instead of being refused."""
    try:
        listener = _listen(host, number)
    except OSError as trouble:
        why = os.strerror(trouble.errno or 0).lower()
        raise Refused(f"port {number} on {host} cannot be used: {why}.{_offer(host, number)}") from None
    with listener:
        yield listener


def _listen(host: str, number: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, number), family=family, backlog=512)


def _offer(host: str, number: int) -> str:
    for other in range(number + 1, min(number + PORTS_TRIED, 65535)):
        with contextlib.suppress(OSError), _listen(host, other):
            return f" {other} is free: PORT={other} make run"
    return ""
