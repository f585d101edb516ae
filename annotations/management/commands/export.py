"""Take a dataset away from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations import formats
from annotations.formats.writer import Writer
from annotations.management import asking
from annotations.services import export_asked, export_push, exports
from annotations.services.export_asked import ERRORS, PROPAGATED, RULES, STATES


class Command(BaseCommand):
    help = "Write a labelled dataset with its data card and manifest.json into a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("--format", required=True, metavar="NAME", help=", ".join(formats.writable()))
        parser.add_argument("--out", required=True, type=Path, metavar="DIR")
        parser.add_argument(
            "--option", action="append", default=[], metavar="NAME=VALUE", help=f"of the format: {_options()}"
        )
        parser.add_argument(
            "--rater",
            action="append",
            default=[],
            dest="raters",
            metavar="NAME",
            help="a name, or kind:name; several with --rule; by default the reference, or all",
        )
        parser.add_argument("--rule", default="", metavar="HOW", help=f"of several raters: {', '.join(RULES)}")
        parser.add_argument(
            "--state", action="append", default=[], dest="states", metavar="STATE", help=f"{', '.join(STATES)}"
        )
        parser.add_argument(
            "--as", dest="as_scheme", default="", metavar="SCHEME", help="in the words of another scheme, as binary"
        )
        parser.add_argument("--propagated", default="", metavar="HOW", help=f"{', '.join(PROPAGATED)}")
        parser.add_argument(
            "--test-share", metavar="P", help="put this share of the tasks into a test split, drawn by what they ask"
        )
        _filters(parser)
        parser.add_argument("--judge", default="", metavar="NAME", help="whose questions the rows are, as 'strict v2'")
        parser.add_argument("--push", default="", metavar="OWNER/NAME", help="to the Hugging Face hub, as a dataset")
        parser.add_argument("--private", action="store_true", help="with --push: nobody else sees a new dataset")
        asking.json_option(parser)

    def handle(self, *, slug: str, out: Path, push: str, private: bool, **options: Any) -> None:
        project = asking.project(slug)
        said = {name: options[name] for name in ("format", *export_asked.FLAGS)}
        said["options"] = dict(_split(one) for one in options["option"])
        try:
            if push:
                export_push.ready(push)
            result = exports.perform_asked(project, export_asked.read(said), out)
        except (export_asked.ExportRefused, formats.UnknownFormat, export_push.NotPushed, OSError) as exc:
            raise CommandError(str(exc)) from exc
        lines = [f"{result['rows']} rows in {out}:", *(f"  {name}" for name in result["files"])]
        if push:
            result["pushed"] = self._push(out, result["files"], push, private)
            lines.append(f"Pushed to {result['pushed']}")
        asking.answer(self, result, lines, as_json=options["json"])

    def _push(self, out: Path, names: list[str], to: str, private: bool) -> str:
        try:
            return export_push.push(out, names, to, private=private)
        except export_push.NotPushed as no:
            raise CommandError(f"{no} The files are in {out}.") from no


def _filters(parser: CommandParser) -> None:
    only = parser.add_argument_group("only trajectories")
    only.add_argument("--source", action="append", default=[], dest="sources", metavar="NAME", help="of this dataset")
    only.add_argument(
        "--model", action="append", default=[], dest="models", metavar="NAME", help="of this policy model"
    )
    only.add_argument("--view", default="", metavar="NAME", help="that the saved view shows")
    only.add_argument("--first-error", default="", metavar="HOW", help=", ".join(filter(None, ERRORS)))
    only.add_argument("--least-raters", metavar="N", help="with so many passes; 0: also those nobody labelled")
    only.add_argument("--agreed", action="store_true", help="on which the raters differ nowhere")
    only.add_argument("--score-from", metavar="P", help="whose lowest step has this P(not wrong) at least")
    only.add_argument("--score-to", metavar="P", help="and at most this one")
    only.add_argument("--scores", metavar="RUN", help="the scoring run; by default the newest that is done")


def _split(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise CommandError(f"--option takes NAME=VALUE, not {text!r}")
    return name.strip(), value.strip()


def _options() -> str:
    every = (one for one in formats.FORMATS.values() if isinstance(one, Writer) and one.options)
    return "; ".join(f"{one.name} {', '.join(option.name for option in one.options)}" for one in every)
