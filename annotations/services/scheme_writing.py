"""Passes into the tables under another scheme: successors with the labels that go along, or those of before again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from annotations.formats.lines import dump
from annotations.models import (
    Adjudication,
    Annotation,
    Event,
    Gold,
    JudgeVerdict,
    Label,
    Look,
    Project,
    SchemeVersion,
    User,
)
from annotations.schemes.maps import Converted
from annotations.schemes.rules import Place
from annotations.services import copying, progressive, scheme_lost, seats
from annotations.services.scheme_history import CARRIED, RESTORED
from annotations.services.scheme_plan import Outcome

RETURNED = "The label scheme was changed and asks for something that has no answer here yet; please look again."
LABEL = (
    "id annotation_id step_id field value origin cause_id explanation guideline_id time_ms suggestion revision"
    " created_at superseded_at"
)
LOOK = ("page", "visible_ms", "visits", "unfolds")
Row = tuple[Any, ...]


def write(project: Project, to: SchemeVersion, outcomes: Sequence[Outcome], change: UUID, by: User | None) -> None:
    """Make of each pass what its outcome says. Needs a transaction that holds the passes."""
    now = timezone.now()
    live = [one.of.annotation.pk for one in outcomes]
    Annotation.objects.filter(pk__in=live).update(retired_at=now, seat=None, lease_until=None)
    events = [_restored(one) for one in outcomes if one.earlier]
    carried = [one for one in outcomes if not one.earlier]
    made = [_successor(one, to, now) for one in carried]
    Annotation.objects.bulk_create(made)
    rows = [row for one, new in zip(carried, made, strict=True) for row in _labels(one, new)]
    copying.insert(Label, LABEL, rows)
    _copy_looks({one.of.annotation.pk: new for one, new in zip(carried, made, strict=True)})
    for new in made:
        if new.frontier is not None:
            _move_on(new)
    _follow({one.of.annotation.pk: new for one, new in zip(carried, made, strict=True)})
    _follow({one.of.annotation.pk: one.earlier for one in outcomes if one.earlier})
    events += [_carried(one, new) for one, new in zip(carried, made, strict=True)]
    for event in events:
        event.project, event.actor, event.change = project, by, change
    Event.objects.bulk_create(events)


def _successor(one: Outcome, to: SchemeVersion, now: datetime) -> Annotation:
    """The pass's row again, under the new version. Its seat and lease go along."""
    old = one.of.annotation
    fields: dict[str, Any] = {
        name.attname: getattr(old, name.attname) for name in Annotation._meta.concrete_fields if not name.primary_key
    }
    made = Annotation(**fields | {"scheme_id": to.pk})
    if one.returned:
        made.state, made.comment, made.submitted_at = Annotation.State.RETURNED, RETURNED, None
        made.lease_until = None if made.seat is None else now + seats.RETURNED_FOR
    return made


def _labels(one: Outcome, new: Annotation) -> Iterator[Row]:
    """The labels that go along; of a revealed progressive pass also those that it had first."""
    ids = iter(copying.reserve(Label, len(one.made.answers) + len(one.first.answers)))
    again = {one.of.labels[source].pk: next(ids) for source in dict.fromkeys(one.made.came.values())}
    yield from _rows(one, new, one.made, one.of.labels, again, ids)
    taken_back = {place: source for place, source in one.first.came.items() if source in one.of.first}
    first = Converted({place: one.first.answers[place] for place in taken_back}, (), taken_back)
    yield from _rows(one, new, first, one.of.first, {}, ids)


def _rows(
    one: Outcome,
    new: Annotation,
    made: Converted,
    labels: Mapping[Place, Label],
    again: dict[int, int],
    ids: Iterator[int],
) -> Iterator[Row]:
    used: set[int] = set()
    for place, value in made.answers.items():
        old = labels[made.came[place]]
        pk = again[old.pk] if old.pk in again and old.pk not in used else next(ids)
        used.add(old.pk)
        step = None if place[0] is None else one.of.steps[place[0]]
        said = (new.pk, step, place[1], dump(value), old.origin, again.get(old.cause_id or 0), old.explanation)
        about = (old.guideline_id, old.time_ms, None if old.suggestion is None else dump(old.suggestion))
        yield (pk, *said, *about, old.revision, old.created_at, old.superseded_at)


def _copy_looks(successors: Mapping[int, Annotation]) -> None:
    """How long the steps were looked at, so that labels that go along do not seem unread."""
    rows = Look.objects.filter(annotation__in=successors).values("annotation_id", "step_id", *LOOK)
    made = [Look(**row | {"annotation_id": successors[row["annotation_id"]].pk}) for row in rows]
    Look.objects.bulk_create(made)


def _follow(successors: Mapping[int, Annotation]) -> None:
    """How a pass came to be goes with the pass that stands for it now: what was adjudicated, a judge's verdict; and
    that it is held to be right."""
    for held in list(Gold.objects.filter(reference__in=successors)):
        Gold.objects.filter(pk=held.pk).update(reference=successors[held.reference_id])
    followers: tuple[Any, ...] = (Adjudication, JudgeVerdict)
    for model in followers:
        rows = list(model.objects.filter(annotation__in=successors).only("annotation"))
        for row in rows:
            row.annotation = successors[row.annotation_id]
        model.objects.bulk_update(rows, ["annotation"])


def _move_on(new: Annotation) -> None:
    """A first progressive pass hides nothing that it has shown; where its fields are others, it begins at the first
    step that they leave open behind that."""
    at = progressive.restart(new)
    if at is not None and new.frontier is not None and at > new.frontier:
        Annotation.objects.filter(pk=new.pk).update(frontier=at)


def _carried(one: Outcome, new: Annotation) -> Event:
    old = one.of.annotation
    return Event(
        verb=CARRIED,
        annotation=new,
        revision=new.revision,
        before={
            "annotation": old.pk,
            "scheme": old.scheme_id,
            "state": old.state,
            "labels": len(one.of.labels),
        },
        after={
            "annotation": new.pk,
            "scheme": new.scheme_id,
            "state": new.state,
            "labels": len(one.made.answers),
            "lost": scheme_lost.told(one.made.lost),
        },
    )


def _restored(one: Outcome) -> Event:
    """The pass of before is live again, with the seat of the one that stood for it and the time that went into it."""
    live, again = one.of.annotation, one.earlier
    assert again
    Annotation.objects.filter(pk=again.pk).update(
        retired_at=None,
        seat=live.seat,
        lease_until=live.lease_until if again.state in seats.OPEN else None,
        time_spent_ms=live.time_spent_ms,
        dismissed=live.dismissed,
        frontier=live.frontier,
    )
    looks = live.looks.values("step_id", *LOOK)
    Look.objects.bulk_create(
        [Look(annotation=again, **row) for row in looks],
        update_conflicts=True,
        unique_fields=["annotation", "step", "page"],
        update_fields=["visible_ms", "visits", "unfolds"],
    )
    return Event(
        verb=RESTORED,
        annotation=again,
        revision=again.revision,
        before={"annotation": live.pk, "scheme": live.scheme_id, "state": live.state},
        after={"annotation": again.pk, "scheme": again.scheme_id, "state": again.state, "lost": []},
    )
