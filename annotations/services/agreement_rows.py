"""The passes that agreement counts, read once: who rated which trajectory, its agent's steps, and what was said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from django.db.models import Q

from annotations.models import Annotation, Label, Project, Rater, Step, Trajectory
from annotations.models.labels import AnnotationQuerySet
from annotations.models.trajectories import StepQuerySet
from annotations.records import Json
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.schema import Scheme
from annotations.services import agreement, agreement_converted
from annotations.services.projects import scheme_of
from annotations.tables import TableRater

Place = tuple[str, int]  # "step", "trajectory" or "task", and which


class Pass(NamedTuple):
    rater: int
    trajectory: int
    scheme: int


@dataclass(frozen=True, slots=True)
class StepPlace:
    trajectory: int
    index: int
    ordinal: int  # which of the agent's steps, from 0
    parent: int | None


class Said(NamedTuple):
    """One current label of a measured field, where it stands. `part` is what its name says after "@"."""

    annotation: int
    rater: int
    spec: FieldSpec
    part: str
    place: Place
    trajectory: int
    task: int
    step: int | None
    value: Json
    propagated: bool
    accepted: bool


@dataclass
class Passes:
    """Raters, tasks and trajectories are numbered from 0, and known by their primary keys in `rater_ids` and
    `trajectory_ids`; passes and steps are by primary key."""

    project: Project
    scheme: Scheme
    raters: tuple[TableRater, ...]
    by_pk: Mapping[int, Pass]
    task_of: list[int]
    steps: Mapping[int, StepPlace]
    tasks: int
    rater_ids: list[int] = field(default_factory=list)
    trajectory_ids: list[int] = field(default_factory=list)
    _said: list[Said] = field(default_factory=list)

    @cached_property
    def at(self) -> dict[tuple[int, Json], StepPlace]:
        """The agent's steps by trajectory and index."""
        return {(step.trajectory, step.index): step for step in self.steps.values()}

    @cached_property
    def of_trajectory(self) -> dict[int, list[tuple[int, StepPlace]]]:
        """The agent's steps of each trajectory in order, with their primary keys."""
        found: dict[int, list[tuple[int, StepPlace]]] = defaultdict(list)
        for pk, step in self.steps.items():
            found[step.trajectory].append((pk, step))
        return found

    @cached_property
    def _siblings(self) -> dict[tuple[int, int | None], list[int]]:
        found: dict[tuple[int, int | None], list[int]] = defaultdict(list)
        for step in self.steps.values():
            found[step.trajectory, step.parent].append(step.index)
        return found

    def among_siblings(self, trajectory: int, index: Json) -> Json:
        """Which of the steps tried at the same place that one is, from 0; what is no step stays as it is."""
        step = self.at.get((trajectory, index))
        return index if step is None else self._siblings[trajectory, step.parent].index(step.index)

    def place(self, spec: FieldSpec, one: Pass, step: int | None) -> Place | None:
        """Where a label stands; None where the field is not asked there."""
        if step is not None:
            return ("step", step) if spec.of_step and step in self.steps else None
        if spec.of_step:
            return None
        return ("task", self.task_of[one.trajectory]) if spec.target == "task" else ("trajectory", one.trajectory)

    def labels(self) -> list[Said]:
        """The labels of every field that is measured, oldest first, so that of two the later one counts."""
        if not self._said:
            self._said = list(self._read())
        return self._said

    def _read(self) -> Iterator[Said]:
        names = [spec.name for spec in self.scheme.fields if spec.level != "none"]
        wanted = Q(field__in=names)
        for name in names:
            wanted |= Q(field__startswith=f"{name}@")
        rows = (
            Label.objects.current()
            .filter(wanted, annotation__in=counted(self.project).filter(scheme=self.project.scheme_id).values("pk"))
            .order_by("pk")
            .values_list("annotation", "step", "field", "value", "origin")
        )
        others = agreement_converted.of_others(self.project, self.scheme, counted(self.project), names)
        for annotation, step, name, value, origin in chain(rows.iterator(chunk_size=10_000), others):
            one, spec = self.by_pk.get(annotation), self.scheme.field(name)
            place = self.place(spec, one, step) if one and spec else None
            if one is None or spec is None or place is None:
                continue
            part, task = name.partition("@")[2], self.task_of[one.trajectory]
            came = (origin == Label.Origin.PROPAGATED, origin == Label.Origin.ACCEPTED)
            yield Said(annotation, one.rater, spec, part, place, one.trajectory, task, step, value, *came)


def counted(project: Project) -> AnnotationQuerySet:
    """The passes that agreement looks at and that said something."""
    return agreement.counted(project).exclude(state=Annotation.State.FAILED)


def gathered(project: Project, reference: Rater | None = None) -> Passes:
    """The passes of the project, as they are now. What is made of the others' words, adjudicated or worked out, is
    among them only as that reference. No text of a step is read."""
    looked_at = agreement.heard(project, reference)  # tasks of failed passes are resampled with the others
    trajectories = list(
        Trajectory.objects.filter(pk__in=looked_at.values("trajectory"))
        .order_by("task", "rollout")
        .values_list("pk", "task")
    )
    rows = {pk: place for place, (pk, _) in enumerate(trajectories)}
    numbers = {task: place for place, task in enumerate(dict.fromkeys(task for _, task in trajectories))}
    spoke = looked_at.exclude(state=Annotation.State.FAILED)
    read = spoke.order_by("pk").values_list("pk", "rater", "trajectory", "scheme")
    passes = [one for one in read if one[2] in rows]  # not those of a trajectory that came in since
    raters = list(Rater.objects.filter(pk__in={rater for _, rater, _, _ in passes}).order_by("kind", "name"))
    columns = {rater.pk: place for place, rater in enumerate(raters)}
    return Passes(
        project,
        scheme_of(project.scheme),
        agreement.named(raters),
        {pk: Pass(columns[rater], rows[trajectory], scheme) for pk, rater, trajectory, scheme in passes},
        [numbers[task] for _, task in trajectories],
        _steps(project, rows),
        len(numbers),
        [rater.pk for rater in raters],
        list(rows),
    )


def agent_steps(project: Project) -> StepQuerySet:
    """The steps of the trajectories that agreement looks at."""
    return Step.objects.of_agent().filter(trajectory__in=agreement.counted(project).values("trajectory")).order_by()


def _steps(project: Project, rows: Mapping[int, int]) -> dict[int, StepPlace]:
    """The agent's steps by primary key, in order."""
    steps = agent_steps(project)
    read = steps.values_list("trajectory", "index", "pk", "parent").iterator(chunk_size=10_000)
    ordered = sorted(
        (rows[trajectory], index, pk, parent) for trajectory, index, pk, parent in read if trajectory in rows
    )
    found: dict[int, StepPlace] = {}
    before, ordinal = -1, 0
    for trajectory, index, pk, parent in ordered:
        ordinal = ordinal + 1 if trajectory == before else 0
        before = trajectory
        found[pk] = StepPlace(trajectory, index, ordinal, parent)
    return found
