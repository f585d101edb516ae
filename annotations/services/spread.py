"""What the others said, for who has handed in: counts without names, once nobody is at work on the trajectory any more.

Who has looked has lost their independence. The log says so, and from then on only a lead can give the pass back.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from django.db import transaction

from annotations.formats.lines import dump, load
from annotations.models import Annotation, Label, Rater, User
from annotations.records import Json
from annotations.services import around, changes, history
from annotations.services.answers import of_field
from annotations.services.board import scheme
from annotations.services.outcomes import Refusal

State = Annotation.State


class NotYet(Refusal):
    """The pass is not handed in, or others are still to label the trajectory."""


@transaction.atomic
def look(annotation_id: int, user: User, *, slug: str = "") -> dict[int | str, list[list[Json]]]:
    """Index of a step ("": the whole) → [[value, how many of the others said so], …] in the main field; where that is
    asked of parts, with the name of the part's field as a third. Raises NotYet."""
    annotation = changes.own(annotation_id, user, slug, lock=True)
    if annotation.purpose == Annotation.Purpose.TRAINING:
        raise NotYet("This was training: what is right is on the page of your training.")
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
    """As many others as any pass of the project has: what was given as gold has one more, and must not show it."""
    same = Annotation.objects.live().for_labels().filter(trajectory=annotation.trajectory_id, state=State.SUBMITTED)
    people = same.filter(rater__kind=Rater.Kind.HUMAN).exclude(rater=annotation.rater_id)
    found = list(people.order_by("seat", "pk").values_list("pk", flat=True))
    return found[: annotation.rater.project.overlap - 1] if annotation.purpose else found


def _counts(annotation: Annotation, others: list[int]) -> dict[int | str, list[list[Json]]]:
    main = scheme(annotation.scheme_id).main_field
    own = set(Label.objects.current().filter(annotation=annotation).values_list("step__index", "field"))
    said = Label.objects.current().filter(of_field(main), annotation__in=others, step__isnull=not main.of_step)
    counts: dict[int | None, Counter[tuple[str, str]]] = defaultdict(Counter)
    for step, field, value in said.order_by("step__index", "field").values_list("step__index", "field", "value"):
        turned = around.turned(field)
        name = turned if (step, field) not in own and (step, turned) in own else field
        counts[step][name, dump(value)] += 1
    return {"" if step is None else step: _listed(found, main.name) for step, found in counts.items()}


def _listed(found: Counter[tuple[str, str]], main: str) -> list[list[Json]]:
    counted = found.most_common()
    return [[load(text), count, *([] if field == main else [field])] for (field, text), count in counted]
