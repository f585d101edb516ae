"""Have a project's embedded scorer learn from the command line."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from annotations import jobs
from annotations.management import asking
from annotations.models import Run
from annotations.services import teaching, teaching_words


class Command(BaseCommand):
    help = "Teach the embedded scorer a project's labels, and say how good it is on tasks it has not seen."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument(
            "--wait", action="store_true", help="return when it is over; without a living worker, do it in this process"
        )
        asking.json_option(parser)

    def handle(self, *, slug: str, **options: Any) -> None:
        run = teaching.start(asking.project(slug), None)
        if options["wait"]:
            jobs.wait(run)
        elif not jobs.is_served(Run.Kind.TRAIN):
            self.stderr.write("No worker is alive: the run waits until one starts (make worker), or use --wait.")
        run.refresh_from_db()
        model = run.result.get("model")
        told = {"run": run.pk, "state": run.state, "error": run.error, "model": model}
        told["scoring"] = run.result.get("scoring")
        asking.answer(self, told, teaching_words.lines(run), as_json=options["json"])
        if run.state in {Run.State.FAILED, Run.State.CANCELLED}:
            self.stderr.write(f"run {run.pk} {run.state}: {run.error}")
            sys.exit(1)
