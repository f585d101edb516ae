"""What a judge falls for: probes of it, against the project's limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations import jobs
from annotations.judges.probe_limits import LISTED, TASKS
from annotations.management import asking
from annotations.models import Judge, Project, Report, Run
from annotations.services import judge_probes, judge_probes_words
from annotations.services.judges import JudgeRefused

CONVICTED = 3


class Command(BaseCommand):
    help = f"{__doc__} Ends with status {CONVICTED} where a probe convicts it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("judge", metavar="JUDGE", help="its name, for the newest version, or “name v2”")
        parser.add_argument(
            "--probe",
            action="append",
            default=[],
            dest="probes",
            metavar="NAME",
            help=f"only this one; may be given again. There are {', '.join(one.name for one in LISTED)}",
        )
        parser.add_argument("--tasks", type=int, default=TASKS, help=f"tasks for each change; {TASKS} by default")
        parser.add_argument("--seed", type=int, default=0)
        asking.json_option(parser)

    def handle(self, *, slug: str, judge: str, probes: list[str], tasks: int, seed: int, **options: Any) -> None:
        project = asking.project(slug)
        found = self._judge(project, judge)
        try:
            config = judge_probes.asked(found, probes=probes, tasks=tasks, seed=seed)
        except JudgeRefused as exc:
            raise CommandError(str(exc)) from exc
        run = Run.objects.create(project=project, kind=Run.Kind.PROBE, config=config)
        jobs.wait(jobs.run_here(run))  # a worker may have seen it first
        if run.state != Run.State.DONE:
            raise CommandError(run.error or f"The run ended {run.state}.")
        report = Report.objects.get(run=run)
        result = {"judge": str(found), "report": report.pk, "inputs": report.inputs, **report.result}
        asking.answer(self, result, list(summary(result)), as_json=options["json"])
        if result["above"]:
            raise CommandError(f"Probes convict {found}: {', '.join(result['above'])}.", returncode=CONVICTED)

    def _judge(self, project: Project, name: str) -> Judge:
        every = list(project.judges.select_related("server", "rater", "project__scheme").order_by("name", "-version"))
        named = [one for one in every if name in (one.name, str(one))]
        if not named:
            there = ", ".join(map(str, every)) or "none yet"
            raise CommandError(f"There is no judge {name!r} in {project.slug}. There are: {there}.")
        return named[0]


def summary(result: dict[str, Any]) -> Iterator[str]:
    """For a person: a line for each limit."""
    counts = result["inputs"]
    yield f"{result['judge']}: {counts['pairs']} pairs from {counts['tasks']} tasks, report {result['report']}"
    for one in judge_probes_words.verdicts(result["verdicts"], result["probes"]):
        figure = one["figure"]
        value = (
            "–" if figure["value"] is None else f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
        )
        limit = f"{one['side']} {one['limit']['bound']}"
        yield f"{one['title'][:26]:26} {one['number'][:32]:32} {value:24} {limit:14} {one['words']}"
