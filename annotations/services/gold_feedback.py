"""What was right in a pass whose answer is known, told to the person who made it: after training, and of gold items
where the project tells which they were, once the day is over."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.shortcuts import get_object_or_404

from annotations.models import Annotation, Gold, GoldPlan, Membership
from annotations.models.labels import AnnotationQuerySet
from annotations.services import gold, gold_compared, history
from annotations.services.gold_compared import Compared
from annotations.services.projects import scheme_of
from annotations.services.training import Done, NotYet

State, Purpose = Annotation.State, Annotation.Purpose


@transaction.atomic
def feedback(membership: Membership, annotation: int) -> tuple[Annotation, Gold, list[Compared]]:
    """A pass of the member's own that is handed in, its item, and its answers beside the reference's. It is noted that
    they saw it: from then on they cannot take the pass up again. Http404 where there is none to tell of, NotYet."""
    mine = Annotation.objects.of_user(membership.user).filter(rater__project=membership.project)
    related = mine.select_related("trajectory__task", "scheme", "rater").select_for_update(of=("self",), no_key=True)
    found = get_object_or_404(related.filter(_told(membership)), pk=annotation)
    if found.state != State.SUBMITTED:
        raise NotYet("Hand it in first; then you see what is right.")
    item = Gold.objects.filter(trajectory=found.trajectory_id).first()
    if item is None:
        raise NotYet("A lead took the mark of this item away, so there is nothing to hold it against.")
    if not found.events.filter(verb=history.SAW).exists():
        history.record(found, history.SAW, membership.user, after={"feedback": True})
    compared = gold_compared.compare(scheme_of(membership.project.scheme), {found.pk: item.reference_id})
    return found, item, compared.get(found.pk, [])


def _told(membership: Membership) -> Q:
    """The passes of which the member is told what was right: training, and gold items of before today where the
    project says so."""
    told = Q(purpose=Purpose.TRAINING)
    until = gold.horizon(membership)
    if gold.plan_of(membership.project).shown == GoldPlan.Shown.ITEMS and until:
        told |= Q(purpose=Purpose.GOLD, state=State.SUBMITTED, submitted_at__lt=until)
    return told


def golden(membership: Membership) -> list[Done]:
    """The member's own gold items that the project tells them of, the newest first."""
    mine: AnnotationQuerySet = Annotation.objects.of_user(membership.user)
    mine = mine.filter(_told(membership), rater__project=membership.project, purpose=Purpose.GOLD)
    rows = (
        mine.filter(trajectory__gold__isnull=False).select_related("trajectory__gold").order_by("-submitted_at", "-pk")
    )
    pairs = {one.pk: one.trajectory.gold.reference_id for one in rows}
    compared = gold_compared.compare(scheme_of(membership.project.scheme), pairs)
    return [Done(one, sum(at.right for at in compared.get(one.pk, [])), len(compared.get(one.pk, []))) for one in rows]
