"""Builders for gold items and training: trajectories whose answer a file knows."""

from __future__ import annotations

import uuid
from typing import Any

from annotations.models import Annotation, Gold, GoldPlan, Label, Project, Rater, Trajectory, User
from annotations.services import gold, labels, queue
from tests import make

RIGHT = [1, -1]  # what the reference says of the two steps


def known(project: Project, many: int, use: str = Gold.Use.QUEUE, values: list[Any] | None = None) -> list[Gold]:
    """So many trajectories whose answer the project's file "gold" knows, marked. They have no seat to give."""
    rater, _ = Rater.objects.get_or_create(project=project, kind=Rater.Kind.IMPORT, name="gold")
    made = []
    for _ in range(many):
        trajectory = make.trajectory(project, steps=2)
        make.rating(rater, trajectory, values or RIGHT, final=1)
        made.append(gold.mark(project, trajectory.pk, None, use=use, explanation="Look at what the tool said."))
    return made


def filled(project: Project, *items: Gold) -> None:
    """Take every seat of these, so that the queue itself gives them to nobody."""
    for item in items:
        for seat in range(project.overlap):
            other = make.rater(project, kind=Rater.Kind.HUMAN)
            make.rating(other, item.trajectory, RIGHT, final=1, seat=seat)


def planned(project: Project, **values: Any) -> GoldPlan:
    gold.change(project, None, **values)
    return gold.plan_of(project)


def take(project: Project, person: User) -> Annotation:
    leased = queue.lease_next(project.slug, person)
    assert leased is not None
    return leased


def answer(annotation: Annotation, values: list[Any], final: int = 1) -> Annotation:
    """Label each step so, and hand the pass in through the doors of the label page."""
    user, steps = annotation.rater.user, annotation.trajectory.steps.of_agent().order_by("index")
    items = [{"step": step.index, "field": "label", "value": value} for step, value in zip(steps, values, strict=True)]
    said = labels.change(
        annotation.pk,
        user,
        [*items, {"step": None, "field": "final", "value": final}],
        change=uuid.uuid4(),
        revision=Annotation.objects.get(pk=annotation.pk).revision,
    )
    labels.submit(annotation.pk, user, change=uuid.uuid4(), revision=said.revision)
    return Annotation.objects.get(pk=annotation.pk)


def given(project: Project, person: User, many: int) -> list[Annotation]:
    """What the person is given, one after the other, all handed in."""
    return [answer(take(project, person), RIGHT) for _ in range(many)]


def live(project: Project, many: int) -> list[Trajectory]:
    return [make.trajectory(project, steps=2) for _ in range(many)]


def labelled(annotation: Annotation) -> int:
    return Label.objects.current().filter(annotation=annotation).count()
