"""Questions and flags as a member reads them: which they may know of, and where each stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Count, F, IntegerField, OuterRef, Prefetch, Subquery

from annotations import access
from annotations.models import Annotation, Membership, Message, Step, Thread, Trajectory, User
from annotations.models.talk import ThreadQuerySet

SHOWN = 8  # answers that are named; more are counted
_NEEDED = [
    *("project_id", "annotation_id", "kind", "closed_at", "created_at", "begun_by__username", "closed_by__username"),
    *("trajectory__external_id", "trajectory__task_id", "trajectory__rollout", "trajectory__superseded_at"),
    *("step__trajectory_id", "step__index", "step__content_hash", "step__ordinal"),
]


class Said(NamedTuple):
    """A message as one member reads it: whether it is their own, and whether nobody of their side has seen it yet."""

    message: Message
    own: bool
    new: bool


@dataclass(frozen=True)
class Talk:
    """A thread as one member reads it. `at` is the index of its step in the version that is shown, None where it is
    about the whole; `lost`: its step is not in that version. `number` counts the agent's steps from 1."""

    thread: Thread
    said: list[Said]
    at: int | None
    number: int | None = None
    lost: bool = False

    @property
    def new(self) -> int:
        """How many messages the member has not had before them."""
        return sum(one.new for one in self.said)

    @property
    def newest(self) -> int:
        return self.said[-1].message.pk


def visible_to(membership: Membership) -> ThreadQuerySet:
    """The project's threads that this member may know of: what they asked; those who see others' labels, all."""
    found: ThreadQuerySet = Thread.objects.filter(project=membership.project)
    if access.may(membership, access.SEE_OTHERS_LABELS):
        return found
    return found.filter(begun_by=membership.user).exclude(kind=Thread.Kind.NOTE)


def ready(found: ThreadQuerySet) -> ThreadQuerySet:
    """With state, people, places and messages: what it takes to show them. No bodies of steps."""
    number = Step.objects.of_agent().filter(trajectory=OuterRef("trajectory"), index__lte=OuterRef("step__index"))
    counted = number.order_by().values("trajectory").annotate(n=Count("pk")).values("n")
    related = found.with_state().select_related("begun_by", "closed_by", "trajectory", "step").only(*_NEEDED)
    messages = Prefetch("messages", Message.objects.select_related("author"))
    return related.annotate(number=Subquery(counted, output_field=IntegerField())).prefetch_related(messages)


def talk(thread: Thread, reader: User) -> Talk:
    """The thread, made ready, as that person reads it."""
    said = [_read(one, thread, reader) for one in thread.messages.all()]
    at = thread.step.index if thread.step else None
    return Talk(thread, said, at, getattr(thread, "number", None) if thread.step else None)


def _read(message: Message, thread: Thread, reader: User) -> Said:
    asked, asker = message.author_id == thread.begun_by_id, reader.pk == thread.begun_by_id
    return Said(message, message.author_id == reader.pk, message.seen_at is None and asked != asker)


def of_pass(annotation: Annotation) -> list[Talk]:
    """The person's own threads about the rollout of their pass, whichever version of it they arose in; of a first
    progressive pass only those about what it shows. Nobody else's: they could sway."""
    user = annotation.rater.user
    assert user is not None  # somebody's own pass
    trajectory = Trajectory.objects.only("task_id", "rollout").get(pk=annotation.trajectory_id)
    mine = Thread.objects.filter(begun_by=user, project=annotation.rater.project_id, kind__in=Thread.ASKED)
    found = [talk(one, user) for one in ready(_of_rollout(mine, trajectory)).order_by("pk")]
    shown = annotation.frontier
    return [one for one in _placed(found, trajectory) if shown is None or one.at is None or one.at <= shown]


def of_trajectory(membership: Membership, trajectory: Trajectory) -> Mapping[int | None, list[Talk]]:
    """The threads this member may know of, about any version of the rollout, by the index of the step in this one;
    None: about the whole, or about a step that is not in it."""
    found = ready(_of_rollout(visible_to(membership), trajectory)).order_by("pk")
    by_step: dict[int | None, list[Talk]] = {}
    for one in _placed([talk(thread, membership.user) for thread in found], trajectory):
        by_step.setdefault(one.at, []).append(one)
    return by_step


def _of_rollout(threads: ThreadQuerySet, trajectory: Trajectory) -> ThreadQuerySet:
    return threads.filter(trajectory__task=trajectory.task_id, trajectory__rollout=trajectory.rollout)


def _placed(found: Iterable[Talk], trajectory: Trajectory) -> Iterator[Talk]:
    """Each where its step stands in this version: a new version of a rollout leaves no thread behind."""
    found = list(found)
    old = [one.thread.step for one in found if one.thread.step and one.thread.trajectory_id != trajectory.pk]
    same = Step.objects.filter(trajectory=trajectory, content_hash__in=[step.content_hash for step in old])
    places = {(digest, ordinal): at for digest, ordinal, at in same.values_list("content_hash", "ordinal", "index")}
    for one in found:
        step = one.thread.step
        if step is None or one.thread.trajectory_id == trajectory.pk:
            yield one
        else:
            at = places.get((step.content_hash, step.ordinal))
            yield Talk(one.thread, one.said, at, one.number, lost=at is None)


class Answer(NamedTuple):
    """A thread of one's own in which somebody answered: where to read it. `annotation` is the person's pass over the
    rollout now, None where they have none; `at` the step there."""

    talk: Talk
    annotation: int | None
    at: int | None


class News(NamedTuple):
    """What of threads wants this member: how many wait for a lead's answer (0 for others), and what answers came to
    their own, the first SHOWN of `answered`."""

    waiting: int
    answered: int
    answers: list[Answer]


def news(membership: Membership) -> News:
    leads = access.may(membership, access.SEE_OTHERS_LABELS)
    unread = Message.objects.filter(seen_at__isnull=True).exclude(author=membership.user)
    mine = visible_to(membership).filter(begun_by=membership.user)
    mine = mine.filter(pk__in=unread.filter(thread__begun_by=membership.user).values("thread"))
    waiting = visible_to(membership).waiting().count() if leads else 0
    answered = mine.count()
    return News(waiting, answered, _answers(mine, membership.user) if answered else [])


def _answers(mine: ThreadQuerySet, user: User) -> list[Answer]:
    same = {"trajectory__task": OuterRef("trajectory__task"), "trajectory__rollout": OuterRef("trajectory__rollout")}
    passes = Annotation.objects.live().filter(rater__user=user, rater__project=OuterRef("project"), **same)
    there = Step.objects.filter(trajectory__annotations=OuterRef("open_in"))
    equal = there.filter(content_hash=OuterRef("step__content_hash"), ordinal=OuterRef("step__ordinal"))
    found = ready(mine).annotate(open_in=Subquery(passes.values("pk")[:1]))
    placed = found.annotate(open_at=Subquery(equal.values("index")[:1])).order_by(F("last").desc())
    return [Answer(talk(one, user), one.open_in, one.open_at) for one in placed[:SHOWN]]
