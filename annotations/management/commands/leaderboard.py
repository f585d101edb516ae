"""A project's judges against a reference, beside constant answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations import jobs
from annotations.management import asking
from annotations.models import Report, Run
from annotations.services import leaderboard, leaderboard_words
from annotations.services.leaderboard import LeaderboardRefused

COLUMNS = (
    ("step_acc", "StepAcc"),
    ("first_err_acc", "FirstErr"),
    ("processbench_f1", "PB-F1"),
    ("step_exact", "exact"),
    ("macro_f1", "macroF1"),
    ("kappa", "kappa"),
    ("coverage", "coverage"),
)
NAME = 34


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument(
            "--reference", metavar="RATER", help="a rater's name, or kind:name; the project's own by default"
        )
        parser.add_argument(
            "--official", action="store_true", help="the arithmetic of AgentProcessBench's released script"
        )
        asking.json_option(parser)

    def handle(self, *, slug: str, reference: str | None, official: bool, **options: Any) -> None:
        project = asking.project(slug)
        config = {"reference": reference, "official": official}
        try:
            leaderboard.refuse(project, config)
        except LeaderboardRefused as exc:
            raise CommandError(str(exc)) from exc
        run = Run.objects.create(project=project, kind=Run.Kind.LEADERBOARD, config=config)
        jobs.wait(jobs.run_here(run))  # a worker may have seen it first
        if run.state != Run.State.DONE:
            raise CommandError(run.error or f"The run ended {run.state}.")
        result = Report.objects.get(pk=run.result["leaderboard"]).result
        asking.answer(self, result, list(summary(result)), as_json=options["json"])


def summary(result: dict[str, Any]) -> Iterator[str]:
    """For a person: judges best first, then constant answers; then which judges say no more than those."""
    counts = result["counts"]
    yield (
        f"{counts['judges']} judges against {_clean(result['reference'])}: {counts['trajectories']} trajectories, "
        f"{counts['steps']} steps, {counts['tasks']} tasks" + ("; as released" if result["official"] else "")
    )
    yield f"{'':{NAME}}" + "".join(f"{title:>10}" for _, title in COLUMNS) + f"{'failed':>8}{'missing':>9}"
    for row in [*result["rows"], *result["baselines"]]:
        cells = "".join(f"{_number(row['figures'][name]['value']):>10}" for name, _ in COLUMNS)
        yield f"{_clean(row['name'])[:NAME]:{NAME}}{cells}{row['failed']:>8}{row['missing']:>9}"
    yield ""
    if chosen := leaderboard_words.chosen(result):
        yield _clean(leaderboard_words.told_chosen(chosen))
    for row in result["rows"]:
        for said, what in (("below", "is not better than"), ("unclear", "is not clearly better than")):
            if names := ", ".join(one["name"] for one in row.get(said) or ()):
                yield f"{_clean(row['name'])} {what} {names}."
        if row["taught"]:
            yield f"{_clean(row['name'])}: {row['taught']} trajectories that it was taught with are left out."


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _clean(text: str) -> str:
    """Names come out of files: nothing in them may move a terminal's cursor."""
    return "".join(one if one.isprintable() else "·" for one in text)
