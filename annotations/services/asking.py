"""Questions and flags, from the first word to closing: between the person who began one and those who lead.

A thread is open while nobody has answered since the person who began it spoke last, answered then, and closed where
somebody closed it; saying something more opens it again. Each message carries a key of its sender's, so that a request
sent twice says it once. Who may take part is whoever can find the thread (threads.visible_to).
"""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from annotations.models import Adjudication, Annotation, Event, Message, Step, Thread, User
from annotations.services import changes
from annotations.services.outcomes import NotAccepted

LONGEST = 10_000  # characters of a message


def begin(
    annotation_id: int, user: User, *, kind: str, step: int | None, text: str, key: UUID, slug: str = ""
) -> Message:
    """Ask or flag, at a step of one's own pass (None: at the whole item), whatever state the pass is in. Returns the
    first message of the new thread.

    Http404 for a pass that is not theirs, NotAccepted for a step that the pass does not have or does not show yet.
    """
    if kind not in Thread.ASKED:
        raise NotAccepted(f"A thread is no {kind!r}.", "kind", Thread.ASKED)
    words = cleaned(text)
    annotation = changes.own(annotation_id, user, slug)
    return _begun(annotation, annotation.rater.project_id, user, kind, step, words, key)


def comment(adjudication: Adjudication, by: User, *, step: int | None, text: str, key: UUID) -> Message:
    """Say something, to those who adjudicate, about a step (None: about the whole) of what is being decided or is
    settled. NotAccepted for a step that is not there."""
    words, project = cleaned(text), adjudication.project_id
    return _begun(adjudication.annotation, project, by, Thread.Kind.NOTE, step, words, key)


def _begun(
    annotation: Annotation, project: int, by: User, kind: str, step: int | None, words: str, key: UUID
) -> Message:
    place = None if step is None else _step(annotation, step)
    trajectory = annotation.trajectory_id
    try:
        with transaction.atomic():
            made = Thread.objects.create(
                project_id=project, trajectory_id=trajectory, step=place, annotation=annotation, kind=kind, begun_by=by
            )
            return Message.objects.create(thread=made, author=by, text=words, key=key)
    except IntegrityError:
        return _said_before(key, Q(author=by, thread__trajectory=trajectory, thread__step=place))


def _step(annotation: Annotation, index: int) -> Step:
    """The step of that index, as far as the pass shows it."""
    steps = Step.objects.of_agent().filter(trajectory=annotation.trajectory_id)
    if annotation.frontier is not None:
        steps = steps.filter(index__lte=annotation.frontier)
    found = steps.filter(index=index).only("index").first()
    if found is None:
        accepted = ["the index of a step of the agent's", "null for the whole item"]
        raise NotAccepted(f"There is no agent step {index}.", "step", accepted)
    return found


@transaction.atomic
def reply(thread: Thread, by: User, text: str, key: UUID) -> Message:
    """Say something more; a closed thread is open again."""
    words = cleaned(text)
    locked = _locked(thread)
    try:
        with transaction.atomic():
            said = Message.objects.create(thread=locked, author=by, text=words, key=key)
    except IntegrityError:
        return _said_before(key, Q(author=by, thread=locked))
    if locked.closed_at:
        locked.closed_at = locked.closed_by = None
        locked.save(update_fields=["closed_at", "closed_by"])
        _log(locked, by, "thread.reopened")
    return said


@transaction.atomic
def close(thread: Thread, by: User) -> None:
    """There is nothing more to say. Closing twice is closing once."""
    locked = _locked(thread)
    if locked.closed_at:
        return
    locked.closed_at, locked.closed_by = timezone.now(), by
    locked.save(update_fields=["closed_at", "closed_by"])
    _log(locked, by, "thread.closed")


def seen(thread: Thread, by: User, upto: int) -> int:
    """Note that this person has the other side's messages, up to that one, before them. Returns of how many it is the
    first time."""
    unseen = thread.messages.filter(seen_at__isnull=True, pk__lte=upto)
    asked = Q(author=thread.begun_by_id)
    others = unseen.exclude(asked) if by.pk == thread.begun_by_id else unseen.filter(asked)
    return others.update(seen_at=timezone.now())


def _locked(thread: Thread) -> Thread:
    return Thread.objects.select_for_update(no_key=True).get(pk=thread.pk)


def _said_before(key: UUID, same: Q) -> Message:
    """The message of that key, where it is what its sender means. Raises NotAccepted where the key is another's."""
    found = Message.objects.select_related("thread").filter(same, key=key).first()
    if found is None:
        raise NotAccepted("Another message has this key.", "key", ["a new UUID for each message"])
    return found


def cleaned(text: str) -> str:
    """The text as it is kept. Raises NotAccepted for what cannot be."""
    words = text.replace("\r\n", "\n").strip()
    if not 0 < len(words) <= LONGEST:
        found = f"These are {len(words):,} characters." if words else "Nothing is written."
        raise NotAccepted(found, "text", [f"1 to {LONGEST:,} characters"])
    if "\x00" in words or any("\ud800" <= letter <= "\udfff" for letter in words):
        raise NotAccepted("The text holds a character that cannot be stored.", "text", ["a text"])
    return words


def _log(thread: Thread, by: User, verb: str) -> None:
    Event.objects.create(project_id=thread.project_id, actor=by, verb=verb, after={"thread": thread.pk})
