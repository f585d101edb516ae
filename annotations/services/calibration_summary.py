"""What the scores page says of the calibration of each scorer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

from annotations.models import Calibration, Project, Run
from annotations.services import calibration, calibration_words, scores

MANY = 10_000  # labels that take a noticeable time to read
REMEMBERED = 60  # seconds for which these are not read again


@dataclass(frozen=True)
class Summary:
    """Of one scorer: the calibration that holds for its newest scores, and the newest run that was to make one, where
    that is not done. `tasks` have labels to learn from, `needed` must; `changed`: labels have changed since."""

    held: Calibration | None
    run: Run | None
    tasks: int
    changed: bool
    needed: int = calibration.LEAST_TASKS

    @property
    def figures(self) -> list[dict[str, Any]]:
        return calibration_words.figures(self.held.report) if self.held else []

    @property
    def first_error(self) -> list[tuple[str, dict[str, Any]]]:
        return calibration_words.first_error(self.held.report) if self.held else []

    @property
    def table(self) -> list[list[Any]]:
        return list(calibration_words.table(self.held.report)) if self.held else []

    @property
    def risk(self) -> list[dict[str, Any]]:
        """For each share of the steps, the surest first, how many of them were called wrongly."""
        if self.held is None:
            return []
        risk = [self.held.report["risk"][way] for way in calibration_words.ways(self.held.report)]
        return [
            {"coverage": rows[0]["coverage"], "risks": [row["risk"] for row in rows]}
            for rows in zip(*risk, strict=True)
        ]

    @property
    def ways(self) -> list[str]:
        return list(calibration_words.ways(self.held.report).values()) if self.held else []

    @property
    def parameters(self) -> str:
        return json.dumps(self.held.parameters) if self.held else ""

    @property
    def methods(self) -> list[tuple[str, str]]:
        return list(calibration.METHODS.items())


class Summaries:
    """Those of a project, its labels read once; where they are many, once a minute."""

    def __init__(self, project: Project) -> None:
        self.project = project
        known: tuple[int, str] | None = cache.get(key := f"calibration-labels-{project.pk}")
        if known is None:
            labels = scores.taught(project)
            known = len(labels), calibration.digest(labels)
            if sum(len(steps) for task in labels.values() for steps in task.values()) > MANY:
                cache.set(key, known, REMEMBERED)
        self.tasks, self.digest = known

    def of(self, scored: Run) -> Summary:
        """That of the scorer whose newest run that is done this is."""
        held = scored.calibrations.order_by("-id").first()
        tried = Run.objects.filter(
            project=self.project, kind=Run.Kind.CALIBRATE, config__scorer=scored.config.get("scorer")
        )
        newest = tried.order_by("-id").first()
        run = newest if newest and newest.state != Run.State.DONE else None
        return Summary(held, run, self.tasks, held is not None and held.labels_sha256 != self.digest)
