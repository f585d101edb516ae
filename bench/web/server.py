"""The app behind gunicorn as `up` starts it, and a logged-in browser that keeps its connection."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from bench.common import ROOT

SETTINGS = "bench.web.settings"


def as_json(body: Any) -> str:
    return json.dumps(body, separators=(",", ":"))


class Browser:
    """One person's kept-alive connection. `ask` returns the seconds a request took, and keeps what was answered."""

    def __init__(self, port: int, username: str) -> None:
        from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
        from django.contrib.sessions.backends.db import SessionStore
        from django.middleware.csrf import _get_new_csrf_string

        from annotations.models import User

        user = User.objects.get(username=username)
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        token = _get_new_csrf_string()
        self.headers = {
            "Cookie": f"sessionid={session.session_key}; csrftoken={token}",
            "X-CSRFToken": token,
            "Content-Type": "application/json",
        }
        self.connection = HTTPConnection("127.0.0.1", port)
        self.answer = b""
        self.location = ""

    def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> float:
        start = time.perf_counter()
        self.tell(method, path, body)
        response = self.connection.getresponse()
        self.answer = response.read()
        seconds = time.perf_counter() - start
        assert response.status == status, (response.status, self.answer[:500])
        self.location = response.headers.get("Location", "")
        return seconds

    def tell(self, method: str, path: str, body: Any = None) -> None:
        """Send the request, and wait for nothing."""
        self.connection.request(method, path, None if body is None else as_json(body), self.headers)


class Server:
    """A gunicorn on the database the benchmark made, in a process group of its own, so that all of it can be killed."""

    def __init__(self, workers: int = 1, threads: int = 4, keep_alive: int = 75, **environment: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        argv = [
            "gunicorn",
            "app.wsgi",
            f"--bind=127.0.0.1:{self.port}",
            "--worker-class=gthread",
            "--no-control-socket",
        ]
        sizes = [f"--workers={workers}", f"--threads={threads}", f"--keep-alive={keep_alive}"]
        self.argv = [sys.executable, "-m", *argv, *sizes]
        self.environment = os.environ | {"DJANGO_SETTINGS_MODULE": SETTINGS} | environment

    def start(self) -> None:
        self.process = subprocess.Popen(self.argv, cwd=ROOT, env=self.environment, process_group=0)
        self._until_it_listens()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    def kill(self) -> None:
        """As if the machine had lost its power: master and workers at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill_worker(self) -> None:
        """One worker process, in the middle of whatever it does; its master starts another."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)  # the one that has served the longest

    def _until_it_listens(self) -> None:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError("gunicorn did not start")


@contextmanager
def serving(**options: Any) -> Iterator[int]:
    """The port of a gunicorn, by default with one process of four threads; see Server for the options."""
    server = Server(**options)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()
