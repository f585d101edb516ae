"""How often the rollout that a scorer or a judge would choose is right, beside choices that need neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.models import Project, Run
from annotations.services import insight_judged, rankable, scores
from models_service.ranking import tasks
from models_service.statistics import ranking


def of(project: Project) -> list[dict[str, Any]]:
    """For each scorer's newest run and each judge {"kind", "name", "verdicts", …statistics.ranking.table}."""
    ends = rankable.ends(project)
    return [
        {"kind": kind, "name": name, "verdicts": _verdicts(ends, called)}
        | ranking.table(tasks(rankable.by_scores(ends, said)))
        for kind, name, said, called in _sources(project)
    ]


def _sources(project: Project) -> Iterator[tuple[str, str, Mapping[int, Sequence[float]], Mapping[int, bool]]]:
    for scorer, pk in scores.latest(project.pk).items():
        yield "scorer", scorer, rankable.scores_of(Run.objects.get(pk=pk)), {}
    for judge in insight_judged.judges(project):
        said, called = insight_judged.scores(project, judge), rankable.verdicts_of(project, rater=judge.pk)
        if said or called:
            yield "judge", judge.name, said, called


def _verdicts(ends: rankable.Ends, called: Mapping[int, bool]) -> dict[str, int] | None:
    """What a judge calls the whole of rollouts that are right, and of those that are wrong. None of who calls none."""
    known = [
        (rankable.is_right(outcome, ends.verdicts, pk), called[pk]) for pk, _, outcome in ends.rows if pk in called
    ]
    counts = Counter((right, said) for right, said in known if right is not None)
    if not counts:
        return None
    return {
        "right": counts[True, True] + counts[True, False],
        "called_wrong": counts[True, False],
        "wrong": counts[False, True] + counts[False, False],
        "called_right": counts[False, True],
    }
