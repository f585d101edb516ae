"""Bring a rater's labels in from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.management import asking
from annotations.services import ratings


class Command(BaseCommand):
    help = "Bring label files in as what one rater says of trajectories that are here already."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="plain or gzipped")
        parser.add_argument("--rater", required=True, metavar="NAME", help="who says it")
        parser.add_argument("--kind", required=True, choices=[kind.value for kind in ratings.KINDS])
        asking.json_option(parser)

    def handle(self, *, slug: str, files: list[Path], rater: str, kind: str, **options: Any) -> None:
        try:
            result = ratings.import_labels(asking.project(slug), files, rater=rater, kind=kind)
        except (OSError, ratings.WrongRater) as exc:
            raise CommandError(str(exc)) from exc
        asking.answer(self, result, _lines(rater, result), as_json=options["json"])
        if result["rejected"]:
            raise CommandError(f"Problems: {len(result['rejected'])}. What was good is in.")


def _lines(rater: str, result: ratings.RatingsResult) -> list[str]:
    lines = [
        f"{rater}: {result['labels']} labels on {result['annotations']} trajectories came in,"
        f" {result['unchanged']} were there already."
    ]
    if result["failed"]:
        lines.append(f"{result['failed']} records say that the rater failed; they are no labels.")
    if unmatched := result["unmatched"]:
        lines.append(
            f"{len(unmatched)} records are about trajectories that are not here, first {unmatched[0]['record']}."
        )
    return lines + asking.rejected(result["rejected"])
