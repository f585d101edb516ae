"""Real stacks for tests: each a `manage.py up` of its own, with its own home and port."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.stack import processes

CHECKOUT = Path(__file__).resolve().parents[2]
# Where things live is this stack's own matter, not that of whoever runs the tests.
FORGOTTEN = {"DATABASE_URL", "CELERY_BROKER_URL", "DJANGO_SETTINGS_MODULE", "PORT", "HOST", "STEPMARK_HOME"}


_ports = itertools.count(18000 + os.getpid() % 5000)


def free_port() -> int:
    """Never the same one twice, and below the range of outgoing connections, where a bind can fail at any time."""
    for port in _ports:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no free port")


def until(holds: Callable[[], Any], seconds: float = 30, what: str = "it") -> Any:
    """The first true answer; fails when none came in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := holds():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s")


class Stack:
    """A running Stepmark. `env` has what a command needs to work on its data; `manage` runs one."""

    def __init__(
        self,
        home: Path,
        *arguments: str,
        prefix: tuple[str, ...] = (),
        **env: str,
    ) -> None:
        self.home = home
        self.port = int(env.get("PORT", 0)) or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.command = (*prefix, sys.executable, str(CHECKOUT / "manage.py"))
        self.arguments = arguments or ("--no-demo",)
        kept = {name: value for name, value in os.environ.items() if name not in FORGOTTEN}
        self.env = kept | {"STEPMARK_HOME": str(home), "PORT": str(self.port), "PYTHONUNBUFFERED": "1"} | env
        self.output = home.parent / f"{home.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Stack:
        """Return when it says it is ready."""
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                self._argv("up", *self.arguments), cwd=CHECKOUT, env=self.env, stdout=output, stderr=output
            )
        until(lambda: "ready: " in self.log or self.process.poll() is not None, 90, f"a start ({self.output})")
        assert self.process.poll() is None, self.log
        return self

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask the supervisor to end; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(30)

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command on this stack's data."""
        argv = self._argv(*arguments)
        done = subprocess.run(argv, cwd=CHECKOUT, env=self.env, capture_output=True, text=True, timeout=120)
        assert not check or done.returncode == 0, f"{argv} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done

    def shell(self, code: str) -> Any:
        """What the Python `code` assigns to `answer`, computed within Django on this stack's data (JSON types only)."""
        script = f"import json\n{code}\nprint(json.dumps(answer))"
        return json.loads(self.manage("shell", "--no-imports", "-c", script).stdout)

    def get(self, path: str = "/accounts/login/") -> int:
        """The status of a page; 0 while nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            return refusal.code
        except OSError:
            return 0

    def health(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=10) as answer:
                return dict(json.load(answer))
        except OSError:
            return {}

    @property
    def log(self) -> str:
        return self.output.read_text(errors="replace")

    @property
    def pids(self) -> dict[str, int]:
        """The main process of each part: postgres, broker, worker, web."""
        children = {self._part(pid): pid for pid in self._children()}
        return {"postgres": self._postgres(), **children}

    def kill(self, name: str) -> int:
        """kill -9 of a part's main process; returns its number. It comes back as another."""
        pid: int = until(lambda: self.pids.get(name), what=f"a living {name}")
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_back(self, name: str, killed: int) -> None:
        """Until the part runs again as another process and everything answers."""
        until(lambda: self.pids.get(name, killed) not in {killed, 0}, what=f"a new {name}")
        until(lambda: self.health().get("broker") == "ok" == self.health().get("database"), what="health")

    def left_running(self) -> list[int]:
        """Processes of this stack that live."""
        return [*processes.leftovers(self.home), *filter(None, [self._postgres()])]

    def _argv(self, *arguments: str) -> list[str]:
        return [*self.command, *arguments]

    def _children(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def _part(self, pid: int) -> str:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):  # it ended since it was listed
            words = b""
        return next((part for word, part in PARTS.items() if word in words), "other")

    def _postgres(self) -> int:
        for pid_file in self.home.glob("pg*/postmaster.pid"):
            with contextlib.suppress(FileNotFoundError, IndexError):  # it goes, or is just being written
                return int(pid_file.read_text().split()[0])
        return 0


PARTS = {b"valkey-server": "broker", b"celery": "worker", b"gunicorn": "web"}
