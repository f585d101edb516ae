"""A person's answers, from the first key to submitting: each is stored as it is given, with what the rule makes of it.

Every door takes the id of the annotation and its owner, and raises Http404 for anybody else (changes.own). Each change
carries an id of the caller's, so that a request sent twice is one change; `revision` is what the caller last saw.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone

from annotations import access
from annotations.models import Annotation, Event, Label, Membership, Project, User
from annotations.records import Json
from annotations.schemes.fields.base import NOTHING
from annotations.schemes.rules import Place
from annotations.services import around, changes, completeness, history, queue, seats, spread, suggestions, teaching
from annotations.services.board import PROPAGATED, Board, Said, from_entries
from annotations.services.changes import Wish
from annotations.services.outcomes import Closed, Conflict, Item, Missing, NotAccepted, NotRevealed, Outcome, SawOthers

State = Annotation.State
ACCEPTED = Label.Origin.ACCEPTED
MOST_WARNINGS = 10_000  # that one pass can have waved away


def change(
    annotation_id: int,
    user: User,
    items: Sequence[Item],
    *,
    change: UUID,
    revision: int,
    force: bool = False,
    time_ms: int = 0,
    slug: str = "",
) -> Outcome:
    """Store the items as one unit of undo. Raises NotAccepted, Conflict (not when forced) or Closed, and then nothing
    is stored. What another tab changed elsewhere merges; the lease is renewed; one that ran out loses nothing."""

    def decide(annotation: Annotation, newer: Sequence[Event]) -> tuple[Board, Wish]:
        board = Board.around(annotation, {(item["step"], item["field"]) for item in items})
        edits = _edits(board, items)
        if not force:
            _refuse_conflicts(board, edits, newer)
        wanted = {place: one for place, one in (board.labels | edits).items() if one is not None}
        return board, Wish(board.settled(wanted))

    return changes.make(
        history.CHANGE, annotation_id, user, decide, change=change, revision=revision, time_ms=time_ms, slug=slug
    )


def accept(annotation_id: int, user: User, *, change: UUID, revision: int, time_ms: int = 0, slug: str = "") -> Outcome:
    """Store every label that is suggested now, each with the label that implies it as its cause."""

    def decide(annotation: Annotation, newer: Sequence[Event]) -> tuple[Board, Wish]:
        board = Board.load(annotation)
        return board, Wish(board.settled(board.labels, accept=True))

    return changes.make(
        history.ACCEPT, annotation_id, user, decide, change=change, revision=revision, time_ms=time_ms, slug=slug
    )


def undo(annotation_id: int, user: User, *, change: UUID, revision: int, time_ms: int = 0, slug: str = "") -> Outcome:
    """Take the last change back: values, origins and causes as they were. Nothing where there is none."""

    def decide(annotation: Annotation, newer: Sequence[Event]) -> tuple[Board, Wish]:
        stacks = history.stacks(annotation)
        return _restore(annotation, stacks.done, undo=len(stacks.done) > 1, redo=True)

    return changes.make(
        history.UNDO, annotation_id, user, decide, change=change, revision=revision, time_ms=time_ms, slug=slug
    )


def redo(annotation_id: int, user: User, *, change: UUID, revision: int, time_ms: int = 0, slug: str = "") -> Outcome:
    """Make again what was undone last, where nothing new was said since."""

    def decide(annotation: Annotation, newer: Sequence[Event]) -> tuple[Board, Wish]:
        stacks = history.stacks(annotation)
        return _restore(annotation, stacks.undone, undo=True, redo=len(stacks.undone) > 1)

    return changes.make(
        history.REDO, annotation_id, user, decide, change=change, revision=revision, time_ms=time_ms, slug=slug
    )


def state(annotation_id: int, user: User, *, slug: str = "") -> Outcome:
    """Everything a page needs to show where the annotation stands; `labels` are all current ones."""
    return history.current(changes.own(annotation_id, user, slug))


@transaction.atomic
def submit(
    annotation_id: int, user: User, *, change: UUID, revision: int, accept_ghosts: bool = False, slug: str = ""
) -> Outcome:
    """Hand the annotation in and keep its seat for good. Raises Missing, NoSeat or Closed, and then nothing changes.

    A seat that was lost is taken again where one is free. Handing in twice is handing in once.
    """
    project = seats.lock_for(annotation_id, user)
    annotation = changes.own(annotation_id, user, slug, lock=True, change=change)
    if annotation.seen or annotation.state == State.SUBMITTED:  # type: ignore[attr-defined]
        return history.current(annotation)
    changes.must_be_open(annotation)
    if annotation.mode == Project.Mode.PROGRESSIVE and annotation.revealed_at is None:
        raise NotRevealed
    board = Board.load(annotation)
    wanted = board.settled(board.labels, accept=accept_ghosts)
    wanted = completeness.set_aside(board, wanted)
    if missing := completeness.missing(board, wanted):
        raise Missing(missing, ghosts=len(board.ghosts()))
    seats.take_seat(annotation, project)
    if wanted != board.labels:
        changes.store(board, wanted, history.ACCEPT, user)
    annotation.lease_until = None
    transaction.on_commit(lambda: teaching.noticed(project), robust=True)
    return changes.move(annotation, State.SUBMITTED, history.SUBMIT, user, change=change, comment="")


@transaction.atomic
def skip(annotation_id: int, user: User, reason: str, *, slug: str = "") -> Outcome:
    """Leave the trajectory to others, with a reason. The labels stay; reopening goes on from them."""
    if not reason.strip():
        raise NotAccepted("Say why you skip it.", "reason", ["a text that is not empty"])
    project = seats.lock_for(annotation_id, user)
    annotation = changes.own(annotation_id, user, slug, lock=True)
    if annotation.state == State.SKIPPED:
        return history.current(annotation)
    changes.must_be_open(annotation)
    annotation.seat = annotation.lease_until = None
    seats.came_free(project, annotation.trajectory_id)
    return changes.move(annotation, State.SKIPPED, history.SKIP, user, comment=reason.strip())


@transaction.atomic
def reopen(annotation_id: int, user: User, *, slug: str = "") -> Outcome:
    """Go on with what was submitted or skipped, as a draft with a new lease. Raises NoSeat, SawOthers."""
    project = seats.lock_for(annotation_id, user)
    annotation = changes.own(annotation_id, user, slug, lock=True)
    if annotation.state in seats.OPEN:
        return history.current(annotation)
    if annotation.state not in (State.SUBMITTED, State.SKIPPED):
        raise Closed(annotation.state)
    if spread.has_looked(annotation):
        raise SawOthers
    seats.take_seat(annotation, project)
    annotation.lease_until = seats.longer_lease(annotation)
    return changes.move(annotation, State.DRAFT, history.REOPEN, user, comment="")


@transaction.atomic
def lease(annotation_id: int, user: User, *, slug: str = "") -> Outcome:
    """Hold the seat for another lease, or take one again where one is free; without one, labels are still stored."""
    annotation = changes.own(annotation_id, user, slug)
    if not seats.renew(annotation) and annotation.state in seats.OPEN:
        seats.regain(annotation, seats.lock_for(annotation_id, user))
    return history.current(annotation, ())


def ahead(annotation_id: int, user: User, *, slug: str = "") -> Annotation | None:
    """What comes after this pass for the person, leased already; None where nothing does."""
    return queue.lease_ahead(changes.own(annotation_id, user, slug), user)


@transaction.atomic
def dismiss(annotation_id: int, user: User, warning: str, dismissed: bool, *, slug: str = "") -> list[str]:
    """Wave a warning away, or have it back. Returns those that are waved away now."""
    annotation = changes.own(annotation_id, user, slug, lock=True)
    waved = [one for one in annotation.dismissed if one != warning]
    annotation.dismissed = [*waved, warning] if dismissed and len(waved) < MOST_WARNINGS else waved
    annotation.save(update_fields=["dismissed"])
    return list(annotation.dismissed)


@transaction.atomic
def give_back(annotation: Annotation, by: User, reason: str) -> Annotation:
    """Return a submitted annotation to the person who made it, with a reason. Its seat is theirs for a day.

    PermissionDenied unless `by` manages the project.
    """
    found = Annotation.objects.live().select_related("rater__project").select_for_update(of=("self",), no_key=True)
    locked = found.get(pk=annotation.pk)
    lead = get_object_or_404(Membership, project=locked.rater.project, user=by)
    seats.check_role(lead.role, access.MANAGE)
    if locked.state != State.SUBMITTED or locked.rater.user_id is None:
        raise Closed(locked.state)
    locked.lease_until = timezone.now() + seats.RETURNED_FOR
    changes.move(locked, State.RETURNED, history.RETURN, by, comment=reason.strip())
    return locked


def _edits(board: Board, items: Sequence[Item]) -> dict[Place, Said | None]:
    """The items as answers; a later one for the same place wins. Saying again what one has said is no change."""
    edits: dict[Place, Said | None] = {}
    for item in items:
        place = (item["step"], item["field"])
        _check(board, item)
        edits[place] = _said(board, item, edits.get(place, board.labels.get(place)))
    return edits


def _said(board: Board, item: Item, held: Said | None) -> Said | None:
    """The item as an answer. What explains the old one goes on explaining, and to take up the suggestion that is there
    already, or say again what one has said, changes nothing."""
    if item["value"] is None:
        return None
    why = item.get("explanation", held.explanation if held else "").strip()
    said = Said(item["value"], explanation=why)
    if (accepted := item.get("accepted")) and item["step"] is not None:
        if held and held.origin != PROPAGATED and held.value == said.value:
            return replace(held, explanation=why)
        taken = suggestions.taken(board.annotation, item["step"], said.value, **accepted)
        return replace(said, origin=ACCEPTED, suggestion=taken) if taken else said
    return said


def _check(board: Board, item: Item) -> None:
    """Raises NotAccepted where the scheme has no such place or refuses the value, or what it says of it."""
    step, name, value, why = item["step"], item["field"], item["value"], item.get("explanation", "")
    target = "trajectory" if step is None else "step"
    names = [spec.name for spec in board.scheme.fields if spec.of_step == (step is not None)]
    spec = board.scheme.field(name)
    if spec is None or spec.of_step != (step is not None):
        raise NotAccepted(f"A {target} has no field {name!r}.", "field", names)
    if step is not None and step not in board.steps:
        raise NotAccepted(f"There is no agent step {step}.", "step", board.agent_steps())
    if ("@" in name) != around.has_parts(spec) or not around.is_part(board.annotation, spec, step, name):
        raise NotAccepted(f"{spec.title} is asked of {around.asked_of(spec)}.", "field", [spec.name])
    if reason := board.sealed(spec.name):
        raise NotAccepted(f"{spec.title}: {reason}", "field", [])
    here = around.of(board.annotation, spec, step, name) if value is not None else NOTHING
    if value is not None and (reason := spec.refusal(value, here) or _unstorable(value)):
        raise NotAccepted(reason, "value", spec.accepted(here))
    if why and (value is None or spec.kind == "text"):
        raise NotAccepted("Only an answer that is given can be explained.", "explanation", [""])
    if reason := _unstorable(why):
        raise NotAccepted(reason, "explanation", ["a text"])


def _unstorable(value: Json) -> str:
    """PostgreSQL's JSON takes neither the NUL character nor half of a surrogate pair."""
    text = str(value)
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        return "The text holds a character that cannot be stored."
    return ""


def _refuse_conflicts(board: Board, edits: dict[Place, Said | None], newer: Iterable[Event]) -> None:
    """Raises Conflict where the person answered one of these places otherwise, elsewhere, since the caller looked."""
    by_place = {place: event for event in newer for place in history.said_in(event)}
    clashes = []
    for place, one in edits.items():
        theirs = board.labels.get(place)
        if (event := by_place.get(place)) and (one and one.value) != (theirs and theirs.value):
            clash = {"step": place[0], "field": place[1], "yours": one and one.value, "theirs": theirs and theirs.value}
            clashes.append(clash | {"by": event.actor and event.actor.username, "at": event.at.isoformat()})
    if clashes:
        raise Conflict(clashes, board.annotation.revision)


def _restore(annotation: Annotation, stack: Sequence[int], *, undo: bool, redo: bool) -> tuple[Board, Wish]:
    """The labels before the event on top of the stack; the labels as they are where the stack is empty."""
    if not stack:
        return Board.around(annotation, ()), Wish({})
    event = Event.objects.get(pk=stack[-1])
    before = from_entries(event.before)
    board = Board.around(annotation, before, fills=any(one and one.origin == PROPAGATED for one in before.values()))
    wanted = board.labels | before
    restored = {place: one for place, one in wanted.items() if one is not None}
    return board, Wish(board.settled(restored), event, undo, redo)
