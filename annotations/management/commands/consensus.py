"""One label out of many: a project's consensus by every method, beside its best rater. Adopts labels and takes them
back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations import jobs
from annotations.management import asking
from annotations.models import Project, Rater, Report, Run
from annotations.services import consensus, consensus_adopt, consensus_words
from annotations.services.consensus import ConsensusRefused
from annotations.services.consensus_adopt import AdoptionRefused

NAME = 20


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("--field", metavar="NAME", help="a choice or a flag; the main field by default")
        parser.add_argument(
            "--raters",
            action="append",
            metavar="WHO",
            help=f"{', '.join(consensus.RATERS)} (people by default), or a rater as kind:name, repeatedly",
        )
        parser.add_argument(
            "--reference", metavar="RATER", help="who is right where it is known; the project's own by default, '' none"
        )
        parser.add_argument("--by-hand", action="store_true", help="without labels that were filled in")
        parser.add_argument("--adopt", metavar="METHOD", help="then adopt this method's labels, as a rater of its own")
        parser.add_argument(
            "--at", type=float, default=0.9, metavar="POSTERIOR", help="those this sure; 0.9 by default"
        )
        parser.add_argument("--report", type=int, metavar="N", help="adopt from this report, and compute none")
        parser.add_argument("--take-back", metavar="RATER", help="take adopted labels back: 'dawid_skene v12'")
        asking.json_option(parser)

    def handle(self, *, slug: str, **options: Any) -> None:
        project = asking.project(slug)
        try:
            if options["take_back"]:
                many = _take_back(project, options["take_back"])
                told = {"taken_back": many}, [f"{many} passes of {options['take_back']} are taken back."]
            else:
                told = _told(project, options)
        except (ConsensusRefused, AdoptionRefused) as no:
            raise CommandError(str(no)) from no
        asking.answer(self, *told, as_json=options["json"])


def _told(project: Project, options: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    report = _report(project, options)
    result, lines = {"report": report.pk, **report.result}, summary(report)
    if method := options["adopt"]:
        run = _done(consensus_adopt.start(report, None, method, options["at"]))
        result["adopted"] = run.result
        lines.append(
            f"Adopted: {run.result['labels']} labels in {run.result['passes']} passes of {run.result['name']}."
        )
    return result, lines


def _report(project: Project, options: dict[str, Any]) -> Report:
    reports = Report.objects.filter(project=project, kind=consensus.KIND).select_related("project__scheme", "run")
    if options["report"]:
        if found := reports.filter(pk=options["report"]).first():
            return found
        raise CommandError(f"The project has no consensus report {options['report']}.")
    raters = options["raters"] or ["people"]
    group = len(raters) == 1 and raters[0] in consensus.RATERS
    asked = {"field": options["field"], "raters": raters[0] if group else raters, "reference": options["reference"]}
    run = _done(consensus.start(project, None, **asked, by_hand=options["by_hand"]))
    return reports.get(pk=run.result["consensus"])


def _done(run: Run) -> Run:
    jobs.wait(run)
    if run.state != Run.State.DONE:
        raise CommandError(run.error or f"The run ended {run.state}.")
    return run


def _take_back(project: Project, name: str) -> int:
    rater = Rater.objects.filter(project=project, kind=Rater.Kind.CONSENSUS, name=name).first()
    if rater is None:
        known = ", ".join(one.rater.name for one in consensus_adopt.adopted(project)) or "none"
        raise CommandError(f"Nothing was adopted as {name!r}; there are: {known}.")
    return consensus_adopt.take_back(rater, None)


def summary(report: Report) -> list[str]:
    """The report for a person: the methods, the best rater alone, and what the likeliest one would leave."""
    result, counts = report.result, report.result["counts"]
    lines = [
        f"Report {report.pk}: {counts['raters']} raters, {counts['labels']} labels of {counts['units']} places in "
        f"{counts['trajectories']} trajectories of {counts['tasks']} tasks; reference: {result['reference'] or 'none'}",
        "",
        f"{'':{NAME}}{'accuracy':>24}{'macroF1':>9}{'kappa':>9}{'decided':>9}{'ties':>7}{'expected':>10}",
    ]
    lines += [_line(one) for one in result["methods"]]
    best = result["best_rater"]
    lines.append(f"alone: {best['rater'] or 'nobody, ' + best['reasons']['rater']}" + _numbers(best))
    name = consensus_words.likely(result)
    lines += ["", f"{name}, if labels are accepted that are this sure:", *_thresholds(result, name)]
    return [*lines, *consensus_words.warnings(result)]


def _line(one: dict[str, Any]) -> str:
    name = f"{one['name']:{NAME}}"
    if one["reason"]:
        return f"{name}  {one['reason']}"
    expected = _number(one["expected_error"]) if one["is_probability"] else "–"
    return f"{name}{_numbers(one)}{one['decided']:>9}{one['ties']:>7}{expected:>10}"


def _numbers(one: dict[str, Any]) -> str:
    if one["accuracy"] is None:
        return f"{'–':>24}{'–':>9}{'–':>9}"
    low, high = one["accuracy_low"], one["accuracy_high"]
    between = "" if low is None else f" ({low:.3f}, {high:.3f})"
    return f"{_number(one['accuracy']) + between:>24}{_number(one['macro_f1']):>9}{_number(one['kappa']):>9}"


def _thresholds(result: dict[str, Any], name: str) -> Iterator[str]:
    method = next(one for one in result["methods"] if one["name"] == name)
    for row in method["thresholds"]:
        yield (
            f"  {row['at']:<6g} {row['accepted']:>8} labels, {result['counts']['units'] - row['accepted']:>8} left; "
            f"wrong: expected {_number(row['expected'])}, found {_number(row['error'])}"
        )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
