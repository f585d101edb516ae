"""Holding a run while working on it: claim, progress, heartbeat, how it ends. Pausing, stopping and repeating runs."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, models, transaction
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce, Now

from annotations import jobs
from annotations.models import Event, Run, User
from annotations.models.runs import RunQuerySet, worked_until

logger = logging.getLogger(__name__)

LOOK_EVERY = 0.5  # seconds between looks at whether the hold is good, and between writes of progress
BEAT_EVERY = 2.0


class Cancelled(Exception):
    """The hold is gone: someone stopped or paused the run, or another worker took it over."""


class Claim:
    """A worker's hold on one run. All it writes of the run, it writes only while the hold is good; once it is not,
    every method raises Cancelled."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.done = run.done
        self._looked = 0.0

    def held(self) -> RunQuerySet:
        """The run's row while the hold is good, else nothing."""
        return Run.objects.filter(pk=self.run.pk, claim=self.run.claim, state=Run.State.RUNNING)

    def expect(self, total: int, already: int = 0) -> None:
        """Say how much there is to do, and how much of it an earlier hold has done."""
        self.done, self.run.total = already, total
        self._write(total=total, done=already)

    def advance(self, by: int = 1) -> None:
        """Count work done; cheap enough for an inner loop. The row follows about twice a second, written by the
        heartbeat on a connection of its own, so it can be called inside a long transaction."""
        self.done += by
        if time.monotonic() - self._looked >= LOOK_EVERY:
            self.check()

    def check(self) -> None:
        """Raise Cancelled if the hold is gone."""
        self._looked = time.monotonic()
        if not self.held().exists():
            raise Cancelled(f"run {self.run.pk}")

    def keep(self, **result: Any) -> None:
        """Merge into run.result, in the caller's transaction if there is one, and there keep the run's row locked:
        a transaction that ends with it is committed by the holder or not at all."""
        merged = Func(F("result"), Value(result, models.JSONField()), template="%(expressions)s", arg_joiner=" || ")
        self._write(result=merged, done=self.done)
        self.run.result |= result

    def configure(self, **config: Any) -> None:
        """Settle what was asked for, where it was only known now: whoever repeats the run does the same."""
        self._write(config=self.run.config | config)
        self.run.config |= config

    def attach(self, file: str, sha256: str) -> None:
        """Name the run's output, or an input it fetched itself: its name in the default storage and its SHA-256."""
        self._write(file=file, sha256=sha256)
        self.run.file, self.run.sha256 = file, sha256

    def _write(self, **fields: Any) -> None:
        if not self.held().update(beat_at=Now(), **fields):
            raise Cancelled(f"run {self.run.pk}")
        self._looked = time.monotonic()


class Heartbeat(threading.Thread):
    """Keeps a claim's row fresh while its body works, however long one call in the body takes."""

    def __init__(self, claim: Claim) -> None:
        super().__init__(daemon=True, name=f"heartbeat of run {claim.run.pk}")
        self.claim = claim
        self._over = threading.Event()

    def run(self) -> None:
        written, beaten = self.claim.done, time.monotonic()
        while not self._over.wait(LOOK_EVERY):
            done = self.claim.done
            if done != written or time.monotonic() - beaten >= BEAT_EVERY:
                self._beat(done)
                written, beaten = done, time.monotonic()
        connection.close()

    def _beat(self, done: int) -> None:
        try:
            self.claim.held().update(beat_at=Now(), done=done)
        except (OperationalError, InterfaceError):  # the database is away; the body will notice, or it comes back
            connection.close()

    def stop(self) -> None:
        self._over.set()
        self.join()


def _claim(run_id: int) -> Claim | None:
    stale = Q(state=Run.State.RUNNING, beat_at__lt=Now() - timedelta(seconds=settings.RUN_STALE_SECONDS))
    free = Run.objects.filter(Q(state=Run.State.QUEUED) | stale, pk=run_id)
    hold = uuid.uuid4()
    if not free.update(
        claim=hold,
        state=Run.State.RUNNING,
        beat_at=Now(),
        started_at=Coalesce(F("started_at"), Now()),
        held_at=Now(),
        worked=worked_until(F("beat_at")),
        error="",
    ):
        return None
    return Claim(Run.objects.select_related("project__scheme", "created_by").get(pk=run_id, claim=hold))


@contextmanager
def working_on(run_id: int) -> Iterator[Claim | None]:
    """Hold the run while the body works; None where someone else holds it or it is over.

    The run ends done, or failed with what the body raised, which is raised on. A body whose hold is gone ends
    quietly. Interrupted, or with the database gone, the run is not over: another worker takes it up.
    """
    claim = _claim(run_id)
    if claim is None:
        yield None
        return
    heartbeat = Heartbeat(claim)
    heartbeat.start()
    try:
        yield claim
        heartbeat.stop()
        _end(claim, Run.State.DONE)
    except Cancelled:
        logger.info("run %s was stopped after %s", run_id, claim.done)
    except (KeyboardInterrupt, SystemExit):
        claim.held().let_go(state=Run.State.QUEUED, done=claim.done)
        raise
    except Exception as exc:
        heartbeat.stop()
        if not _database_is_gone(exc):
            _end(claim, Run.State.FAILED, error=_sentence(exc))
        raise
    finally:
        heartbeat.stop()


def _end(claim: Claim, state: Run.State, error: str = "") -> None:
    """Write how it ended; nothing where the hold is gone."""
    ended = {"state": state, "error": error, "done": claim.done, "beat_at": Now(), "finished_at": Now()}
    claim.held().update(**ended, held_at=None, worked=worked_until(Now()))


def _sentence(exc: Exception) -> str:
    return f"{type(exc).__name__}: {exc}"[:4000].replace("\x00", "")


def _database_is_gone(exc: Exception) -> bool:
    """Whether it says that the connection broke or the server went away, and nothing about the work."""
    if not isinstance(exc, (OperationalError, InterfaceError)):
        return False
    state = getattr(exc.__cause__, "sqlstate", None)
    return state is None or state.startswith(("08", "57P"))


@transaction.atomic
def cancel(run: Run, by: User | None) -> bool:
    """Stop the run: its worker notices within a second. False where it was over already."""
    stopped = Run.objects.open().filter(pk=run.pk).let_go(state=Run.State.CANCELLED, finished_at=Now())
    return bool(stopped) and _told(run, by, "run.cancelled")


@transaction.atomic
def pause(run: Run, by: User | None) -> bool:
    """Have the run rest until it is resumed: its worker notices within a second and stores nothing more. False where
    it is over or resting already, or of a kind that cannot go on where it stood."""
    moving = Run.objects.filter(pk=run.pk, kind__in=Run.PAUSABLE, state__in=[Run.State.QUEUED, Run.State.RUNNING])
    return bool(moving.let_go(state=Run.State.PAUSED)) and _told(run, by, "run.paused")


@transaction.atomic
def resume(run: Run, by: User | None) -> bool:
    """Send a paused run, or one that failed and kept what it had done, to a worker, which goes on where it stood. False
    for any other."""
    failed = Q(state=Run.State.FAILED, kind__in=Run.KEEPING)
    resting = Run.objects.filter(Q(state=Run.State.PAUSED) | failed, pk=run.pk)
    if not resting.update(state=Run.State.QUEUED, beat_at=Now(), finished_at=None):
        return False
    transaction.on_commit(lambda: jobs.send(run))
    return _told(run, by, "run.resumed")


def _told(run: Run, by: User | None, verb: str) -> bool:
    """Record what was done to the run since it was read, and read it again."""
    before = {"run": run.pk, "state": run.state}
    run.refresh_from_db()
    after = {"run": run.pk, "state": run.state}
    Event.objects.create(project_id=run.project_id, actor=by, verb=verb, before=before, after=after)
    return True


@transaction.atomic
def retry(run: Run, by: User | None) -> Run:
    """The same work again, as a new run. ValueError where the old one is not over."""
    run.refresh_from_db()
    if not run.is_over:
        raise ValueError(f"Run {run.pk} is {run.state}; stop it first.")
    file = run.file if run.kind == Run.Kind.IMPORT else ""  # elsewhere it is what the old run brought
    again = jobs.start(run.kind, run.project, by, file=file, **run.config)
    Run.objects.filter(pk=again.pk).update(retry_of=run)
    again.retry_of = run
    Event.objects.create(
        project_id=run.project_id, actor=by, verb="run.retried", before={"run": run.pk}, after={"run": again.pk}
    )
    return again
