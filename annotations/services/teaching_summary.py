"""What the scores page says of the embedded scorer: what it learned when, how good that was, and how the project drifts
from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from annotations.models import Project, Run, ScorerArtefact
from annotations.services import teaching

SHOWN = 10  # artefacts
SHIFTING, MOVED = 0.1, 0.25  # of the stability index, as it is usually read
TITLES = {"meaning": "nearness in meaning"}


@dataclass(frozen=True)
class Lesson:
    """One artefact: of how many labels, and its figures on tasks it had not seen."""

    artefact: ScorerArtefact
    report: dict[str, Any]
    figures: dict[str, float | None]


@dataclass(frozen=True)
class Summary:
    run: Run | None
    lessons: list[Lesson]
    drift: dict[str, Any] | None
    drift_run: Run | None
    every: int
    used: bool

    @property
    def listens(self) -> list[str]:
        """What the newest that is used looks at beside its usual features."""
        used = next((one for one in self.lessons[:1] if one.artefact.activated), None)
        return _listens(used.report) if used else []

    @property
    def moved(self) -> list[dict[str, Any]]:
        """The features that moved most, with how far in a word."""
        return [one | {"word": _word(one["index"])} for one in (self.drift or {}).get("most", [])]


def of_project(project: Project) -> Summary:
    artefacts = project.scorer_artefacts.defer("artefact").order_by("-id")[:SHOWN]
    lessons = [Lesson(one, one.report, one.report.get("embedded", {})) for one in artefacts]
    looked = Run.objects.filter(
        project=project, kind=Run.Kind.TRAIN, state=Run.State.DONE, result__drift__steps__gt=0
    ).order_by("-id")
    drifted = looked.first()
    return Summary(
        run=teaching.newest(project),
        lessons=lessons,
        drift=drifted.result["drift"] if drifted else None,
        drift_run=drifted,
        every=settings.EMBEDDED_RETRAIN_EVERY,
        used=teaching.is_used(project),
    )


def _listens(report: dict[str, Any]) -> list[str]:
    """What it looks at beside its usual features, in words."""
    used = (report.get("stacked") or {}).get("extras") or report.get("used") or []
    titles = report.get("titles") or {}
    return [TITLES.get(one) or titles.get(one) or one for one in used]


def _word(index: float) -> str:
    return "moved" if index >= MOVED else "shifting" if index >= SHIFTING else "stable"
