"""How people do on gold items, and as themselves on items given again: how often they give the answer that is known, or
that they gave before, beyond chance, by answer, and over time.

Counted are passes that were given as gold or again and are handed in, against what the item's reference, or the
person's own first pass, says now.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, NamedTuple

from django.db.models import F, OuterRef, Subquery

from annotations.formats.lines import dump
from annotations.models import Annotation, Membership, Project
from annotations.models.labels import AnnotationQuerySet
from annotations.records import Json
from annotations.services import gold, gold_compared, pace
from annotations.services.gold_compared import Compared
from annotations.services.projects import scheme_of
from annotations.services.quality import Share, share

State = Annotation.State
QUARTERS = 4
Z = 1.96
Pair = tuple[str, str]  # what was said and what is right, as JSON


class Kappa(NamedTuple):
    """Cohen’s κ against the reference; null with its reason. The interval is 95 %, leaving out one task at a time."""

    value: float | None
    low: float | None = None
    high: float | None = None
    why: str = ""


class Answer(NamedTuple):
    """Where the reference says `value`: how often, and how often the person says it too."""

    value: Json
    right: int
    n: int


@dataclass
class Person:
    """One person’s figures. `all` counts the main field and the verdict, the others the main field alone."""

    rater: int
    name: str
    items: int = 0
    all: Share = Share()
    kappa: Kappa = Kappa(None, why="nothing compared")
    answers: Sequence[Answer] = field(default_factory=list)
    quarters: Sequence[Share] = field(default_factory=list)


class _Handed(NamedTuple):
    task: int
    compared: list[Compared]


def figures(membership: Membership) -> dict[int, Person]:
    """By rater: everybody’s for who leads, one’s own for the rest up to the horizon, where the project tells them.
    Who had no gold item is not in it."""
    return _people(membership, _golden()) if gold.told(membership) else {}


def again(membership: Membership) -> dict[int, Person]:
    """The same of items given again: “right” is as in the first pass. Who had none is not in it."""
    return _people(membership, _repeated())


def _people(membership: Membership, passes: AnnotationQuerySet) -> dict[int, Person]:
    until = gold.horizon(membership)
    people = dict(pace.people(membership).values_list("pk", "name"))
    passes = passes.filter(rater__in=people)
    handed = _handed(membership.project, passes.filter(submitted_at__lt=until) if until else passes)
    return {pk: _person(membership.project, pk, people[pk], found) for pk, found in handed.items()}


def _submitted(purpose: str) -> AnnotationQuerySet:
    return Annotation.objects.live().filter(purpose=purpose, state=State.SUBMITTED, trajectory__superseded_at=None)


def _golden() -> AnnotationQuerySet:
    """Gold items that were handed in, each with the pass that is right."""
    stands = {"trajectory__gold__reference__state": State.SUBMITTED, "trajectory__gold__reference__retired_at": None}
    return _submitted(Annotation.Purpose.GOLD).filter(**stands).annotate(right=F("trajectory__gold__reference"))


def _repeated() -> AnnotationQuerySet:
    """Items given again that were handed in, each with the person's first pass where that is still handed in."""
    first = Annotation.objects.live().for_labels().filter(trajectory=OuterRef("trajectory"), rater=OuterRef("rater"))
    found = _submitted(Annotation.Purpose.REPEAT)
    return found.annotate(right=Subquery(first.filter(state=State.SUBMITTED).values("pk")[:1])).exclude(right=None)


def _handed(project: Project, passes: AnnotationQuerySet) -> dict[int, list[_Handed]]:
    """By rater, what they handed in, in time."""
    names = ("pk", "rater", "trajectory__task", "right")
    rows = list(passes.order_by("submitted_at", "pk").values_list(*names))
    compared = gold_compared.compare(scheme_of(project.scheme), {pk: right for pk, _, _, right in rows})
    found: dict[int, list[_Handed]] = defaultdict(list)
    for pk, rater, task, _ in rows:
        found[rater].append(_Handed(task, compared.get(pk, [])))
    return found


def _person(project: Project, rater: int, name: str, handed: Sequence[_Handed]) -> Person:
    scheme = scheme_of(project.scheme)
    tasks: dict[int, list[Pair]] = defaultdict(list)
    for one in handed:
        tasks[one.task] += [(dump(at.said), dump(at.reference)) for at in _of_main([one], scheme.main)]
    return Person(
        rater,
        name,
        items=len(handed),
        all=_shared(handed),
        kappa=kappa(list(tasks.values())),
        answers=_answers(scheme.main_field.values, _of_main(handed, scheme.main)),
        quarters=[_shared(part) for part in _quarters(handed)],
    )


def _of_main(handed: Sequence[_Handed], main: str) -> list[Compared]:
    return [at for one in handed for at in one.compared if at.field.partition("@")[0] == main]


def _shared(handed: Sequence[_Handed]) -> Share:
    tasks: dict[int, tuple[int, int]] = {}
    for one in handed:
        right, n = tasks.get(one.task, (0, 0))
        tasks[one.task] = right + sum(at.right for at in one.compared), n + len(one.compared)
    return share(list(tasks.values()))


def _answers(values: Sequence[Any], compared: Sequence[Compared]) -> list[Answer]:
    """In the order of the scheme; only answers that the reference gives."""
    n, right = Counter[str](), Counter[str]()
    for at in compared:
        n[dump(at.reference)] += 1
        right[dump(at.reference)] += at.right
    return [Answer(value, right[dump(value)], n[dump(value)]) for value in values if n[dump(value)]]


def _quarters(handed: Sequence[_Handed]) -> list[Sequence[_Handed]]:
    """The items in time, cut into four parts that differ by one item at most, the longer ones first."""
    size, more = divmod(len(handed), QUARTERS)
    ends = [0]
    for number in range(QUARTERS):
        ends.append(ends[-1] + size + (number < more))
    return [handed[start:end] for start, end in zip(ends, ends[1:], strict=False)]


def kappa(tasks: Sequence[Sequence[Pair]]) -> Kappa:
    """Cohen's κ over all pairs, an answer that is not given being one of its own: (o − e) / (1 − e), o the share alike,
    e the one that two raters with these shares of answers would have by chance (Cohen, A Coefficient of Agreement for
    Nominal Scales, 1960). The interval is the value ± 1.96 · √((m − 1)/m · Σ (κ₍ᵢ₎ − mean κ₍ᵢ₎)²), κ₍ᵢ₎ without the
    i-th of m tasks (the jackknife; Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 11)."""
    whole = _kappa(_counted(tasks))
    if whole is None:
        pairs = any(tasks)
        return Kappa(
            None, why="only one answer was ever given, and it was always right" if pairs else "nothing compared"
        )
    every = _counted(tasks)
    without = [_kappa(every - _counted([one])) for one in tasks if one]
    if len(without) < 2 or any(one is None for one in without):
        return Kappa(whole)
    kept = [one for one in without if one is not None]
    mean, m = sum(kept) / len(kept), len(kept)
    error = Z * sqrt((m - 1) / m * sum((one - mean) ** 2 for one in kept))
    return Kappa(whole, max(-1.0, whole - error), min(1.0, whole + error))


def _counted(tasks: Sequence[Sequence[Pair]]) -> Counter[Pair]:
    return Counter(pair for pairs in tasks for pair in pairs)


def _kappa(counts: Counter[Pair]) -> float | None:
    n = counts.total()
    if not n:
        return None
    said, right = Counter[str](), Counter[str]()
    for (one, other), many in counts.items():
        said[one] += many
        right[other] += many
    observed = sum(many for (one, other), many in counts.items() if one == other) / n
    by_chance = sum(said[value] * right[value] for value in said) / n**2
    return None if by_chance >= 1 else (observed - by_chance) / (1 - by_chance)
