"""Pre-score a project from the command line."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations import jobs
from annotations.management import asking
from annotations.models import Run, Score


class Command(BaseCommand):
    help = "Score every step of a project's trajectories with one of the deployment's scorers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("--scorer", required=True, metavar="NAME", help=", ".join(sorted(settings.SCORERS)))
        parser.add_argument(
            "--wait", action="store_true", help="return when it is over; without a living worker, score in this process"
        )
        asking.json_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        project = asking.project(options["slug"])
        if options["scorer"] not in settings.SCORERS:
            known = ", ".join(sorted(settings.SCORERS))
            raise CommandError(f"no scorer {options['scorer']!r}; accepted are {known}")
        run = jobs.start(Run.Kind.SCORE, project, None, scorer=options["scorer"])
        if options["wait"]:
            jobs.wait(run)
        elif not jobs.is_served(Run.Kind.SCORE):
            self.stderr.write("No worker is alive: the run waits until one starts (make worker), or use --wait.")
        self._print(run, options["json"])
        if run.state in {Run.State.FAILED, Run.State.CANCELLED}:
            self.stderr.write(f"run {run.pk} {run.state}: {run.error}")
            sys.exit(1)

    def _print(self, run: Run, as_json: bool) -> None:
        run.refresh_from_db()
        steps = Score.objects.filter(run=run).count()
        if as_json:
            figures = {"run": run.pk, "state": run.state, "done": run.done, "total": run.total, "steps_scored": steps}
            self.stdout.write(json.dumps(figures))
            return
        total = "?" if run.total is None else run.total
        self.stdout.write(f"Run {run.pk}: {run.state}, {run.done} of {total} trajectories, {steps} steps scored.")
        model = run.result.get("model", {})
        if model.get("kind") == "prior":
            self.stdout.write(f"It used the shipped prior: {model['reason']}.")
        for one in run.result.get("skipped", []):
            self.stdout.write(f"Not scored: {one['external_id']}: {one['reason']}")
