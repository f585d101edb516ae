"""When a person is given a gold item in place of the next one, and which: drawn, but the same however often one asks.

What they have been given so far is cut into blocks of as many as the project says. One place of each block is gold, and
which one it is hangs on the project's seed, the person and the block. Nothing is kept beside the passes themselves, so
neither a second tab nor a crash can change what is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, QuerySet

from annotations import access
from annotations.models import Annotation, Event, Gold, GoldPlan, Rater
from annotations.services import task_answers
from annotations.services.board import scheme
from annotations.services.queue_policies_chance import chance

Purpose = Annotation.Purpose


def plan_for(rater: Rater) -> GoldPlan | None:
    """What the project does with gold items, for who gets any: not for those who see others' labels, and so could look
    the answers up. The project must be locked, by seats.lock."""
    if rater.project.role not in access.LABEL - access.SEE_OTHERS_LABELS:  # type: ignore[attr-defined]
        return None
    return getattr(rater.project, "gold_plan", None)


def due(rater: Rater, plan: GoldPlan) -> int | None:
    """The trajectory that the person is to have now as a gold item; None where it is not gold's turn, or none is left
    for them. The project must be locked, by seats.lock."""
    if plan.every < 2 or not is_turn(plan, rater, Purpose.GOLD, plan.every):
        return None
    return drawn(plan, rater, left(rater, Gold.Use.QUEUE))


def is_turn(plan: GoldPlan, rater: Rater, purpose: str, every: int) -> bool:
    """Whether what the person gets now is to be for that purpose, one in `every` being so."""
    mine = rater.annotations.live().exclude(purpose=Purpose.TRAINING)
    block, place = divmod(mine.count(), every)
    if place < int(chance(plan.seed, f"{purpose} turn of {rater.pk}", block) * every):
        return False
    return purpose not in mine.order_by("-pk").values_list("purpose", flat=True)[:place]


def left(rater: Rater, use: str) -> QuerySet[Gold]:
    """The items of that use that stand, that the person never had, and whose reference they had no part in."""
    had = Annotation.objects.filter(rater=rater, trajectory=OuterRef("trajectory"))
    part = Event.objects.filter(annotation=OuterRef("reference"), actor=rater.user_id)
    found = standing(rater.project_id).filter(~Exists(had), ~Exists(part), use=use)
    if task_answers.only(scheme(rater.project.scheme_id)):
        of_task = Annotation.objects.filter(rater=rater, trajectory__task=OuterRef("trajectory__task"))
        found = found.filter(~Exists(of_task))
    return found


def standing(project: int) -> QuerySet[Gold]:
    """The project's items whose trajectory is live and whose reference is handed in."""
    return Gold.objects.filter(
        project=project,
        trajectory__superseded_at=None,
        reference__retired_at=None,
        reference__state=Annotation.State.SUBMITTED,
    )


def drawn(plan: GoldPlan, rater: Rater, found: QuerySet[Gold]) -> int | None:
    """The trajectory of the one that comes first for this person; None where there is none."""
    return first_for(rater, plan, found.values_list("trajectory", flat=True))


def first_for(rater: Rater, plan: GoldPlan, trajectories: Iterable[int]) -> int | None:
    """Of these the one that chance puts first for this person."""
    return min(trajectories, key=lambda one: (chance(plan.seed, f"item for {rater.pk}", one), one), default=None)
