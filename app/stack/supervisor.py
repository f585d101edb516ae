"""`manage.py up`: PostgreSQL, the broker, a worker and the web server; started in order, kept up, stopped together."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from django.db import connection

from app.stack import broker, claims, database
from app.stack.postgres import Postgres
from app.stack.processes import Child, stop, sweep

WEB_WORKERS, WEB_THREADS, WORKER_PROCESSES = 2, 8, 2
GRACE = 4.0  # seconds; a run that is cut off then resumes at the next start
FIRST_ANSWER = 60.0
CHECK_EVERY = 0.2


class Stop(BaseException):
    """Somebody asked us to end. Not an Exception: nobody on the way may take it for an error."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start, where, and whom to tell."""

    home: Path
    host: str
    port: int
    embedded_database: bool
    embedded_broker: bool
    demo: Callable[[], str] | None  # makes the demo where it is missing; answers what to tell of it
    say: Callable[[str], None]

    @property
    def url(self) -> str:
        return f"http://{'127.0.0.1' if self.host == '0.0.0.0' else self.host}:{self.port}/"


class Supervisor:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.begun = time.monotonic()
        self.children: list[Child] = []
        self.postgres = Postgres(plan.home) if plan.embedded_database else None

    def run(self) -> None:
        """Until a signal asks to stop. claims.Refused if this home already runs or the port is taken."""
        with claims.home(self.plan.home) as note:
            if count := sweep(self.plan.home):
                self._say(f"ended {count} processes of a start that was killed")
            with claims.port(self.plan.host, self.plan.port) as listener:
                _on_signals(_stop)
                try:
                    self._bring_up(listener.fileno())
                    note(f"{self.plan.url} (process {os.getpid()})")
                    self._watch()
                except Stop:
                    self._say("stopping")
                finally:
                    _on_signals(signal.SIG_IGN)
                    self._take_down()
        self._say("stopped; nothing is left running")

    def _say(self, message: str) -> None:
        with contextlib.suppress(OSError):  # the terminal may be gone
            self.plan.say(f"[{time.monotonic() - self.begun:5.1f} s] {message}")

    def _bring_up(self, listener: int) -> None:
        if self.postgres:
            self._say(f"PostgreSQL: starting in {self.plan.home}")
            self.postgres.start()
        if self.plan.embedded_broker:
            self._say("broker: starting")
            self._start(Child("broker", broker.command(self.plan.home), self.plan.home))
            self._wait_for_broker()
        self._say("database: bringing the tables up to date")
        database.migrate()
        told = self._demo() if self.plan.demo else ""
        connection.close()
        self._say("worker and web server: starting")
        self._start(self._worker())
        self._start(self._web(listener))
        self._wait_for_answer()
        self._say(f"ready: {self.plan.url}   (Ctrl-C stops everything)")
        if told:
            self._say(told)

    def _demo(self) -> str:
        self._say("demo: making it, where it is missing")
        return self.plan.demo() if self.plan.demo else ""

    def _start(self, child: Child) -> None:
        self.children.append(child)
        child.start()

    def _worker(self) -> Child:
        quiet = "-Wignore:You're running the worker with superuser"  # as root, everything here does
        argv = [sys.executable, quiet, "-m", "celery", "-A", "app", "--quiet", "worker", "--queues=light,gpu"]
        argv += [f"--concurrency={WORKER_PROCESSES}", "--hostname=stepmark@%h", "--loglevel=WARNING"]
        argv += ["--without-gossip", "--without-mingle"]
        # SIGKILL when we are killed: a worker that lingered would go on beside the next start's.
        worker = Child("worker", argv, self.plan.home, dies_by=signal.SIGKILL)
        if self.plan.embedded_broker:
            # Nobody else consumes here, so what a killed worker had taken can be given back at once.
            worker.before = broker.give_back_unacknowledged
            worker.may_start = lambda: broker.answers(self.plan.home)
        return worker

    def _web(self, listener: int) -> Child:
        argv = [sys.executable, "-m", "gunicorn", "app.wsgi", f"--bind=fd://{listener}", "--worker-class=gthread"]
        argv += [f"--workers={WEB_WORKERS}", f"--threads={WEB_THREADS}", "--graceful-timeout=3"]
        argv += ["--log-level=warning", "--no-control-socket"]
        return Child("web", argv, self.plan.home, keep_open=(listener,))

    def _wait_for_broker(self) -> None:
        while not broker.answers(self.plan.home):
            self._revive()
            time.sleep(0.02)

    def _wait_for_answer(self) -> None:
        """Any answer will do: whether pages work is for /healthz to say."""
        deadline = time.monotonic() + FIRST_ANSWER
        while time.monotonic() < deadline:
            self._revive()
            caller = http.client.HTTPConnection(self.plan.url.split("/")[2], timeout=2)
            with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(caller):
                caller.request("GET", "/healthz")
                caller.getresponse()
                return
        raise claims.Refused(f"the web server does not answer at {self.plan.url}; its messages are above")

    def _watch(self) -> None:
        while True:
            self._revive()
            time.sleep(CHECK_EVERY)

    def _revive(self) -> None:
        if self.postgres and not self.postgres.is_alive():
            self._say("PostgreSQL ended; starting it again")
            self.postgres.start()
            self._say("PostgreSQL: back")
        for child in self.children:
            if (status := child.ended()) is not None:
                self._say(f"{child.name} ended (exit {status}); starting it again")
            if child.is_due:
                child.start()

    def _take_down(self) -> None:
        """Those who use the broker and the database first."""
        services = [child for child in self.children if child.name == "broker"]
        stop([child for child in self.children if child not in services], GRACE)
        stop(services, GRACE)
        sweep(self.plan.home)
        if self.postgres:
            self.postgres.leave()


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stop


def _on_signals(what: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    """Set explicitly: what is started in the background of a script inherits an ignored SIGINT."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, what)
