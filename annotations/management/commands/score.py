"""Pre-score a project from the command line."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations import jobs
from annotations.management import asking
from annotations.models import Project, Run, Score
from annotations.services import run_estimates, scorer_entries

TOLD = 10  # trajectories without scores that are named


class Command(BaseCommand):
    help = "Score every step of a project's trajectories with one of the deployment's scorers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("--scorer", required=True, metavar="NAME", help="`scorers list` says which there are")
        parser.add_argument("--estimate", action="store_true", help="only say what it would take, and begin nothing")
        parser.add_argument("--limit", type=int, metavar="N", help="only a try, on so many trajectories")
        parser.add_argument(
            "--wait", action="store_true", help="return when it is over; without a living worker, score in this process"
        )
        asking.json_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        project = asking.project(options["slug"])
        name, known, limit = options["scorer"], sorted(scorer_entries.all_of_them()), options["limit"]
        if name not in known:
            raise CommandError(f"no scorer {name!r}; accepted are {', '.join(known)}")
        if limit is not None and limit < 1:
            raise CommandError(f"--limit {limit}: a try is on one trajectory at least")
        if options["estimate"]:
            self._estimate(project, name, options["json"])
            return
        run = jobs.start(Run.Kind.SCORE, project, None, scorer=name, **({"limit": limit} if limit else {}))
        if options["wait"]:
            jobs.wait(run)
        elif not jobs.is_served(Run.Kind.SCORE):
            self.stderr.write("No worker is alive: the run waits until one starts (make worker), or use --wait.")
        self._print(run, options["json"])
        if run.state in {Run.State.FAILED, Run.State.CANCELLED}:
            self.stderr.write(f"run {run.pk} {run.state}: {run.error}")
            sys.exit(1)

    def _estimate(self, project: Project, name: str, as_json: bool) -> None:
        found = run_estimates.of(project, [name])[name]
        told = {"scorer": name, **asdict(found.size), **asdict(found)}
        del told["size"]
        asking.answer(self, told, run_estimates.words(found), as_json=as_json)

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
        self._tell_skipped(run.result.get("skipped", []))

    def _tell_skipped(self, skipped: list[dict[str, Any]]) -> None:
        for one in skipped[:TOLD]:
            self.stdout.write(f"Not scored: {one['external_id']}: {one['reason']}")
        if len(skipped) > TOLD:
            self.stdout.write(f"… and {len(skipped) - TOLD} more, all of them on the run's page.")
