"""Take a dataset away from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations import formats
from annotations.formats.trl_stepwise import ZEROS
from annotations.management import asking
from annotations.services import exports


class Command(BaseCommand):
    help = "Write a labelled dataset and its manifest.json into a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("--format", required=True, metavar="NAME", help=", ".join(formats.writable()))
        parser.add_argument("--out", required=True, type=Path, metavar="DIR")
        parser.add_argument("--rater", metavar="NAME", help="a name, or kind:name; by default the reference, or all")
        parser.add_argument("--zero", default="drop", metavar="HOW", help=f"trl-stepwise, a 0 is: {', '.join(ZEROS)}")
        parser.add_argument(
            "--as", dest="as_scheme", default="", metavar="SCHEME", help="in the words of another scheme, as binary"
        )
        asking.json_option(parser)

    def handle(self, *, slug: str, format: str, out: Path, rater: str | None, zero: str, **options: Any) -> None:
        project = asking.project(slug)
        try:
            result = exports.export(project, format, out, rater=rater, zero=zero, as_scheme=options["as_scheme"])
        except (exports.ExportRefused, formats.UnknownFormat, OSError) as exc:
            raise CommandError(str(exc)) from exc
        lines = [f"{result['rows']} rows in {out}:", *(f"  {name}" for name in result["files"])]
        asking.answer(self, result, lines, as_json=options["json"])
