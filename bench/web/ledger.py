"""What annotators said against what the database holds: nothing lost, nothing doubled, no revision left out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bench.web.annotator import Annotator, Said

Place = tuple[int, int | None, str]  # annotation, step, field
Values = dict[Place, list[Any]]


@dataclass(frozen=True)
class Ledger:
    """Numbers of changes. `cut_off`: stored, though the first answer never arrived; they were sent again."""

    said: int
    sent_again: int
    cut_off: int
    lost: int
    doubled: int
    gaps: int


def audit(annotators: Iterable[Annotator]) -> Ledger:
    """Everything that was confirmed is there once, as an event and as a label, in the order in which it was said; the
    newest label of each place is what was said last; the revisions of every pass are 1, 2, 3 and so on."""
    said = [one for annotator in annotators for one in annotator.said]
    passes = {one.annotation for one in said}
    told: Values = defaultdict(list)
    for one in said:
        told[one.annotation, one.step, one.field].append(one.value)
    stored, current = _labels(passes)
    events = _events(said)
    return Ledger(
        said=len(said),
        sent_again=sum(one.tries > 1 for one in said),
        cut_off=sum(one.tries > 1 and one.change in events and min(events[one.change]) < one.sent for one in said),
        lost=_more(told, stored) + sum(one.change not in events for one in said) + _other(told, current),
        doubled=_more(stored, told) + sum(len(times) - 1 for times in events.values()),
        gaps=_gaps(passes),
    )


def _labels(passes: set[int]) -> tuple[Values, dict[Place, Any]]:
    """Every label that was ever stored, in order; and those that hold now."""
    from annotations.models import Label

    stored: Values = defaultdict(list)
    current: dict[Place, Any] = {}
    rows = Label.objects.filter(annotation__in=passes).order_by("revision", "pk")
    for annotation, step, field, value, over in rows.values_list(
        "annotation", "step__index", "field", "value", "superseded_at"
    ):
        stored[annotation, step, field].append(value)
        if over is None:
            current[annotation, step, field] = value
    return stored, current


def _events(said: list[Said]) -> dict[str, list[float]]:
    """Change → when events of it were written."""
    from annotations.models import Event

    found: dict[str, list[float]] = defaultdict(list)
    rows = Event.objects.filter(change__in=[one.change for one in said]).values_list("change", "at")
    for change, at in rows:
        found[str(change)].append(at.timestamp())
    return found


def _more(some: Values, others: Values) -> int:
    """How many values of the first are not among the second."""
    return sum((Counter(values) - Counter(others.get(place, []))).total() for place, values in some.items())


def _other(told: Values, current: dict[Place, Any]) -> int:
    """Places where the label that holds is not what was said last."""
    return sum(current.get(place) != values[-1] for place, values in told.items())


def _gaps(passes: set[int]) -> int:
    """Revisions that no event brought, or more than one did."""
    from annotations.models import Annotation, Event
    from annotations.services.history import CHANGE, SUBMIT

    brought: dict[int, list[int]] = defaultdict(list)
    changes = Event.objects.filter(annotation__in=passes, verb__in=(CHANGE, SUBMIT))
    for annotation, revision in changes.values_list("annotation", "revision"):
        brought[annotation].append(revision or 0)
    last = Annotation.objects.filter(pk__in=passes).values_list("pk", "revision")
    wanted = {annotation: Counter(range(1, revision + 1)) for annotation, revision in last}
    return sum(_apart(Counter(brought[annotation]), wanted[annotation]) for annotation in passes)


def _apart(one: Counter[int], other: Counter[int]) -> int:
    return ((one - other) + (other - one)).total()
