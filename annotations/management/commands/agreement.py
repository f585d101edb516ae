"""How far a project's raters agree, and how good each is against the reference."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations import jobs
from annotations.management import asking
from annotations.models import Report, Run
from annotations.services import agreement, agreement_words

COLUMNS = (("step_acc", "StepAcc"), ("first_err_acc", "FirstErr"), ("macro_f1", "macroF1"), ("kappa", "kappa"))
OVERALL = (
    ("percent", "agreement"),
    ("alpha_ordinal", "alpha, ordinal"),
    ("alpha_nominal", "alpha, nominal"),
    ("alpha_interval", "alpha, interval"),
    ("fleiss_kappa", "Fleiss' kappa"),
    ("conger_kappa", "Conger's kappa"),
    ("brennan_prediger", "Brennan-Prediger"),
    ("ac1", "Gwet's AC1"),
    ("ac2_linear", "AC2, linear"),
    ("ac2_quadratic", "AC2, quadratic"),
)


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
        try:
            agreement.find(project, reference)
        except agreement.AgreementRefused as exc:
            raise CommandError(str(exc)) from exc
        config = {"reference": reference, "official": official}
        run = Run.objects.create(project=project, kind=Run.Kind.AGREEMENT, config=config)
        jobs.wait(jobs.run_here(run))  # a worker may have seen it first
        if run.state != Run.State.DONE:
            raise CommandError(run.error or f"The run ended {run.state}.")
        result = Report.objects.get(run=run).result
        asking.answer(self, result, summary(result), as_json=options["json"])


def summary(result: dict[str, Any]) -> list[str]:
    """The report for a person: raters best first, then the constant answers, then all raters together."""
    counts = result["counts"]
    lines = [
        f"{counts['raters']} raters, {counts['labels']} labels of {counts['steps']} steps in {counts['trajectories']} "
        f"trajectories of {counts['tasks']} tasks; reference: {result['reference'] or 'none'}"
        + ("; as released" if result["official"] else ""),
        "",
    ]
    if result["reference"]:
        lines += [f"{'':30}" + "".join(f"{title:>24}" for _, title in COLUMNS) + f"{'coverage':>10}{'failed':>8}"]
        ranked = sorted(result["raters"].values(), key=lambda row: (-(row["step_acc"] or 0), row["title"]))
        lines += [_line(row) for row in [*ranked, *(result["baselines"][value] for value in result["values"])]]
        lines.append("")
    lines += [f"{title:18}{_figure(result['figures'][key])}" for key, title in OVERALL if result["values"]]
    return lines + ["", *_fields(result)]


def _fields(result: dict[str, Any]) -> list[str]:
    """A line per field and part, and below it one per figure."""
    lines = []
    for row in agreement_words.rows(result):
        name = row["field"] + (f", {row['part']}" if row["part"] else "")
        lines.append(f"{name} ({row['level']}, by {row['of']}): " + (row["reason"] or f"{row['raters']} raters"))
        for one in row["figures"]:
            why = one["figure"]["reason"] if one["figure"]["value"] is None else f"from {one['figure']['n']}"
            lines.append(f"  {one['title']:44}{_figure(one['figure']):24}{why}")
    return lines


def _line(row: dict[str, Any]) -> str:
    cells = "".join(f"{_figure(row['figures'][key]):>24}" for key, _ in COLUMNS)
    coverage = row["coverage"]
    return f"{row['title'][:30]:30}{cells}{'–' if coverage is None else f'{coverage:.3f}':>10}{row['failed']:>8}"


def _figure(figure: dict[str, Any]) -> str:
    if figure["value"] is None:
        return "–"
    low, high = figure["low"], figure["high"]
    between = "" if low is None else f" ({low:.3f}, {high:.3f})"
    return f"{figure['value']:.3f}{between}"
