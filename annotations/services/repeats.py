"""Items that a person gets a second time, to see how they do as themselves: when, and which.

The second pass is one of its own, beside the first (Annotation.purpose), and begins with nothing of it. When it comes
is drawn as for gold items.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from annotations.models import Annotation, Event, GoldPlan, Rater
from annotations.models.labels import AnnotationQuerySet
from annotations.schemes.schema import Scheme
from annotations.services import gold_compared, gold_queue, history
from annotations.services.board import scheme

State, Purpose = Annotation.State, Annotation.Purpose


def unfit(asked: Scheme) -> str:
    """Why nothing is given again under the scheme; "" where it is."""
    if asked.main_field.target == "task":
        return f"“{asked.main_field.title}” is asked of a task, and answers to a task are known to all its rollouts."
    return gold_compared.unfit(asked)


def due(rater: Rater, plan: GoldPlan) -> int | None:
    """The trajectory that the person is to have again now; None where it is not the turn of that, or none is left. The
    project must be locked, by seats.lock."""
    if plan.again < 2 or not gold_queue.is_turn(plan, rater, Purpose.REPEAT, plan.again):
        return None
    if unfit(scheme(rater.project.scheme_id)):
        return None
    return gold_queue.first_for(rater, plan, left(rater, plan))


def left(rater: Rater, plan: GoldPlan) -> Iterable[int]:
    """What they handed in for the dataset so many days ago and never had again, and of which they were not shown what
    the others say."""
    again = Annotation.objects.filter(rater=rater, trajectory=OuterRef("trajectory"), purpose=Purpose.REPEAT)
    saw = Event.objects.filter(annotation=OuterRef("pk"), verb=history.SAW)
    had: AnnotationQuerySet = rater.annotations.live().for_labels()
    had = had.filter(state=State.SUBMITTED, submitted_at__lte=timezone.now() - timedelta(days=plan.again_after))
    found = had.filter(~Exists(again), ~Exists(saw), trajectory__superseded_at=None)
    return found.values_list("trajectory", flat=True)
