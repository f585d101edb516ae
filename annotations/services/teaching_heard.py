"""What judges and other scorers have said of a project's steps, for the embedded scorer to learn from and to listen to.

Never what people said, nor the reference; nor scorers that have read it, nor those that learn the project's labels.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Count

from annotations.models import Annotation, Label, Project, Rater, Run, Score, Step
from annotations.services import projects, scores

MOST = 5  # judges, and as many scorers
LIVE = {"retired_at__isnull": True, "state": Annotation.State.SUBMITTED}


@dataclass(frozen=True)
class Voice:
    """A judge, whose word is -1, 0 or 1, or a done scoring run, whose word is a number."""

    key: str
    title: str
    labels: bool

    @property
    def id(self) -> int:
        return int(self.key.partition(":")[2])


def voices(project: Project) -> list[Voice]:
    """Those who have spoken here, the ones of most trajectories first."""
    judges = Rater.objects.filter(project=project, kind=Rater.Kind.JUDGE).exclude(pk=project.reference_id or 0)
    judges = judges.filter(**{f"annotations__{name}": value for name, value in LIVE.items()})
    judges = judges.annotate(many=Count("annotations")).order_by("-many", "name")[:MOST]
    teachable = scores.is_teachable(projects.scheme_of(project.scheme).main_field)
    found = [Voice(f"judge:{one.pk}", f"judge {one.name}", True) for one in judges] if teachable else []
    newest = Run.objects.filter(pk__in=scores.latest(project.pk).values(), state=Run.State.DONE)
    runs = newest.exclude(result__has_key="model").defer("result").order_by("-done", "-pk")[:MOST]
    return [*found, *(Voice(f"run:{one.pk}", f"scorer {one.config['scorer']}", False) for one in runs)]


def heard(project: Project, voice: Voice, task: str) -> dict[int | None, list[float | None]]:
    """What it says of the agent steps of the task's live trajectories: rollout → a word a step, None where none."""
    live = Step.objects.of_agent().filter(
        trajectory__project=project, trajectory__superseded_at__isnull=True, trajectory__task__external_id=task
    )
    steps: dict[int | None, list[int]] = defaultdict(list)
    for rollout, pk in live.order_by("trajectory", "index").values_list("trajectory__rollout", "pk"):
        steps[rollout].append(pk)
    every = [pk for one in steps.values() for pk in one]
    said = _by_judge(project, voice.id, every) if voice.labels else _by_scorer(voice.id, every)
    return {rollout: [said.get(pk) for pk in pks] for rollout, pks in steps.items()}


def _by_judge(project: Project, judge: int, steps: list[int]) -> dict[int, float]:
    main = projects.scheme_of(project.scheme).main_field
    live = {f"annotation__{name}": value for name, value in LIVE.items()}
    rows = Label.objects.current().filter(field=main.name, step__in=steps, annotation__rater=judge, **live)
    words = (
        (step, None if main.refusal(value) else main.tone(value)) for step, value in rows.values_list("step", "value")
    )
    return {step: float(scores.TAUGHT[tone]) for step, tone in words if tone in scores.TAUGHT}


def _by_scorer(run: int, steps: list[int]) -> dict[int, float]:
    return dict(Score.objects.filter(run=run, step__in=steps).values_list("step", "value"))
