"""What judges say of the steps of rollouts, as scores to choose among them by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from annotations.models import Annotation, Label, Project, Rater, Step
from annotations.models.labels import AnnotationQuerySet
from annotations.services import trees
from annotations.services.board import scheme
from annotations.services.export_grades import Grading

MOST = 30  # judges, the newest ones


def judges(project: Project) -> list[Rater]:
    """Those who have handed in something, and who are not whom others are held against."""
    passes = _passes(project)
    found = Rater.objects.filter(project=project, kind=Rater.Kind.JUDGE, pk__in=passes.values("rater"))
    return list(found.exclude(pk=project.reference_id or 0).order_by("-pk")[:MOST])


def scores(project: Project, judge: Rater) -> Mapping[int, Sequence[float]]:
    """By trajectory, of each step in order: 1 where the judge calls it right, ½ neither, 0 wrong. Nothing of
    one of which a step has no grade."""
    grading = Grading(scheme(project.scheme_id))
    if not grading.known:
        return {}
    passes = _passes(project).filter(rater=judge)
    steps: dict[int, list[int]] = defaultdict(list)
    agent = Step.objects.of_agent().filter(trajectory__in=passes.values("trajectory")).order_by("trajectory", "index")
    for trajectory, index in agent.values_list("trajectory", "index"):
        steps[trajectory].append(index)
    answers: dict[int, dict[tuple[int | None, str], object]] = defaultdict(dict)
    labels = Label.objects.current().filter(annotation__in=passes)
    for trajectory, step, field, value in labels.values_list(
        "annotation__trajectory", "step__index", "field", "value"
    ).iterator(chunk_size=10_000):
        answers[trajectory][step, field] = value
    grown = trees.among(steps)
    found = {}
    for trajectory, places in steps.items():
        if trajectory not in grown:
            grades = grading.steps(answers[trajectory], places)
            if len(grades) == len(places):
                found[trajectory] = [(grades[place] + 1) / 2 for place in places]
    return found


def _passes(project: Project) -> AnnotationQuerySet:
    live = Annotation.objects.live().for_labels()
    return live.filter(rater__project=project, trajectory__superseded_at=None, state=Annotation.State.SUBMITTED)
