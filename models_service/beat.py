"""A worker's sign of life, and its eye for runs that nobody works on. Runs in a thread of the worker's main process."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import Any

from celery import signals
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from annotations import jobs
from annotations.models import Run, WorkerBeat
from annotations.models.runs import RunQuerySet
from annotations.services import agreement_live, traces, traces_kept

logger = logging.getLogger(__name__)

EVERY = 5.0
# A run that waits its turn behind others is named to the broker again at most this often.
REMIND_EVERY = timedelta(seconds=60)


class Beat(threading.Thread):
    """Says every few seconds that the worker is there. A database or broker that is away is tried again."""

    def __init__(self, name: str, queues: list[str]) -> None:
        super().__init__(daemon=True, name="beat")
        self.worker, self.queues = name, queues
        self._over = threading.Event()

    def run(self) -> None:
        while True:
            self._try(self.beat)
            if self._over.wait(EVERY):
                self._try(self.leave)
                return

    def beat(self) -> None:
        WorkerBeat.objects.update_or_create(name=self.worker, defaults={"queues": self.queues, "beat_at": Now()})
        send_again()
        traces.send()
        agreement_live.send()
        traces_kept.delete_old()

    def leave(self) -> None:
        WorkerBeat.objects.filter(name=self.worker).delete()

    def stop(self) -> None:
        self._over.set()
        self.join(timeout=EVERY)

    def _try(self, deed: Any) -> None:
        try:
            deed()
        except (DatabaseError, InterfaceError) as exc:
            logger.warning("worker %s: the database cannot be reached: %s", self.worker, exc)
        finally:
            connection.close()  # one short connection each time outlives every restart of the database


def send_again() -> list[Run]:
    """Send out anew the runs whose worker is dead and those that nobody took. Several workers may do so at once: each
    run is sent by one of them."""
    now = timezone.now()
    abandoned = [run for run in Run.objects.abandoned(now) if _same(run).let_go(state=Run.State.QUEUED, beat_at=Now())]
    untaken = [run for run in _untaken() if _same(run).update(beat_at=Now())]
    for run in abandoned:
        logger.warning("run %s lost its worker and is sent to another", run.pk)
    for run in (*abandoned, *untaken):
        jobs.send(run)
    return [*abandoned, *untaken]


def _untaken() -> QuerySet[Run]:
    """Queued, and last sent a while ago. While a run is queued, beat_at is when it was last sent again."""
    never_again = Q(beat_at__isnull=True, created_at__lt=Now() - timedelta(seconds=settings.RUN_STALE_SECONDS))
    return Run.objects.filter(never_again | Q(beat_at__lt=Now() - REMIND_EVERY), state=Run.State.QUEUED)


def _same(run: Run) -> RunQuerySet:
    """The run's row, unless somebody has touched it since it was read."""
    beaten = Q(beat_at__isnull=True) if run.beat_at is None else Q(beat_at=run.beat_at)
    return Run.objects.filter(beaten, pk=run.pk, state=run.state)


_beats: list[Beat] = []


@signals.worker_ready.connect
def begin(sender: Any, **_: Any) -> None:
    beat = Beat(sender.hostname, sorted(sender.app.amqp.queues.consume_from))
    beat.start()
    _beats.append(beat)


@signals.worker_shutdown.connect
def end(**_: Any) -> None:
    while _beats:
        _beats.pop().stop()
