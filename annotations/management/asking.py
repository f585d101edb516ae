"""What commands share: finding the project, and one answer for people or for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.models import Project

SHOWN = 20


def json_option(parser: CommandParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output, nothing else")


def project(slug: str) -> Project:
    """The project of that slug; an error that names those there are."""
    found = Project.objects.select_related("scheme", "reference").filter(slug=slug).first()
    if found is None:
        there = ", ".join(Project.objects.order_by("slug").values_list("slug", flat=True)[:SHOWN])
        raise CommandError(
            f"There is no project {slug!r}. There are: {there or 'none yet; make one with create_project'}."
        )
    return found


def answer(command: BaseCommand, result: Mapping[str, Any], lines: Sequence[str], *, as_json: bool) -> None:
    """Print the result for a program, or its lines for a person."""
    command.stdout.write(json.dumps(result, ensure_ascii=False) if as_json else "\n".join(lines))


def rejected(problems: Sequence[Mapping[str, Any]]) -> list[str]:
    """The first problems, one a line."""
    lines = [
        f"  {one['file']}, line {one['line']}{', ' + one['field'] if one['field'] else ''}: {one['reason']}"
        for one in problems[:SHOWN]
    ]
    more = len(problems) - len(lines)
    return [*lines, f"  … and {more} more (--json lists them all)"] if more > 0 else lines
