"""Change the label scheme of a project that is labelled already, or see what that would do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations import schemes
from annotations.management import asking
from annotations.models import Project, ProjectScheme
from annotations.schemes import Scheme, SchemeRefused
from annotations.services import projects, scheme_changes, scheme_lost, scheme_texts
from annotations.services.outcomes import NotAccepted
from annotations.services.scheme_plan import Plan


class Command(BaseCommand):
    help = "Say what another version of its scheme does to a project's labels, and with --apply do it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="PROJECT")
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--file", type=Path, metavar="YAML", help="the new scheme")
        which.add_argument("--number", type=int, metavar="N", help="a version that the project has, to go back to it")
        parser.add_argument("--apply", action="store_true", help="put it in force; without this nothing is written")
        parser.add_argument("--unmapped", type=Path, metavar="CSV", help="write every label that cannot go along")
        asking.json_option(parser)

    def handle(self, *, slug: str, **options: Any) -> None:
        project = asking.project(slug)
        text, scheme = _wanted(project, options["file"], options["number"])
        try:
            if options["unmapped"]:
                rows = scheme_changes.unmapped(project, scheme)
                with options["unmapped"].open("w", encoding="utf-8", newline="") as out:
                    out.writelines(scheme_lost.as_csv(rows))
            plan = _apply(project, text, options["number"]) if options["apply"] else None
        except (NotAccepted, OSError) as no:
            raise CommandError(str(no)) from no
        found = plan or scheme_changes.preview(project, scheme)
        result = found.as_json() | {"applied": plan is not None}
        asking.answer(self, result, list(_lines(found, applied=plan is not None)), as_json=options["json"])


def _wanted(project: Project, file: Path | None, number: int | None) -> tuple[str, Scheme]:
    """The YAML and the scheme that is asked for."""
    if number is not None:
        version = ProjectScheme.objects.filter(project=project, number=number).select_related("scheme").first()
        if version is None:
            there = ProjectScheme.objects.filter(project=project).order_by("number").values_list("number", flat=True)
            raise CommandError(f"There is no version {number}. There are: {', '.join(map(str, there)) or 'none yet'}.")
        return version.text, projects.scheme_of(version.scheme)
    assert file  # one of the two is asked for
    try:
        text = file.read_text(encoding="utf-8")
        return text, schemes.read(text)
    except (OSError, UnicodeDecodeError) as no:
        raise CommandError(f"{file}: {no}") from no
    except SchemeRefused as no:
        raise CommandError("\n".join(f"{file}, {mistake}" for mistake in no.mistakes)) from no


def _apply(project: Project, text: str, number: int | None) -> Plan:
    if number is not None:
        version = ProjectScheme.objects.get(project=project, number=number)
    else:
        version = scheme_texts.save(project, text, None)
    return scheme_changes.apply(project, version, None).plan


def _lines(plan: Plan, *, applied: bool) -> Iterator[str]:
    """The plan for a person to read."""
    counts = plan.counts
    yield f"{'Changed' if applied else 'A change'} to {plan.to}:"
    yield f"  {counts['passes']} passes go along, {counts['restored']} are in force again as they were"
    yield f"  {counts['labels']} labels go along, {counts['unmapped']} cannot and stay with the old passes"
    yield f"  {counts['returned']} submitted passes come back to their people"
    yield from (f"  {sentence}" for sentence in plan.loses)
    for one in plan.fields.values():
        becomes = f" as {one.becomes}" if one.becomes not in ("", one.name) else ""
        yield f"{one.name}: {one.kept} go along{becomes}, {one.gone} cannot"
        for example in one.examples:
            place = "the whole" if example.step is None else f"step {example.step}"
            where = f"{example.task}, {example.trajectory}, {place}, {example.rater}"
            yield f"  {where}: {example.value!r}: {example.why}"
    for fresh in plan.fresh:
        yield f"{fresh['name']}: new{', and required' if fresh['required'] else ''}"
    if not applied:
        yield "Nothing is written. Add --apply to do it."
