"""A project of any shipped scheme: two people have labelled the scheme's own sample, and there is every role."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from annotations import schemes
from annotations.models import Annotation, Project, Role, Trajectory, User
from annotations.schemes.schema import Scheme
from tests import make
from tests.sampled import answers_of, labelled, project_of

ROLES = (Role.OWNER, Role.REVIEWER, Role.VIEWER)


@dataclass
class Sampled:
    """`people` by role; the annotator and a colleague have said what the sample says and handed it in."""

    scheme: Scheme
    project: Project
    people: dict[str, User]
    trajectory: Trajectory
    passes: list[Annotation]


def sampled(name: str, folder: Path) -> Sampled:
    scheme = schemes.shipped()[name]
    people = {role.value: make.user() for role in (*ROLES, Role.ANNOTATOR)}
    colleague = make.user()
    project = project_of(scheme, folder, people[Role.ANNOTATOR], colleague)
    Project.objects.filter(pk=project.pk).update(overlap=2)
    project.refresh_from_db()
    for role in ROLES:
        make.member(project, people[role.value], role)
    passes = []
    for seat, person in enumerate((colleague, people[Role.ANNOTATOR]), start=1):
        passes.append(labelled(project, person, answers_of(scheme)))
        Annotation.objects.filter(pk=passes[-1].pk).update(seat=seat)  # both were leased seat 0
    first = passes[0].trajectory
    if first.task.trajectories.count() == 1:
        make.trajectory(project, of=first.task, steps=2)
    return Sampled(scheme, project, people, first, passes[::-1])
