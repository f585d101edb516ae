"""The rollouts of a task as one graph of the states they go through."""

from __future__ import annotations

import csv
import json as json_module
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.models import Task
from annotations.services import paths_read, paths_words
from annotations.services.paths_labels import Labels


class Command(BaseCommand):
    help = "Lay all rollouts of a task on one another: states, success through each, contradictions of labels."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="Its slug.")
        parser.add_argument("task", help="The task's external id.")
        parser.add_argument("--table", choices=list(paths_words.TABLES), help="Print that table as CSV.")
        parser.add_argument("--json", action="store_true", help="Print everything as JSON.")

    def handle(self, *args: Any, project: str, task: str, table: str | None, json: bool, **options: Any) -> None:
        found = Task.objects.select_related("project").filter(project__slug=project, external_id=task).first()
        if found is None:
            raise CommandError(f"There is no task {task!r} in a project {project!r}.")
        paths = paths_read.of(found)
        labels = Labels(paths)
        if table:
            csv.writer(self.stdout).writerows(paths_words.TABLES[table](paths, labels))
        elif json:
            self.stdout.write(json_module.dumps(paths_words.as_json(paths, labels), ensure_ascii=False, indent=2))
        else:
            self.stdout.write(_as_text(paths_words.figures(paths), len(labels.conflicts())))


def _as_text(told: dict[str, Any], conflicts: int) -> str:
    lines = [
        f"{told['rollouts']} rollouts, {told['passed']} of {told['known']} known ones passed.",
        f"{told['steps']} steps come to {told['states']} states on {told['distinct']} different ways.",
    ]
    for name in ("variety", "heterogeneity", "unlikeness", "error_branches"):
        value = told[name]["value"]
        lines.append(f"  {name}: {told[name]['reason'] if value is None else format(value, '.3f')}")
    lines.append(f"{conflicts} steps after equal beginnings are labelled differently.")
    return "\n".join(lines)
