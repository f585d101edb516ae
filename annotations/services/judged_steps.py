"""Whether steps are right, as judges and as the numbers of a run say it: for each rollout a row, a place for each step
of the agent's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from annotations.models import Annotation, Label, Project, Rater, Run, Score, Step
from annotations.services import projects, scores

Rows = dict[int, list[float | None]]  # by trajectory: for each of the agent's steps a number, or None


def of_run(run: Run, trajectories: Collection[int]) -> Rows:
    """The scorer's own numbers; a step without a score has none."""
    found = Score.objects.filter(run=run, trajectory__in=trajectories).values_list("step", "value")
    return _rows(trajectories, dict(found.iterator(chunk_size=5000)))


def of_judges(project: Project, trajectories: Collection[int]) -> dict[str, Rows]:
    """By the judge's name 1 for a step it does not call wrong, 0 for one that it does, of its submitted passes. Empty
    where the scheme's main field does not call steps right or wrong."""
    main = projects.scheme_of(project.scheme).main_field
    if not scores.is_teachable(main):
        return {}
    labels = Label.objects.current().filter(
        field=main.name,
        step__isnull=False,
        annotation__trajectory__in=trajectories,
        annotation__rater__kind=Rater.Kind.JUDGE,
        annotation__state=Annotation.State.SUBMITTED,
        annotation__retired_at__isnull=True,
    )
    said: dict[str, dict[int, float]] = defaultdict(dict)
    judged: dict[str, set[int]] = defaultdict(set)
    rows = labels.values_list("annotation__rater__name", "annotation__trajectory", "step", "value")
    for name, trajectory, step, value in rows.iterator(chunk_size=5000):
        judged[name].add(trajectory)
        if not main.refusal(value) and main.tone(value) in scores.TAUGHT:
            said[name][step] = float(main.tone(value) != "wrong")
    return {name: _rows(judged[name], said[name]) for name in sorted(judged)}


def of_people(project: Project, trajectories: Collection[int]) -> Rows:
    """1 for a step that people do not call wrong, 0 for one that they do; the reference's word where they said nothing
    of the trajectory. Labels that a rule implied, or that were suggestions accepted, do not count."""
    said: dict[int, float] = {}
    judged: set[int] = set()
    for of_task in scores.taught(project).values():
        for trajectory, steps in of_task.items():
            judged.add(trajectory)
            said |= {step: float(label != scores.TAUGHT["wrong"]) for step, label in steps.items()}
    return _rows(judged & set(trajectories), said)


def names(trajectories: Collection[int]) -> dict[int, str]:
    rows = Step.objects.filter(trajectory__in=trajectories).values_list("trajectory", "trajectory__external_id")
    return dict(rows.distinct().order_by())


def _rows(trajectories: Collection[int], numbers: dict[int, float]) -> Rows:
    found: Rows = defaultdict(list)
    steps = Step.objects.of_agent().filter(trajectory__in=trajectories).order_by("trajectory", "index")
    for trajectory, step in steps.values_list("trajectory", "pk").iterator(chunk_size=5000):
        found[trajectory].append(numbers.get(step))
    return dict(found)
