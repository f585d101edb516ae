"""What labels say of the policies that made a project's rollouts."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations import jobs
from annotations.models import Project, Report, Run
from annotations.services import insight
from annotations.services.insight import InsightRefused


class Command(BaseCommand):
    help = "Compute shares of right and wrong steps by policy model, recovery, errors by place and tool, as one report."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="Its slug.")
        parser.add_argument("--rater", help="Whose labels, as a name or kind:name. Without it, the reference's.")
        parser.add_argument("--json", action="store_true", help="Print the report as JSON.")

    def handle(self, *args: Any, project: str, rater: str | None, json: bool, **options: Any) -> None:
        found = Project.objects.filter(slug=project).first()
        if found is None:
            raise CommandError(f"There is no project {project!r}.")
        name = rater or (found.reference.name if found.reference else "")
        try:
            run = jobs.wait(insight.start(found, None, name))
        except InsightRefused as no:
            raise CommandError(str(no)) from no
        if run.state != Run.State.DONE:
            raise CommandError(run.error or f"The run is {run.state}.")
        report = Report.objects.get(pk=run.result["insight"])
        self.stdout.write(_as_json(report) if json else _as_text(report))


def _as_json(report: Report) -> str:
    return json.dumps({"report": report.pk, **report.result}, ensure_ascii=False, indent=2)


def _as_text(report: Report) -> str:
    counts = report.result["counts"]
    lines = [f"Report {report.pk}: {counts['rollouts']} rollouts of {counts['tasks']} tasks, {counts['steps']} steps."]
    for one in report.result["models"]:
        right, full = one["shares"]["1"]["value"], one["full"]["value"]
        said = "no label" if right is None else f"{right:.3f} right, {full:.3f} of the longest"
        lines.append(f"  {one['name']:<40} {one['rollouts']:>6} rollouts, {one['mean_steps']:.1f} steps each: {said}")
    return "\n".join(lines)
