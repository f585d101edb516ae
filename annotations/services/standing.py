"""How far the raters of trajectories differ, kept as they hand in: compared are answers that have a measure, at places
where two or more have answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from django.db.models import Count, Q

from annotations.formats.lines import dump
from annotations.models import Annotation, Label, Project, Rater, Standing, Trajectory
from annotations.models.labels import AnnotationQuerySet
from annotations.records import Json
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.schema import Scheme
from annotations.services import agreement_marks
from annotations.services.projects import scheme_of

AT_ONCE = 500
HEARD = (Rater.Kind.HUMAN, Rater.Kind.JUDGE, Rater.Kind.IMPORT)
Place = tuple[int | None, str]  # index of a step (None: the whole) and a field


class Voice(NamedTuple):
    """One rater's answer at a place."""

    rater: int
    is_person: bool
    value: Json


def passes(trajectories: Iterable[int]) -> AnnotationQuerySet:
    """The passes that are heard."""
    live = Annotation.objects.live().for_labels().filter(trajectory__in=trajectories, rater__kind__in=HEARD)
    return live.filter(state=Annotation.State.SUBMITTED)


def compared(scheme: Scheme) -> list[FieldSpec]:
    """The fields whose answers can differ: not texts."""
    return [spec for spec in scheme.fields if spec.level != "none"]


def voices(scheme: Scheme, trajectories: Sequence[int]) -> dict[int, dict[Place, list[Voice]]]:
    """By trajectory and place, who said what there."""
    names = Q()
    for spec in compared(scheme):
        names |= Q(field=spec.name) | Q(field__startswith=f"{spec.name}@")
    labels = Label.objects.current().filter(names, annotation__in=passes(trajectories))
    rows = labels.order_by("annotation__rater__kind", "annotation__rater__name", "pk").values_list(
        "annotation__trajectory", "step__index", "field", "annotation__rater", "annotation__rater__kind", "value"
    )
    found: dict[int, dict[Place, list[Voice]]] = defaultdict(lambda: defaultdict(list))
    for trajectory, step, name, rater, kind, value in rows:
        found[trajectory][step, name].append(Voice(rater, kind == Rater.Kind.HUMAN, value))
    return found


def apart(spec: FieldSpec, values: Sequence[Json]) -> float:
    """How far the answers are apart: 0 where all say the same, 1 at most. Of ordered choices it is the distance of the
    outermost two, as a share of the whole order."""
    if len({dump(one) for one in values}) < 2:
        return 0.0
    order = list(spec.values)
    if spec.level == "ordinal" and len(order) > 1 and all(one in order for one in values):
        places = [order.index(one) for one in values]
        return (max(places) - min(places)) / (len(order) - 1)
    return 1.0


def alike(project: Project) -> dict[str, int]:
    """How many live trajectories two or more people have handed in, and on how many of these they agree in everything.
    Kept up with every pass, so nothing is compared for it."""
    rows = Standing.objects.filter(project=project, people__gt=1, trajectory__superseded_at=None)
    return rows.aggregate(compared=Count("pk"), same=Count("pk", filter=Q(people_differ=0)))


def touch(project: Project, trajectories: Sequence[int]) -> None:
    """Write anew how far the raters of these trajectories differ, and have their agreement counted anew. In the
    caller's transaction, if there is one."""
    agreement_marks.mark(trajectories)
    scheme = scheme_of(project.scheme)
    for start in range(0, len(trajectories), AT_ONCE):
        _write(project, scheme, trajectories[start : start + AT_ONCE])


def touch_all(project: Project) -> None:
    """The same for all that somebody has labelled: after an import, or a change of the scheme."""
    live = Trajectory.objects.live().filter(project=project)
    touch(project, list(live.order_by("pk").values_list("pk", flat=True)))


def _write(project: Project, scheme: Scheme, some: Sequence[int]) -> None:
    heard = voices(scheme, some)
    raters: dict[int, set[tuple[int, bool]]] = defaultdict(set)
    for trajectory, rater, kind in passes(some).values_list("trajectory", "rater", "rater__kind"):
        raters[trajectory].add((rater, kind == Rater.Kind.HUMAN))
    rows = [_row(project, scheme, pk, heard.get(pk, {}), raters[pk]) for pk in raters]
    Standing.objects.filter(trajectory__in=[pk for pk in some if pk not in raters]).delete()
    fields = [one.name for one in Standing._meta.concrete_fields if not one.primary_key]
    Standing.objects.bulk_create(
        sorted(rows, key=lambda one: one.pk), update_conflicts=True, unique_fields=["trajectory"], update_fields=fields
    )


def _row(
    project: Project,
    scheme: Scheme,
    trajectory: int,
    heard: Mapping[Place, Sequence[Voice]],
    raters: set[tuple[int, bool]],
) -> Standing:
    row = Standing(trajectory_id=trajectory, project=project)
    row.everybody, row.people = len(raters), sum(is_person for _, is_person in raters)
    first: list[int] = []
    for (step, name), said in heard.items():
        spec = scheme.field(name)
        if spec is None:
            continue
        all_apart = apart(spec, [one.value for one in said])
        people_apart = apart(spec, [one.value for one in said if one.is_person])
        row.everybody_weight += all_apart
        row.people_weight += people_apart
        row.everybody_differ += all_apart > 0
        row.people_differ += people_apart > 0
        first += [step] if all_apart and step is not None else []
    row.first = min(first, default=None)
    return row
