"""The steps behind a cell of a confusion: what the reference says, and what the judge says, as the labels are now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, QuerySet

from annotations.models import Annotation, Label, Project, Rater, Step, Trajectory
from annotations.records import Json
from annotations.services import agreement
from annotations.services.projects import scheme_of

PER_PAGE = 50
NOTHING = "none"


class Row(NamedTuple):
    """A step of a trajectory, by its place there and its number among the agent's; None: the whole trajectory. `why` is
    the judge's reason, as much as a list has room for."""

    trajectory: int
    name: str
    at: int | None
    number: int | None
    why: str


class Cell(NamedTuple):
    rows: list[Row]
    total: int
    pages: int


def spelled(project: Project) -> dict[str, Json]:
    """The values of the main field by their words in an address, "none" where nothing is said."""
    return {str(value): value for value in scheme_of(project.scheme).main_field.values}


def of_cell(project: Project, reference: Rater, judge: Rater, said: tuple[Json, Json], page: int) -> Cell:
    """The steps to which the reference gives the first value and the judge the second (NOTHING: no label)."""
    name = scheme_of(project.scheme).main
    theirs = _labels(project, reference, name, said[0])
    found: QuerySet[Label] = theirs.filter(_answered(project, judge, name, said[1]))
    total = found.count()
    start = (page - 1) * PER_PAGE
    ordered = found.order_by("annotation__trajectory__task", "annotation__trajectory__rollout", "step__index")
    keys = list(ordered.values_list("annotation__trajectory", "step")[start : start + PER_PAGE])
    return Cell(_rows(project, judge, name, keys), total, -(-total // PER_PAGE))


def _labels(project: Project, rater: Rater, name: str, value: Json) -> QuerySet[Label]:
    standing = agreement.counted(project).exclude(state=Annotation.State.FAILED).filter(rater=rater)
    return Label.objects.current().filter(field=name, value=value, annotation__in=standing.values("pk"))


def _answered(project: Project, judge: Rater, name: str, value: Json) -> Any:
    standing = agreement.counted(project).exclude(state=Annotation.State.FAILED).filter(rater=judge)
    here = Label.objects.current().filter(
        field=name,
        annotation__in=standing.values("pk"),
        annotation__trajectory=OuterRef("annotation__trajectory"),
    )
    of_step = scheme_of(project.scheme).main_field.of_step
    here = here.filter(step=OuterRef("step")) if of_step else here.filter(step__isnull=True)
    return ~Exists(here) if value == NOTHING else Exists(here.filter(value=value))


def _rows(project: Project, judge: Rater, name: str, keys: Sequence[tuple[int, int | None]]) -> list[Row]:
    trajectories = {one for one, _ in keys}
    names = dict(Trajectory.objects.filter(pk__in=trajectories).values_list("pk", "external_id"))
    numbers: dict[int, tuple[int, int]] = {}
    counted: dict[int, int] = {}
    steps = Step.objects.of_agent().filter(trajectory__in=trajectories).order_by("trajectory", "index")
    for trajectory, pk, index in steps.values_list("trajectory", "pk", "index"):
        counted[trajectory] = counted.get(trajectory, 0) + 1
        numbers[pk] = index, counted[trajectory]
    said = Label.objects.current().filter(
        field=name, annotation__rater=judge, annotation__retired_at=None, annotation__trajectory__in=trajectories
    )
    why: dict[tuple[int, int | None], str] = {
        (trajectory, step): text
        for trajectory, step, text in said.values_list("annotation__trajectory", "step", "explanation")
    }
    return [_row(one, names[one], numbers.get(step or 0), why.get((one, step), "")) for one, step in keys]


def _row(trajectory: int, name: str, place: tuple[int, int] | None, why: str) -> Row:
    at, number = place or (None, None)
    return Row(trajectory, name, at, number, why[:300])
