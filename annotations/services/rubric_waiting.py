"""Lists of judges that wait for a person: one after the other, each with what it rests on and what it would replace."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Max, Min, Q, QuerySet

from annotations.models import Project, Rubric
from annotations.records import Json
from annotations.services import projects, rubric_lists, rubrics


@dataclass(frozen=True)
class Item:
    """An item with the words of the task that it rests on; `unfounded` where these stand nowhere in it."""

    said: Json
    evidence: str
    unfounded: bool


@dataclass(frozen=True)
class Looked:
    """The list that is looked at: the `number`-th of `count` that wait. `current` is the list in force that it would
    take the place of, `brought` how many items the task's reference brings where there is none. `before` and `after`
    are the keys of its neighbours."""

    made: Rubric
    items: list[Item]
    current: Rubric | None
    brought: int
    number: int
    count: int
    before: int | None
    after: int | None


def among(project: Project) -> QuerySet[Rubric]:
    """Those of fields that the scheme in force still has, the oldest first."""
    names = [spec.name for spec in rubric_lists.fields_of(projects.scheme_of(project.scheme))]
    return rubrics.waiting(project).filter(field__in=names)


def looked(project: Project, at: int = 0) -> Looked | None:
    """The first that waits from that key on, else the first of all; None where none waits."""
    found = among(project).select_related("task", "writing__judge__server", "writing__run")
    made = found.filter(pk__gte=at).first() or found.first()
    if made is None:
        return None
    place = among(project).aggregate(
        number=Count("pk", filter=Q(pk__lte=made.pk)),
        count=Count("pk"),
        before=Max("pk", filter=Q(pk__lt=made.pk)),
        after=Min("pk", filter=Q(pk__gt=made.pk)),
    )
    current = rubrics.in_force(made.task, made.field)
    brought = [] if current else rubrics.of_reference(made.task.reference, made.field) or []
    return Looked(made, items(made), current, len(brought), **place)


def items(made: Rubric) -> list[Item]:
    """The items with what they rest on, as far as the judge said."""
    writing = getattr(made, "writing", None)
    detail = writing.detail if writing else {}
    evidence, unfounded = detail.get("evidence", {}), detail.get("unfounded", [])
    return [Item(one, evidence.get(one["name"], ""), one["name"] in unfounded) for one in made.items]
