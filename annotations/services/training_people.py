"""Who trains here, how far they are, and who needs a lead: read for a page of leads, whatever the number of people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotations import access
from annotations.models import Annotation, Gold, Membership, Project, Role, Training, User
from annotations.services import gold, gold_queue, people, seats, training

State, Purpose = Annotation.State, Annotation.Purpose


@dataclass(frozen=True)
class Newcomer:
    """`done` of `wanted` items of round `number` are handed in; `score` is percent of the last round that is over,
    None before. `stuck`: no item is left for them, or the round is lost and none is."""

    user: int
    name: str
    number: int
    done: int
    wanted: int
    score: float | None
    passed_at: datetime | None
    by: str
    stuck: bool

    @property
    def is_below(self) -> bool:
        return self.passed_at is None and self.score is not None


def newcomers(project: Project) -> list[Newcomer]:
    """Everybody who trains, or trained, and is a member still; who has yet to begin among them."""
    plan = gold.plan_of(project)
    begun = {one.rater.user_id: one for one in _trainings(project)}
    roles = access.LABEL - access.SEE_OTHERS_LABELS
    members = Membership.objects.filter(project=project, user__is_active=True).select_related("user")
    waits = _yet_to_begin(project, plan.training_since if plan.training else None)
    had = _had(project)
    items = dict(gold_queue.standing(project.pk).filter(use=Gold.Use.TRAINING).values_list("pk", "trajectory"))
    found = []
    for member in members.order_by("user__username"):
        one = begun.get(member.user_id)
        if one is None and (member.user_id not in waits or member.role not in roles):
            continue
        found.append(_newcomer(member.user, one, plan.training, items, had[member.user_id]))
    return found


def stuck(project: Project) -> int:
    """How many newcomers cannot go on without a lead."""
    if not gold.plan_of(project).training:
        return 0
    return sum(one.stuck for one in newcomers(project))


@transaction.atomic
def let_pass(project: Project, user: User, by: User) -> Training:
    """A lead lets somebody into the queue whatever their score; one who has passed stays as they are."""
    locked = seats.lock(project, by)
    seats.check_role(locked.role, access.MANAGE)  # type: ignore[attr-defined]
    found = training.begun(people.rater_of(locked, user))
    if found.passed_at is None:
        found.passed_at, found.passed_by = timezone.now(), by
        found.save(update_fields=["passed_at", "passed_by"])
        training.record(found, by, "training.passed", {"user": user.username})
    return found


def _newcomer(
    user: User, one: Training | None, wanted: int, items: Mapping[int, int], had: Mapping[int, str]
) -> Newcomer:
    rounds: list[dict[str, Any]] = one.rounds if one else [{"items": []}]
    scored = [(done["right"], done["compared"]) for done in rounds if "right" in done]
    right, compared = scored[-1] if scored else (0, 0)
    mine = [had.get(items.get(pk, 0), "") for pk in rounds[-1]["items"]]
    passed = one.passed_at if one else None
    left = any(trajectory not in had for trajectory in items.values())
    done = sum(state == State.SUBMITTED for state in mine)
    waits = any(state in seats.OPEN for state in mine)
    needs = done < wanted or "right" in rounds[-1]
    return Newcomer(
        user=user.pk,
        name=user.username,
        number=len(rounds),
        done=done,
        wanted=wanted,
        score=100 * right / compared if compared else None,
        passed_at=passed,
        by=one.passed_by.username if one and one.passed_by else "",
        stuck=bool(wanted) and passed is None and not waits and needs and not left,
    )


def _trainings(project: Project) -> list[Training]:
    found = Training.objects.filter(rater__project=project, rater__user__isnull=False)
    return list(found.select_related("rater", "passed_by"))


def _yet_to_begin(project: Project, since: datetime | None) -> set[int]:
    """The users who are newcomers since then."""
    if since is None:
        return set()
    new = project.memberships.filter(created_at__gte=since, role=Role.ANNOTATOR)
    labelled = Annotation.objects.for_labels().filter(rater__project=project, rater__user__isnull=False)
    return set(new.exclude(user__in=labelled.values("rater__user")).values_list("user", flat=True))


def _had(project: Project) -> dict[int, dict[int, str]]:
    """By user, what they ever had of the trajectories that are gold, with the state of the newest pass."""
    rows = Annotation.objects.filter(rater__project=project, rater__user__isnull=False, trajectory__gold__isnull=False)
    found: dict[int, dict[int, str]] = defaultdict(dict)
    for user, trajectory, state in rows.order_by("pk").values_list("rater__user", "trajectory", "state"):
        found[user][trajectory] = state
    return found
