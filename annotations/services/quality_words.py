"""People's figures as a plot and as the table that is taken away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from annotations.models import Membership
from annotations.plots import Forest, forest
from annotations.services import gold_results, quality
from annotations.services.quality import Person, Share

SHARES = (
    ("others", "as the others’ majority"),
    ("reference", "as the reference"),
    ("adjudicated", "as adjudicated"),
    ("again", "as themselves on equal steps"),
)


def plot(people: Sequence[Person]) -> Forest | None:
    rows = [(one.rater.name, [vars(getattr(one, name)) for name, _ in SHARES]) for one in people]
    return forest("How often people say the same", [title for _, title in SHARES], rows)


def of(membership: Membership) -> Iterator[tuple[Any, ...]]:
    """The table of all that the member sees: a row for each figure of each person."""
    beside = {
        "on gold items": gold_results.figures(membership),
        "as themselves on items given again": gold_results.again(membership),
    }
    people = quality.figures(membership)
    yield from table(people)
    for title, found in beside.items():
        for person in people:
            if one := found.get(person.rater.pk):
                yield _row(person, title, one.all)
                kappa = one.kappa
                yield person.rater.name, f"{title}, κ", kappa.value, kappa.low, kappa.high, one.all.n


def table(people: Sequence[Person]) -> Iterator[tuple[Any, ...]]:
    """Of too few compared steps there is no value."""
    yield "person", "figure", "value", "low", "high", "steps"
    for one in people:
        for name, title in SHARES:
            yield _row(one, title, getattr(one, name))
        for number, share in enumerate(one.quarters, start=1):
            yield _row(one, f"as the others’ majority, quarter {number}", share)
        for name in ("steps", "propagated", "accepted"):
            yield one.rater.name, name, getattr(one, name), None, None, one.steps


def _row(person: Person, title: str, share: Share) -> tuple[Any, ...]:
    return person.rater.name, title, share.value, share.low, share.high, share.n
