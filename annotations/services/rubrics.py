"""The items of a rubric that are a task's own: from its file, from a person, or from a judge with a person's leave.

Lists are rows: a new one takes the place of the one before, and what was answered under it stays. A judge's list is
asked of nobody until somebody who leads the project has approved it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from pydantic import TypeAdapter, ValidationError

from annotations.models import Annotation, Project, Rubric, Task, User
from annotations.records import Json
from annotations.schemes.fields.base import is_text
from annotations.schemes.fields.rubric import Item, RubricField, problem_of
from annotations.services.outcomes import NotAccepted

MOST_ITEMS = 500
_ITEMS = TypeAdapter(tuple[Item, ...])


def in_force(task: Task | int, field: str) -> Rubric | None:
    """The list that is asked of the task's rollouts now: the last that came in or was approved."""
    return _of(task, field).filter(approved_at__isnull=False).order_by("-approved_at", "-number").first()


def since(listed: Rubric) -> tuple[datetime, int]:
    """For lists that are approved: of several the greatest is in force."""
    assert listed.approved_at
    return listed.approved_at, listed.number


def waiting(project: Project) -> QuerySet[Rubric]:
    """Lists that a judge made and nobody has looked at yet, the oldest first."""
    rows = Rubric.objects.filter(task__project=project, approved_at__isnull=True, rejected_at__isnull=True)
    return rows.select_related("task").order_by("pk")


def items(annotation: Annotation, spec: RubricField) -> dict[str, Json] | None:
    """The items by name, for a field that takes them from the task; None where they are the scheme's own."""
    return of_task(annotation.trajectory.task, spec)


def of_task(task: Task, spec: RubricField) -> dict[str, Json] | None:
    """What is asked of the task's rollouts: the list in force, else what its reference brings under the field's name,
    else what the scheme itself lists."""
    if spec.items_from == "scheme":
        return None
    found = in_force(task, spec.name)
    listed = found.items if found else of_reference(task.reference, spec.name)
    return {one["name"]: one for one in listed} if listed is not None else None


def of_reference(reference: Json, field: str) -> list[Json] | None:
    """A list under the field's name in the task's reference, where it is a list of items."""
    said = reference.get(field) if isinstance(reference, dict) else None
    try:
        return [one.model_dump(mode="json") for one in checked(said)] if isinstance(said, list) else None
    except NotAccepted:
        return None


def checked(said: Json) -> Sequence[Item]:
    """A list of items as it may be stored. Texts alone are items too. Raises NotAccepted naming the item."""
    accepted = ["a list of texts, or of {name, title, help, weight, checks}"]
    if not isinstance(said, list) or not said or len(said) > MOST_ITEMS:
        raise NotAccepted(f"A rubric is a list of 1 to {MOST_ITEMS} items.", "items", accepted)
    whole = [
        {"name": f"q{place}", "title": one} if isinstance(one, str) else one for place, one in enumerate(said, start=1)
    ]
    try:
        found = _ITEMS.validate_python(whole)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise NotAccepted(f"Item {where}: {first['msg']}", f"items.{where}", accepted) from None
    blank = next((place for place, one in enumerate(found) if not is_text(one.title)), None)
    if blank is not None:
        raise NotAccepted(f"Item {blank} says nothing.", f"items.{blank}.title", accepted)
    if reason := problem_of(found):
        raise NotAccepted(reason[:1].upper() + reason[1:], "items", accepted)
    return found


@transaction.atomic
def store(
    task: Task,
    field: str,
    said: Json,
    *,
    source: str,
    by: User | None,
    rater: str = "",
    edited_from: Rubric | None = None,
) -> Rubric:
    """A new list for the task. A person's and a file's is in force at once, a judge's once it is approved."""
    Task.objects.select_for_update(no_key=True).get(pk=task.pk)
    newest = _of(task, field).order_by("-number").first()
    judged = source == Rubric.Source.JUDGE
    return Rubric.objects.create(
        task=task,
        field=field,
        number=newest.number + 1 if newest else 1,
        items=[one.model_dump(mode="json") for one in checked(said)],
        source=source,
        made_by=by,
        rater=rater,
        edited_from=edited_from,
        approved_by=None if judged else by,
        approved_at=None if judged else timezone.now(),
    )


@transaction.atomic
def decide(rubric: Rubric, by: User, *, approve: bool, edited: Json = None) -> Rubric:
    """A person's word on a judge's list. `edited` is the list as they would have it: it comes in as theirs."""
    locked = Rubric.objects.select_for_update(no_key=True).get(pk=rubric.pk)
    if locked.approved_at or locked.rejected_at:
        return locked
    now = timezone.now()
    if approve and edited is None:
        locked.approved_by, locked.approved_at = by, now
    else:
        locked.approved_by, locked.rejected_at = by, now
    locked.save(update_fields=["approved_by", "approved_at", "rejected_at"])
    if approve and edited is not None:
        return store(locked.task, locked.field, edited, source=Rubric.Source.PERSON, by=by, edited_from=locked)
    return locked


def by_field(annotation: Annotation, fields: Sequence[Any]) -> Mapping[str, list[Json]]:
    """For the label page: the items of every field that takes them from the task."""
    found = {spec.name: items(annotation, spec) for spec in fields if isinstance(spec, RubricField)}
    return {name: list(listed.values()) for name, listed in found.items() if listed is not None}


def _of(task: Task | int, field: str) -> QuerySet[Rubric]:
    return Rubric.objects.filter(task=task, field=field)
