"""The message broker of the embedded stack: Valkey on a Unix socket, its queue kept in an append-only file."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from celery import current_app

from app.stack import binaries, paths
from app.stack.postgres import make_private


def command(home: Path) -> list[str]:
    """How to start it on data in `home`. Makes the folders it needs."""
    data = home / "broker"
    make_private(data)
    make_private(paths.run_dir(home))
    return [
        *(str(binaries.valkey()), "--port", "0", "--daemonize", "no"),
        *("--unixsocket", str(paths.broker_socket(home)), "--unixsocketperm", "700"),
        *("--dir", str(data), "--appendonly", "yes", "--save", "", "--loglevel", "warning"),
        *("--logfile", str(home / "broker.log")),
    ]


def answers(home: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        try:
            client.connect(str(paths.broker_socket(home)))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def give_back_unacknowledged() -> int:
    """Put the messages that a dead worker had taken back into their queues. Only where no worker is alive.
    A broker that just went away has nothing to give; it is asked again before the next start."""
    with current_app.connection_for_write() as connection, contextlib.suppress(*connection.connection_errors):
        channel = connection.default_channel
        with channel.conn_or_acquire() as client:
            tags = client.zrange(channel.unacked_index_key, 0, -1)
            for tag in tags:
                channel.qos.restore_by_tag(tag, client)
            return len(tags)
    return 0
