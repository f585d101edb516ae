"""Training: what a newcomer does before the queue is theirs, how far they are, and who has passed.

A round is as many training items as the project says, drawn for the person. What they gave of the reference's answers
over all of it decides; who is below the mark may try again with others. Training passes are kept, and are nobody's
labels. Who was a member before training was switched on, or has labelled here, is no newcomer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from annotations import access
from annotations.models import Annotation, Event, Gold, GoldPlan, Membership, Project, Rater, Training, User
from annotations.services import gold, gold_compared, gold_queue, history, seats
from annotations.services.outcomes import Refusal
from annotations.services.people import rater_of
from annotations.services.projects import scheme_of

State, Purpose = Annotation.State, Annotation.Purpose


class NotYet(Refusal):
    """The training does not stand where this could be done."""


@dataclass(frozen=True)
class Done:
    """A training item of the round at hand. `right` of `compared` answers were the reference's."""

    annotation: Annotation
    right: int = 0
    compared: int = 0
    is_seen: bool = False


@dataclass(frozen=True)
class Standing:
    """How far a newcomer is. `wanted` items make a round; `number` counts rounds from 1. `is_over`: the round was
    scored, and the person has not passed. `left`: whether another item is there for them."""

    wanted: int
    mark: int
    number: int = 1
    handed_in: list[Done] = field(default_factory=list)
    open: Annotation | None = None
    is_over: bool = False
    is_passed: bool = False
    by: str = ""
    left: bool = True

    @property
    def right(self) -> int:
        return sum(one.right for one in self.handed_in)

    @property
    def compared(self) -> int:
        return sum(one.compared for one in self.handed_in)

    @property
    def score(self) -> float | None:
        """Percent; None where nothing was compared."""
        return 100 * self.right / self.compared if self.compared else None

    @property
    def is_stuck(self) -> bool:
        """Whether nothing is left to go on with: only a lead can help."""
        return not self.is_passed and self.open is None and not self.left

    @property
    def unseen(self) -> Done | None:
        """What was handed in and not looked at yet."""
        return next((one for one in self.handed_in if not one.is_seen), None)


def asked(membership: Membership, plan: GoldPlan | None = None) -> bool:
    """Whether the member has to train before the queue gives them anything. Reads only."""
    plan = plan or gold.plan_of(membership.project)
    if not plan.training or membership.role not in access.LABEL - access.SEE_OTHERS_LABELS:
        return False
    begun = Training.objects.filter(rater__project=membership.project, rater__user=membership.user).first()
    if begun:
        return begun.passed_at is None
    if plan.training_since is None or membership.created_at < plan.training_since:
        return False
    labelled = Annotation.objects.for_labels().filter(rater__project=membership.project, rater__user=membership.user)
    return not labelled.exists()


def holds(rater: Rater, plan: GoldPlan) -> bool:
    """Whether the person still has to train: asked by the queue, which holds the project's lock. A round that is
    complete is scored."""
    mine = Membership.objects.select_related("project")
    membership = mine.filter(project=rater.project_id, user=rater.user_id).first()
    if membership is None or not asked(membership, plan):
        return False
    training = begun(rater)
    _score(training, plan)
    return training.passed_at is None


def following(rater: Rater, plan: GoldPlan) -> int | None:
    """The trajectory of the next training item, drawn and noted; None where the round is over or no item is left. The
    project must be locked, by seats.lock."""
    training = begun(rater)
    if _is_over(training) or len(_handed_in(training)) >= plan.training:
        return None
    found = gold_queue.left(rater, Gold.Use.TRAINING)
    trajectory = gold_queue.drawn(plan, rater, found)
    if trajectory is None:
        return None
    training.rounds[-1]["items"].append(found.get(trajectory=trajectory).pk)
    training.save(update_fields=["rounds"])
    return trajectory


@transaction.atomic
def settle(membership: Membership) -> Standing | None:
    """How far the member is, with what is complete scored; None for who never had to train."""
    project = seats.lock(membership.project, membership.user)
    plan = gold.plan_of(project)
    training = Training.objects.filter(rater__project=project, rater__user=membership.user).first()
    if training is None and not asked(membership, plan):
        return None
    if training is None:
        training = begun(rater_of(project, membership.user))
    if plan.training:
        _score(training, plan)
    return standing(training, plan)


def standing(training: Training, plan: GoldPlan) -> Standing:
    """How far the person is now. Reads only."""
    passes = _of_round(training)
    done = _compared(training, [one for one in passes if one.state == State.SUBMITTED])
    at_it = next((one for one in passes if one.state in seats.OPEN), None)
    over = _is_over(training)
    return Standing(
        wanted=plan.training,
        mark=plan.mark,
        number=max(1, len(training.rounds)),
        handed_in=done,
        open=at_it,
        is_over=over and training.passed_at is None,
        is_passed=training.passed_at is not None,
        by=training.passed_by.username if training.passed_by else "",
        left=gold_queue.left(_rater(training), Gold.Use.TRAINING).exists(),
    )


@transaction.atomic
def again(membership: Membership) -> None:
    """Begin another round, with items the person never had. Raises NotYet where the last one is not over."""
    project = seats.lock(membership.project, membership.user)
    training = Training.objects.filter(rater__project=project, rater__user=membership.user).first()
    if training is None or training.passed_at or not _is_over(training):
        raise NotYet("There is no round of training that is over.")
    training.rounds.append({"items": []})
    training.save(update_fields=["rounds"])


def begun(rater: Rater) -> Training:
    """The person's training, begun if it was not."""
    training, _ = Training.objects.get_or_create(rater=rater, defaults={"rounds": [{"items": []}]})
    training.rater = rater
    return training


def _rater(training: Training) -> Rater:
    return Rater.objects.select_related("project").get(pk=training.rater_id)


def _is_over(training: Training) -> bool:
    return "right" in training.rounds[-1]


def _of_round(training: Training) -> list[Annotation]:
    """The live passes of the round at hand, in the order they were given."""
    items = training.rounds[-1]["items"]
    place = {trajectory: items.index(pk) for pk, trajectory in _trajectories(items).items()}
    live = Annotation.objects.live().filter(rater=training.rater_id, trajectory__in=place, purpose=Purpose.TRAINING)
    return sorted(live.select_related("trajectory"), key=lambda one: place[one.trajectory_id])


def _trajectories(items: list[int]) -> dict[int, int]:
    return dict(Gold.objects.filter(pk__in=items).values_list("pk", "trajectory"))


def _handed_in(training: Training) -> list[Annotation]:
    return [one for one in _of_round(training) if one.state == State.SUBMITTED]


def _compared(training: Training, passes: list[Annotation]) -> list[Done]:
    pairs = dict(
        Annotation.objects.filter(pk__in=[one.pk for one in passes]).values_list("pk", "trajectory__gold__reference")
    )
    scheme = scheme_of(Project.objects.select_related("scheme").get(raters=training.rater_id).scheme)
    found = gold_compared.compare(scheme, pairs)
    seen = set(Event.objects.filter(annotation__in=pairs, verb=history.SAW).values_list("annotation", flat=True))
    return [
        Done(one, sum(at.right for at in found.get(one.pk, [])), len(found.get(one.pk, [])), one.pk in seen)
        for one in passes
    ]


def _score(training: Training, plan: GoldPlan) -> None:
    """Close a round that is complete: the person passes, or is below the mark."""
    if training.passed_at or _is_over(training):
        return
    passes = _of_round(training)
    if any(one.state in seats.OPEN for one in passes):
        return
    done = _compared(training, [one for one in passes if one.state == State.SUBMITTED])
    if len(done) < plan.training:
        return
    right, compared = sum(one.right for one in done), sum(one.compared for one in done)
    training.rounds[-1] |= {"right": right, "compared": compared}
    told: dict[str, Any] = {"right": right, "compared": compared, "round": len(training.rounds)}
    if compared and 100 * right >= plan.mark * compared:
        training.passed_at = timezone.now()
        record(training, None, "training.passed", told)
    else:
        record(training, None, "training.below", told)
    training.save(update_fields=["rounds", "passed_at"])


def unseen(slug: str, user: User) -> int | None:
    """The first training pass the person handed in of which they have not seen what is right; None where there is
    none. For who is no member, none."""
    mine = Annotation.objects.of_user(user).filter(rater__project__slug=slug, purpose=Purpose.TRAINING)
    saw = Event.objects.filter(annotation=OuterRef("pk"), verb=history.SAW)
    handed_in = mine.filter(~Exists(saw), state=State.SUBMITTED, trajectory__gold__isnull=False)
    return handed_in.order_by("pk").values_list("pk", flat=True).first()


def progress(annotation: Annotation) -> tuple[int, int] | None:
    """Which of how many items of a round the pass is; None for one that is no training."""
    if annotation.purpose != Purpose.TRAINING:
        return None
    training = Training.objects.filter(rater=annotation.rater_id).first()
    items = training.rounds[-1]["items"] if training else []
    place = dict(Gold.objects.filter(trajectory=annotation.trajectory_id).values_list("trajectory", "pk"))
    number = items.index(place[annotation.trajectory_id]) + 1 if place.get(annotation.trajectory_id) in items else 0
    wanted = gold.plan_of(annotation.rater.project).training
    return (number, max(wanted, number)) if number else None


def record(training: Training, by: User | None, verb: str, after: dict[str, Any]) -> None:
    project = training.rater.project_id
    Event.objects.create(project_id=project, actor=by, verb=verb, after=after | {"rater": training.rater_id})
