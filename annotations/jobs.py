"""Starting background work: a row first, then a message that names it. The row is the truth, the message a nudge."""

from __future__ import annotations

import logging
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from annotations.models import Project, Run, User

logger = logging.getLogger(__name__)

# kind → (task, queue). Names, so that a web process never imports the workers.
TASKS: dict[str, tuple[str, str]] = {
    Run.Kind.IMPORT: ("models_service.run_import", "light"),
    Run.Kind.SCORE: ("models_service.run_scoring", "gpu"),
    Run.Kind.AGREEMENT: ("models_service.run_agreement", "light"),
    Run.Kind.EXPORT: ("models_service.run_export", "light"),
}


def start(kind: str, project: Project, by: User | None, *, file: str = "", **config: Any) -> Run:
    """Make the run and send it to its queue after commit."""
    run = Run.objects.create(project=project, kind=kind, created_by=by, config=config, file=file)
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
