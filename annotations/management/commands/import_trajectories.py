"""Bring trajectories in from the command line."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations import formats, segmenting
from annotations.management import asking
from annotations.records import Json
from annotations.services import duplicates, hub, imports, unconverted

SHOWN = 20  # of a list, where --json has all of it


class Command(BaseCommand):
    help = "Bring trajectory files into a project. Importing a file again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="plain or packed, or a folder")
        parser.add_argument("--hub", default="", metavar="NAME[@REVISION]", help="a dataset of the Hugging Face hub")
        parser.add_argument(
            "--hub-only", default="", metavar="WHAT", help="of the dataset: a file, folder, pattern or split"
        )
        named = ", ".join(formats.readable())
        parser.add_argument("--format", default="auto", metavar="NAME", help=f"auto (the default), {named}")
        parser.add_argument(
            "--segmentation", default=segmenting.MESSAGE, choices=segmenting.WAYS, help="what a step is"
        )
        parser.add_argument(
            "--duplicates", default=duplicates.KEEP, choices=duplicates.TITLES, help="rollouts that equal others"
        )
        asking.json_option(parser)

    def handle(self, *, slug: str, files: list[Path], format: str, **options: Any) -> None:
        ways = {name: options[name] for name in ("segmentation", "duplicates")}
        if not files and not options["hub"]:
            raise CommandError("Name a FILE, or a dataset with --hub.")
        said: list[str] = []
        try:
            with ExitStack() as stack:
                names = [one.name for one in files]
                if options["hub"]:
                    asked = hub.read(options["hub"], only=options["hub_only"])
                    got = stack.enter_context(hub.fetched(asked))
                    files, names = [*files, got.folder], [*names, asked.name]
                    said.append(f"{len(got.files)} files came from {got.dataset} at commit {got.dataset.commit}.")
                result = imports.import_trajectories(asking.project(slug), files, format=format, names=names, **ways)
        except (OSError, formats.UnknownFormat, hub.HubRefused) as exc:
            raise CommandError(str(exc)) from exc
        asking.answer(self, result, [*said, *_lines(result)], as_json=options["json"])
        if result["rejected"]:
            number = len(result["rejected"]) + result["rejected_more"]
            raise CommandError(f"Problems: {number}. What was good is in.")


def _lines(result: imports.ImportResult) -> list[str]:
    lines = [
        "{created} created, {updated} updated, {unchanged} unchanged trajectories.".format(**result),
        "{steps} steps of agents, {tasks} tasks and {labels} labels came in.".format(**result),
    ]
    if result["carried"]:
        lines.append(f"{result['carried']} labels went along to new versions.")
    lines += unconverted.told(result["unconverted"])
    if result["lost"]:
        number = len(result["lost"]) + result["lost_more"]
        lines.append(f"{number} labels could not go along; they stay with the earlier versions:")
        lines += [f"  {one['trajectory']} {_of(one)} by {one['rater']}: {one['why']}" for one in result["lost"][:SHOWN]]
    if result["duplicates"]:
        number = len(result["duplicates"]) + result["duplicates_more"]
        lines.append(f"{number} rollouts equal others, {result['skipped']} of them were left out:")
        lines += [
            f"  {one['file']}:{one['line']} {one['kind']} {one['equals']}" for one in result["duplicates"][:SHOWN]
        ]
    if result["replaced"]:
        lines.append(f"{result['replaced']} characters no database can hold were made visible.")
    for one in result.get("schemes", []):
        here = "this project's scheme" if one["same"] else "not this project's scheme: labels that fit it came in"
        lines.append(f"Labels were made under {one['name']} {one['version']}, {here}.")
    return lines + asking.rejected(result["rejected"])


def _of(lost: Json) -> str:
    step = "the whole" if lost["step"] is None else f"step {lost['step']}"
    return f"{step}, {lost['field']} {lost['value']!r}"
