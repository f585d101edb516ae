"""Send the files of a finished export to the Hugging Face hub."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.management import asking
from annotations.models import Run
from annotations.services import export_push


class Command(BaseCommand):
    help = "Send the files of a finished export to the Hugging Face hub. The token is read from HF_TOKEN."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("run", type=int, metavar="RUN", help="the number of the export")
        parser.add_argument("to", metavar="OWNER/NAME")
        parser.add_argument("--private", action="store_true", help="nobody else sees a new dataset")
        asking.json_option(parser)

    def handle(self, *, slug: str, run: int, to: str, private: bool, **options: Any) -> None:
        project = asking.project(slug)
        done = Run.objects.filter(project=project, kind=Run.Kind.EXPORT, state=Run.State.DONE)
        found = done.filter(pk=run).first()
        if found is None:
            known = ", ".join(map(str, done.order_by("-pk").values_list("pk", flat=True)[:20])) or "none yet"
            raise CommandError(f"{slug} has no finished export {run}; there are: {known}")
        try:
            url = export_push.push_run(found, to, private=private)
        except export_push.NotPushed as no:
            raise CommandError(str(no)) from no
        asking.answer(self, {"pushed": url}, [f"Pushed to {url}"], as_json=options["json"])
