"""How often the rollout that a scorer or a judge would choose is right, beside choices that need neither."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.models import Project, Run
from annotations.services import insight_judged, rankable, scores
from models_service.ranking import tasks
from models_service.statistics import ranking


def of(project: Project) -> list[dict[str, Any]]:
    """For each scorer's newest run and each judge {"kind", "name", "run", …statistics.ranking.table}."""
    ends = rankable.ends(project)
    return [
        {"kind": kind, "name": name, "run": run, **ranking.table(tasks(rankable.by_scores(ends, said)))}
        for kind, name, run, said in _sources(project)
    ]


def _sources(project: Project) -> Iterator[tuple[str, str, int | None, Mapping[int, Sequence[float]]]]:
    for scorer, pk in scores.latest(project.pk).items():
        yield "scorer", scorer, pk, rankable.scores_of(Run.objects.get(pk=pk))
    for judge in insight_judged.judges(project):
        if said := insight_judged.scores(project, judge):
            yield "judge", judge.name, None, said
