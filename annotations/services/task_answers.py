"""What a person says of a task is theirs for the task, whichever of its rollouts they said it on.

A pass over another rollout begins with what they said of the task last: copied, origin human, with an event of its own
that undo leaves alone. So one person's answer to one task may stand in several passes. Whoever counts answers of a task
takes each person's newest: `newest`.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from annotations.models import Annotation, Label
from annotations.schemes.rules import Place
from annotations.schemes.schema import Scheme
from annotations.services import around, history
from annotations.services.board import Board, Said, scheme


def only(asked: Scheme) -> bool:
    """Whether the scheme asks about tasks alone: nothing it requires is of a step or of a rollout."""
    return asked.main_field.target == "task" and not any(
        spec.required and spec.target != "task" for spec in asked.fields
    )


def carry(annotation: Annotation) -> None:
    """Give a pass that has just begun what its person said of the task before. Needs the project's lock."""
    asked = scheme(annotation.scheme_id)
    if not any(spec.target == "task" for spec in asked.fields):
        return
    held: dict[Place, Said] = {(None, field): one for field, one in _said(annotation, asked).items()}
    if not held:
        return
    board = Board.around(annotation, held)
    changed = board.write(held, annotation.revision + 1, timezone.now(), 0)
    annotation.revision += 1
    Annotation.objects.filter(pk=annotation.pk).update(revision=annotation.revision)
    after = [
        {"step": None, "field": field, "value": board.labels[None, field].value}
        for _, field in sorted(changed, key=str)
    ]
    history.record(annotation, history.CARRIED, annotation.rater.user, after=after)


def newest(labels: Iterable[Label]) -> list[Label]:
    """Of each person's answers to each task the last, however many rollouts it stands in; other answers as they are.
    Wants `annotation.rater_id` and `annotation.trajectory.task_id` at hand."""
    kept: dict[tuple[object, ...], Label] = {}
    for one in sorted(labels, key=lambda label: (label.created_at, label.pk)):
        spec = scheme(one.annotation.scheme_id).field(one.field)
        of_task = spec is not None and spec.target == "task"
        key = (one.annotation.rater_id, one.annotation.trajectory.task_id, one.field) if of_task else (one.pk,)
        kept[key] = one
    return list(kept.values())


def _said(annotation: Annotation, asked: Scheme) -> dict[str, Said]:
    """What the person's other passes over the task say of it, by field; of several the newest. What names rollouts that
    are not there, or not all that are there now, is no answer any more."""
    task = annotation.trajectory.task_id
    others = Annotation.objects.live().filter(
        rater=annotation.rater_id, scheme=annotation.scheme_id, trajectory__task=task
    )
    rows = Label.objects.current().filter(annotation__in=others.exclude(pk=annotation.pk), step=None)
    found = {}
    for one in rows.exclude(origin=Label.Origin.PROPAGATED).order_by("created_at", "pk"):
        spec = asked.field(one.field)
        if spec is None or spec.target != "task":
            continue
        if not around.is_part(annotation, spec, None, one.field):
            continue
        if not spec.refusal(one.value, around.of(annotation, spec, None, one.field)):
            found[one.field] = Said(one.value, explanation=one.explanation)
    return found
