"""What a judge has said of a trajectory, as a pass of its rater: labels, or why there are none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotations.models import Annotation, Judge, JudgeVerdict, Label, Project, Run
from annotations.records import Json
from annotations.schemes.rules import Place
from annotations.services import standing
from annotations.services.scores import Rollout

MODES = {"blind": Project.Mode.BLIND, "reference": Project.Mode.REFERENCE}


@dataclass(frozen=True)
class Told:
    """One trajectory's verdict on its way to the tables. `failed` says why there are no labels. `calls` are the ids of
    the questions behind it, `detail` what JudgeVerdict keeps."""

    rollout: Rollout
    labels: Mapping[Place, Json] = field(default_factory=dict)
    explanations: Mapping[Place, str] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)
    calls: Iterable[int] = ()
    failed: str = ""


@transaction.atomic
def store(run: Run, judge: Judge, told: Told) -> Annotation:
    """Write the pass; one that the judge has of the trajectory already is retired, and stays. Nothing that a judge did
    not say is written: a place without an answer has no label."""
    now = timezone.now()
    Annotation.objects.live().filter(rater=judge.rater_id, trajectory=told.rollout.id).update(retired_at=now)
    annotation = Annotation.objects.create(
        rater_id=judge.rater_id,
        trajectory_id=told.rollout.id,
        scheme_id=run.project.scheme_id,
        guideline_id=judge.guideline_id,
        mode=MODES[judge.settings["sight"]],
        state=Annotation.State.FAILED if told.failed else Annotation.State.SUBMITTED,
        comment=told.failed[:4000],
        submitted_at=None if told.failed else now,
    )
    Label.objects.bulk_create([] if told.failed else [_label(annotation, told, place) for place in told.labels])
    verdict = JudgeVerdict.objects.create(annotation=annotation, judge=judge, run=run, detail=dict(told.detail))
    verdict.calls.set(told.calls)
    standing.touch(run.project, [told.rollout.id])
    return annotation


def _label(annotation: Annotation, told: Told, place: Place) -> Label:
    step, name = place
    return Label(
        annotation=annotation,
        step_id=None if step is None else told.rollout.steps[step],
        field=name,
        value=told.labels[place],
        origin=Label.Origin.JUDGE,
        explanation=told.explanations.get(place, ""),
        guideline_id=annotation.guideline_id,
    )
