"""Answers to every kind of field, and the rows of the report on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from annotations import schemes
from annotations.models import Annotation, Label, Project, Rater, Trajectory
from annotations.records import Json
from annotations.services import agreement_fields, projects
from models_service.statistics import fields
from tests import make

Row = dict[str, Any]


def started(text: str, *people: str) -> tuple[Project, list[Rater]]:
    """A project under that scheme, and its people as raters."""
    users = [make.user(name) for name in people]
    made = make.project(*users, owner=make.user(), scheme=projects.freeze(schemes.read(text)))
    raters = [make.rater(made, user.username, Rater.Kind.HUMAN, user) for user in users]
    return made, raters


def says(
    rater: Rater, trajectory: Trajectory, answers: Mapping[tuple[int | None, str], Json], **about: Any
) -> Annotation:
    """A submitted pass: {(index of a step or None, field): value}."""
    about = {
        "state": Annotation.State.SUBMITTED,
        "submitted_at": timezone.now(),
        "scheme": rater.project.scheme,
    } | about
    made = Annotation.objects.create(rater=rater, trajectory=trajectory, **about)
    steps = {step.index: step for step in trajectory.steps.all()}
    for (index, field), value in answers.items():
        step = None if index is None else steps[index]
        Label.objects.create(annotation=made, step=step, field=field, value=value, origin="human")
    return made


def section(project: Project) -> dict[tuple[str, str], Row]:
    """The rows by field and part."""
    found = fields.section(agreement_fields.tables(project), 100, 0)
    return {(row["field"], row["part"]): row for row in found}


def figures(row: Row, which: str = "figures") -> dict[str, float | None]:
    return {name: figure["value"] for name, figure in row[which].items()}
