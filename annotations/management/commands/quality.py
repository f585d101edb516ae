"""How far to rely on each person, as CSV."""

from __future__ import annotations

import csv
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.access import SEE_OTHERS_LABELS
from annotations.models import Membership
from annotations.services import projects, quality, quality_words


class Command(BaseCommand):
    help = "Print how often each person says the same as others, as the reference, and as themselves, as CSV."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="Its slug.")

    def handle(self, *args: Any, project: str, **options: Any) -> None:
        lead = Membership.objects.select_related("project").filter(project__slug=project, role__in=SEE_OTHERS_LABELS)
        membership = lead.order_by("pk").first()
        if membership is None:
            raise CommandError(f"There is no project {project!r} with somebody who leads it.")
        if reason := quality.unfit(projects.scheme_of(membership.project.scheme)):
            raise CommandError(reason)
        csv.writer(self.stdout).writerows(quality_words.of(membership))
