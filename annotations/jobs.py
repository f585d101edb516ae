"""Starting background work: a row first, then a message that names it. The row is the truth, the message a nudge."""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import current_app
from django.db import IntegrityError, transaction
from kombu.exceptions import OperationalError

from annotations.models import Project, Run, User, WorkerBeat

logger = logging.getLogger(__name__)

# kind → (task, queue). Names, so that a web process never imports the workers.
TASKS: dict[str, tuple[str, str]] = {
    Run.Kind.IMPORT: ("models_service.run_import", "light"),
    Run.Kind.SCORE: ("models_service.run_scoring", "gpu"),
    Run.Kind.AGREEMENT: ("models_service.run_agreement", "light"),
    Run.Kind.EXPORT: ("models_service.run_export", "light"),
    Run.Kind.SCHEME: ("models_service.run_scheme_change", "light"),
    Run.Kind.PUSH: ("models_service.run_push", "light"),
    Run.Kind.CALIBRATE: ("models_service.run_calibration", "light"),
    Run.Kind.TRAIN: ("models_service.run_training", "gpu"),
    Run.Kind.QUEUE: ("models_service.run_queue", "light"),
    Run.Kind.JUDGE: ("models_service.run_judge", "light"),
    Run.Kind.PROBE: ("models_service.run_probe", "light"),
    Run.Kind.LEADERBOARD: ("models_service.run_leaderboard", "light"),
    Run.Kind.INSIGHT: ("models_service.run_insight", "light"),
    Run.Kind.RUBRICS: ("models_service.run_rubrics", "light"),
    Run.Kind.MEANINGS: ("models_service.run_meanings", "gpu"),
    Run.Kind.CONSENSUS: ("models_service.run_consensus", "light"),
    Run.Kind.ADOPT: ("models_service.run_adoption", "light"),
}


class Busy(ValueError):
    """There is such a run at work already, and may be one at a time."""


def start(kind: str, project: Project, by: User | None, *, file: str = "", **config: Any) -> Run:
    """Make the run and send it to its queue after commit. Busy where it has to wait for another one to end."""
    try:
        with transaction.atomic():
            run = Run.objects.create(project=project, kind=kind, created_by=by, config=config, file=file)
    except IntegrityError as exc:
        if "one_training_at_a_time" not in str(exc):
            raise
        raise Busy("The embedded scorer is learning already; wait for that run, or stop it.") from exc
    transaction.on_commit(lambda: send(run))
    return run


def send(run: Run) -> None:
    """Tell a worker of the run. Sending twice is harmless: a run is claimed once. A broker that is away loses
    nothing either: workers look for runs that nobody took."""
    task, queue = TASKS[run.kind]
    try:
        current_app.send_task(task, args=[run.pk], queue=queue, retry=False)
    except (OperationalError, OSError):
        logger.warning("run %s waits: the broker cannot be reached", run.pk)


def is_served(kind: str) -> bool:
    """Whether a living worker takes up runs of this kind."""
    _, queue = TASKS[kind]
    return WorkerBeat.alive().filter(queues__contains=[queue]).exists()


def run_here(run: Run) -> Run:
    """Do the run's work in this process, unless a worker is at it. Its row then says how it ended; raises nothing."""
    task, _ = TASKS[run.kind]
    current_app.loader.import_default_modules()
    current_app.tasks[task].apply(args=[run.pk], throw=False)
    run.refresh_from_db()
    return run


def wait(run: Run, every: float = 0.3) -> Run:
    """Return once the run is over; a paused one is waited for until it is resumed. Where no living worker takes up such
    runs, the work is done here."""
    while True:
        run.refresh_from_db()
        if run.is_over:
            return run
        if not run.is_paused and not is_served(run.kind):
            run_here(run)
        time.sleep(0 if run.is_over else every)
