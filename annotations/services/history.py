"""What happened to an annotation, as events; undo and redo are read from them, so they survive any reload."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from annotations.models import Annotation, Event, User
from annotations.records import Json
from annotations.schemes.rules import Place
from annotations.services import quick
from annotations.services.board import PROPAGATED, Board, Scope, entries, from_entries
from annotations.services.outcomes import Outcome

CHANGE, ACCEPT, UNDO, REDO, KEPT = "change", "accept", "undo", "redo", "kept"
LEASE, SUBMIT, SKIP, REOPEN, RETURN, REVEAL = "lease", "submit", "skip", "reopen", "return", "reveal"
SAW = "saw_others"
CARRIED = "carried"  # what the person had said of the task came along
GUIDELINE = "guideline"  # another version of the guidelines was taken up
RELEASE, ASSIGN = "release", "assign"  # a lead took the seat away, or gave one
FREE = "free"  # the seat went with its person's role
SEATING = (LEASE, RELEASE, ASSIGN, SUBMIT, RETURN, REOPEN)
LABELLING = (CHANGE, ACCEPT, UNDO, REDO)


@dataclass(frozen=True)
class Stacks:
    """Ids of the events that undo and redo would take back, the next one last."""

    done: Sequence[int]
    undone: Sequence[int]


def record(
    annotation: Annotation,
    verb: str,
    by: User | None,
    *,
    before: Json = None,
    after: Json = None,
    change: UUID | None = None,
    undoes: Event | None = None,
) -> None:
    """Append to the log. The database refuses a second event of one change (one_event_per_change)."""
    event = Event(
        project_id=annotation.rater.project_id,
        actor=by,
        verb=verb,
        annotation=annotation,
        revision=annotation.revision,
        change=change,
        undoes=undoes,
        before=before,
        after=after,
    )
    # A change that altered nothing may arrive twice at once; no lock tells its copies apart by revision.
    quick.insert([(event, {})], unless_there=verb == KEPT)


def since(annotation: Annotation, revision: int, change: UUID) -> list[Event]:
    """The changes to labels after that revision, and whatever carries that change's own id; oldest first."""
    newer = Q(revision__gt=revision, verb__in=LABELLING)
    return list(annotation.events.filter(newer | Q(change=change)).select_related("actor").order_by("pk"))


def touched(events: Sequence[Event]) -> set[Place]:
    """Places whose label the events changed."""
    return {place for event in events if event.verb in LABELLING for place in from_entries(event.after)}


def said_in(event: Event) -> set[Place]:
    """Places that the person answered or cleared in the event; what a rule did there is no one's word."""
    if event.verb not in LABELLING:
        return set()
    before, after = from_entries(event.before), from_entries(event.after)
    decisive = {place: one or before[place] for place, one in after.items()}
    return {place for place, one in decisive.items() if one and one.origin != PROPAGATED}


def stacks(annotation: Annotation) -> Stacks:
    """What can be undone and redone now. A new change forgets what was undone."""
    done: list[int] = []
    undone: list[int] = []
    for pk, verb in annotation.events.filter(verb__in=LABELLING).order_by("pk").values_list("pk", "verb"):
        if verb in (CHANGE, ACCEPT):
            done.append(pk)
            undone.clear()
        elif verb == UNDO:
            done.pop()
            undone.append(pk)
        else:
            undone.pop()
            done.append(pk)
    return Stacks(done, undone)


def current(annotation: Annotation, places: Collection[Place] | None = None) -> Outcome:
    """What these places (None: all that have a label) say now, and what can be undone and redone."""
    board = Board.load(annotation, Scope.LABELLED) if places is None else Board.around(annotation, places)
    found, shown = stacks(annotation), board.labels if places is None else places
    return outcome(annotation, board, shown, undo=bool(found.done), redo=bool(found.undone))


def outcome(annotation: Annotation, board: Board, places: Iterable[Place], *, undo: bool, redo: bool) -> Outcome:
    return Outcome(
        revision=annotation.revision,
        state=annotation.state,
        labels=entries(places, board.labels),
        undo=undo,
        redo=redo,
        lease_until=annotation.lease_until,
        frontier=annotation.frontier,
    )


def state(annotation: Annotation) -> dict[str, Json]:
    """Where the annotation stands, as the label page reads it."""
    return current(annotation).as_json()
