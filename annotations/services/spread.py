"""What the others said, for who has handed in: counts without names, once nobody is at work on the trajectory any more.

Who has looked has lost their independence. The log says so, and from then on only a lead can give the pass back.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from django.db import transaction

from annotations.models import Annotation, Label, Rater, User
from annotations.records import Json
from annotations.services import changes, history
from annotations.services.board import scheme
from annotations.services.outcomes import Refusal

State = Annotation.State


class NotYet(Refusal):
    """The pass is not handed in, or others are still to label the trajectory."""


@transaction.atomic
def look(annotation_id: int, user: User, *, slug: str = "") -> dict[int, list[list[Json]]]:
    """Index of a step → [[value, how many of the others said so], …] in the main field. Raises NotYet."""
    annotation = changes.own(annotation_id, user, slug, lock=True)
    if annotation.state != State.SUBMITTED:
        raise NotYet("Submit first; then you can see what the others said.")
    others = _submitted(annotation)
    if len(others) + 1 < annotation.rater.project.overlap:
        raise NotYet("Others are still to label this trajectory; what they say is shown once all have submitted.")
    if not has_looked(annotation):
        history.record(annotation, history.SAW, user, after={"others": len(others)})
    return _counts(annotation, others)


def has_looked(annotation: Annotation) -> bool:
    return annotation.events.filter(verb=history.SAW).exists()


def _submitted(annotation: Annotation) -> list[int]:
    same = Annotation.objects.live().filter(trajectory=annotation.trajectory_id, state=State.SUBMITTED)
    people = same.filter(rater__kind=Rater.Kind.HUMAN).exclude(pk=annotation.pk)
    return list(people.values_list("pk", flat=True))


def _counts(annotation: Annotation, others: list[int]) -> dict[int, list[list[Json]]]:
    said = Label.objects.current().filter(annotation__in=others, field=scheme(annotation.scheme_id).main)
    counts: dict[int, Counter[Json]] = defaultdict(Counter)
    for step, value in said.filter(step__isnull=False).values_list("step__index", "value"):
        counts[step][value] += 1
    return {step: [list(one) for one in found.most_common()] for step, found in sorted(counts.items())}
