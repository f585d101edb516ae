"""Calibrate a scorer on a project's labels from the command line."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations import jobs
from annotations.management import asking
from annotations.models import Calibration, Run
from annotations.services import calibration, calibration_words
from annotations.services.calibration import CalibrationRefused


class Command(BaseCommand):
    help = "Fit the newest scores of a scorer to the project's labels, and say how good the probabilities are."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("--scorer", required=True, metavar="NAME", help="one with a scoring run that is done")
        methods = [one for one in calibration.METHODS if one]
        parser.add_argument("--method", default="", choices=["", *methods], help="by default the best by log-loss")
        parser.add_argument(
            "--wait", action="store_true", help="return when it is over; without a living worker, do it in this process"
        )
        asking.json_option(parser)

    def handle(self, *, slug: str, scorer: str, method: str, **options: Any) -> None:
        try:
            run = calibration.start(asking.project(slug), None, scorer, method)
        except CalibrationRefused as no:
            raise CommandError(str(no)) from no
        if options["wait"]:
            jobs.wait(run)
        elif not jobs.is_served(Run.Kind.CALIBRATE):
            self.stderr.write("No worker is alive: the run waits until one starts (make worker), or use --wait.")
        run.refresh_from_db()
        asking.answer(self, *_told(run), as_json=options["json"])
        if run.state in {Run.State.FAILED, Run.State.CANCELLED}:
            self.stderr.write(f"run {run.pk} {run.state}: {run.error}")
            sys.exit(1)


def _told(run: Run) -> tuple[dict[str, Any], list[str]]:
    """For a program and for a person."""
    found = Calibration.objects.filter(pk=run.result.get("calibration")).first()
    kept = ("method", "parameters", "labels_sha256", "report")
    one = {"id": found.pk, **{name: getattr(found, name) for name in kept}} if found else None
    lines = [f"Run {run.pk}: {run.state}.", *(calibration_words.lines(found.report) if found else [])]
    return {"run": run.pk, "state": run.state, "error": run.error, "calibration": one}, lines
