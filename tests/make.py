"""Builders: each makes something valid as it stands. Say only what the test is about."""

from __future__ import annotations

import itertools
import uuid
from datetime import timedelta
from typing import Any

import yaml
from django.utils import timezone

from annotations import schemes
from annotations.models import (
    Annotation,
    Guideline,
    Label,
    Membership,
    Message,
    Project,
    ProjectScheme,
    Rater,
    Role,
    SchemeVersion,
    Step,
    Task,
    Thread,
    Trace,
    Trajectory,
    User,
)
from annotations.services import asking, projects

_numbers = itertools.count(1)

PASSWORD = "correct horse battery"


def user(name: str = "", **fields: Any) -> User:
    return User.objects.create_user(name or f"person{next(_numbers)}", password=PASSWORD, **fields)


def scheme(name: str = "agent-process") -> SchemeVersion:
    return projects.freeze(schemes.shipped()[name])


def project(*annotators: User, owner: User | None = None, **fields: Any) -> Project:
    number = next(_numbers)
    fields = {"slug": f"project-{number}", "title": f"Project {number}", "scheme": scheme()} | fields
    made = Project.objects.create(**fields)
    text = yaml.safe_dump(made.scheme.document, sort_keys=False, allow_unicode=True)
    ProjectScheme.objects.create(project=made, number=1, scheme=made.scheme, text=text, used_at=timezone.now())
    Guideline.objects.create(project=made, version=1, text="# Guidelines")
    for one in annotators:
        member(made, one)
    if owner:
        member(made, owner, Role.OWNER)
    return made


def trace(project: Project, **fields: Any) -> Trace:
    """One that was taken up; it waits where `taken` is less than 3."""
    now = timezone.now()
    told = {"trace_id": f"{next(_numbers):032x}", "spans": 3, "taken": 3, "first_at": now, "last_at": now} | fields
    return Trace.objects.create(project=project, **told)


def member(project: Project, user: User, role: Role = Role.ANNOTATOR) -> Membership:
    return Membership.objects.create(project=project, user=user, role=role)


def task(project: Project, **fields: Any) -> Task:
    number = next(_numbers)
    fields = {"external_id": f"task-{number}", "source": "made", "instruction": f"Question {number}?"} | fields
    return Task.objects.create(project=project, **fields)


def trajectory(project: Project, *, steps: int = 3, of: Task | None = None, **fields: Any) -> Trajectory:
    """A rollout with a user turn and that many agent steps, each with one tool call and its observation."""
    of = of or task(project)
    rollout = fields.pop("rollout", of.trajectories.count())
    fields = {"external_id": f"{of.external_id}:{rollout}", "content_hash": f"{next(_numbers):064x}"} | fields
    made = Trajectory.objects.create(project=project, task=of, rollout=rollout, format="made", **fields)
    Step.objects.create(
        trajectory=made, index=0, source="user", source_index=0, message=of.instruction, content_hash="0" * 64
    )
    Step.objects.bulk_create(
        Step(
            trajectory=made,
            index=number,
            source="agent",
            source_index=2 * number - 1,
            message=f"I try {number}.",
            tool_calls=[{"id": f"call-{number}", "name": "look", "arguments": f'{{"at": {number}}}'}],
            observations=[{"tool_call_id": f"call-{number}", "name": "look", "content": f"Saw {number}."}],
            content_hash=f"{next(_numbers):064x}",
        )
        for number in range(1, steps + 1)
    )
    return made


def rater(project: Project, name: str = "", kind: str = Rater.Kind.JUDGE, user: User | None = None) -> Rater:
    return Rater.objects.create(project=project, name=name or f"rater{next(_numbers)}", kind=kind, user=user)


def rating(rater: Rater, trajectory: Trajectory, values: list[Any], final: Any = None, **fields: Any) -> Annotation:
    """A submitted pass: `values` for the agent steps in order; None leaves a step unlabelled."""
    fields = {"state": Annotation.State.SUBMITTED, "submitted_at": timezone.now()} | fields
    made = Annotation.objects.create(rater=rater, trajectory=trajectory, scheme=rater.project.scheme, **fields)
    origin = Label.Origin.HUMAN if rater.kind == Rater.Kind.HUMAN else Label.Origin.JUDGE
    steps = list(trajectory.steps.of_agent())
    assert len(values) == len(steps), f"{len(values)} values for {len(steps)} steps"
    rows = [(step, "label", value) for step, value in zip(steps, values, strict=True)] + [(None, "final", final)]
    Label.objects.bulk_create(
        Label(annotation=made, step=step, field=field, value=value, origin=origin)
        for step, field, value in rows
        if value is not None
    )
    return made


def lease(trajectory: Trajectory, annotator: User, **fields: Any) -> Annotation:
    """The annotator's own pass, leased for an hour on seat 0."""
    made, _ = Rater.objects.get_or_create(
        project=trajectory.project, kind=Rater.Kind.HUMAN, name=annotator.username, user=annotator
    )
    until = timezone.now() + timedelta(hours=1)
    project = trajectory.project
    rules = {"scheme": project.scheme, "propagation": project.propagation, "mode": project.mode}
    held = {"state": Annotation.State.LEASED, "seat": 0, "lease_until": until}
    return Annotation.objects.create(rater=made, trajectory=trajectory, **(rules | held | fields))


def thread(annotation: Annotation, text: str = "", *, step: int | None = 1, kind: str = "ask") -> Thread:
    """A question of the annotation's own person at that step."""
    user = annotation.rater.user
    assert user is not None
    text = text or f"Is step {step} right?"
    return asking.begin(annotation.pk, user, kind=kind, step=step, text=text, key=uuid.uuid4()).thread


def answer(thread: Thread, by: User, text: str = "It is.") -> Message:
    return asking.reply(thread, by, text, uuid.uuid4())
