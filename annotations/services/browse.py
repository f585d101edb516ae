"""Finding trajectories: what the list filters and sorts by, and what a row of it shows. Never loads a body.

Who may see others' labels filters by everything. Anybody else's list knows only their own passes: a filter over what
one may not see would show it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, FloatField, Min, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast, Left

from annotations import access
from annotations.models import Annotation, Label, Membership, Rater, Run, Score, Step, Trajectory
from annotations.models.labels import AnnotationQuerySet, LabelQuerySet
from annotations.services import projects, visibility

PER_PAGE = 20
MOST_STRIPS = 6
BLANK = (None, False)
SORTS = {"oldest": "id", "newest": "-id", "doubt": "low"}


@dataclass(frozen=True)
class Filters:
    """What the address asks for; what is empty asks for nothing. `rater` narrows label, first_error and differ."""

    text: str = ""
    source: str = ""
    model: str = ""
    outcome: str = ""
    rater: str = ""
    label: int | str | None = None
    first_error: int | None = None
    differ: bool = False
    score: float | None = None
    sort: str = "oldest"


class StripOf(NamedTuple):
    """One rater's labels of the main field: a (value or None, implied by a rule) for each agent step."""

    rater: str
    cells: list[tuple[Any, bool]]


@dataclass
class Row:
    id: int
    external_id: str
    policy_model: str
    source: str
    instruction: str
    came_of_it: str | None = ""
    low: float | None = None
    agent: list[int] = field(default_factory=list)  # ids of those of the agent, in order
    strips: list[StripOf] = field(default_factory=list)


class Page(NamedTuple):
    rows: list[Row]
    after: str  # the cursor of the next page; empty on the last


class Browser:
    """The list as one member may see it."""

    def __init__(self, membership: Membership, filters: Filters) -> None:
        self.project = membership.project
        self.user = membership.user
        self.sees_all = access.may(membership, access.SEE_OTHERS_LABELS)
        self.filters = filters if self.sees_all else _harmless(filters)
        scheme = projects.scheme_of(self.project.scheme)
        self.main = scheme.main
        self.values = [(choice.value, choice.title) for choice in scheme.main_field.choices]
        self.wrong = scheme.propagation.value if scheme.propagation else -1

    def page(self, after: str = "") -> Page:
        """The rows after the cursor. A cursor that makes no sense is taken as none."""
        found = list(_after(self._sorted(), self.filters.sort, after)[: PER_PAGE + 1])
        rows = [Row(**one) for one in found[:PER_PAGE]]
        strips = self._strips(rows)
        for row in rows:
            row.strips = strips[row.id]
        return Page(rows, _cursor(rows[-1], self.filters.sort) if len(found) > PER_PAGE else "")

    def _sorted(self) -> QuerySet[Any, Any]:
        """All that fit, in order; what each row shows is worked out for the rows of the page alone."""
        found = self._by_score(self._by_labels(self._by_facts()))
        places = Step.objects.of_agent().filter(trajectory=OuterRef("pk")).order_by("index")
        shown: dict[str, Any] = {
            "source": F("task__source"),
            "instruction": Left("task__instruction", 160),
            "agent": ArraySubquery(places.values("id")),
        }
        if self.sees_all:
            shown["came_of_it"] = Left(Cast("outcome", TextField()), 120)
            shown["low"] = self._low()
        rows: QuerySet[Any, Any] = found.values("id", "external_id", "policy_model", **shown)
        if self.filters.sort == "doubt":
            rows = rows.exclude(low=None)
        return rows.order_by(SORTS[self.filters.sort], "id")

    def _by_facts(self) -> QuerySet[Trajectory]:
        asked, found = self.filters, Trajectory.objects.live().filter(project=self.project)
        if asked.text:
            found = found.filter(Q(external_id__icontains=asked.text) | Q(task__external_id__icontains=asked.text))
        if asked.source:
            found = found.filter(task__source=asked.source)
        if asked.model:
            found = found.filter(policy_model=asked.model)
        if asked.outcome:
            found = found.alias(said=Cast("outcome", TextField())).filter(said__icontains=asked.outcome)
        return found

    def _by_labels(self, found: QuerySet[Trajectory]) -> QuerySet[Trajectory]:
        asked = self.filters
        if asked.rater or not self.sees_all and (asked.label, asked.first_error) != (None, None):
            found = found.filter(Exists(self._passes().filter(trajectory=OuterRef("pk"))))
        said = self._labels().filter(annotation__trajectory=OuterRef("pk"))
        if asked.label is not None:
            found = found.filter(Exists(said.filter(value=asked.label)))
        if asked.first_error is not None:
            sooner = self._labels().filter(annotation=OuterRef("annotation"), value=self.wrong)
            sooner = sooner.filter(step__index__lt=asked.first_error)
            found = found.filter(Exists(said.filter(~Exists(sooner), value=self.wrong, step__index=asked.first_error)))
        if asked.differ:
            other = self._labels(anybody=True).filter(step=OuterRef("step")).exclude(value=OuterRef("value"))
            found = found.filter(Exists(said.filter(Exists(other))))
        return found

    def _by_score(self, found: QuerySet[Trajectory]) -> QuerySet[Trajectory]:
        if self.filters.score is None:
            return found
        return found.filter(Exists(self._scores().filter(probability__lte=self.filters.score)))

    def _low(self) -> Subquery:
        """The lowest P(not wrong) of a trajectory's steps."""
        lowest = self._scores().order_by().values("trajectory").annotate(low=Min("probability")).values("low")
        return Subquery(lowest, output_field=FloatField())

    def _scores(self) -> QuerySet[Score]:
        """A trajectory's scores of the newest scoring run that has finished, whichever the scorer."""
        done = Run.objects.filter(project=self.project.pk, kind=Run.Kind.SCORE, state=Run.State.DONE)
        newest = Subquery(done.order_by("-id").values("id")[:1])
        return Score.objects.filter(run=newest, trajectory=OuterRef("pk"))

    def _passes(self, anybody: bool = False) -> AnnotationQuerySet:
        found = Annotation.objects.live()
        if not self.sees_all:
            return found.filter(rater__user=self.user)
        return found if anybody or not self.filters.rater else found.filter(rater__name=self.filters.rater)

    def _labels(self, anybody: bool = False) -> LabelQuerySet:
        said = Label.objects.current().filter(field=self.main, step__isnull=False, annotation__retired_at__isnull=True)
        if not self.sees_all:
            return said.filter(annotation__rater__user=self.user)
        rater = "" if anybody else self.filters.rater
        return said.filter(annotation__rater__name=rater) if rater else said

    def _strips(self, page: list[Row]) -> dict[int, list[StripOf]]:
        """People and the reference, or the rater that was asked for; who has said nothing has no strip."""
        rater = Q(annotation__rater__kind=Rater.Kind.HUMAN) | Q(annotation__rater=self.project.reference_id)
        shown = self._labels().filter(annotation__trajectory__in=[row.id for row in page])
        rows = (shown if self.filters.rater else shown.filter(rater)).order_by("annotation__rater_id")
        said: dict[tuple[int, str], dict[int, tuple[Any, bool]]] = defaultdict(dict)
        names = ("annotation__trajectory_id", "annotation__rater__name", "step_id", "origin")
        for trajectory, name, step, origin, value in rows.values_list(*names, Cast("value", TextField())):
            said[trajectory, name][step] = (_read(value), origin == Label.Origin.PROPAGATED)
        steps = {row.id: row.agent for row in page}
        strips: dict[int, list[StripOf]] = defaultdict(list)
        for (trajectory, name), labels in said.items():
            if len(strips[trajectory]) < MOST_STRIPS:
                strips[trajectory].append(StripOf(name, [labels.get(step, BLANK) for step in steps[trajectory]]))
        return strips


@lru_cache(maxsize=1024)
def _read(value: str) -> Any:
    """A label's value from its JSON; there are few values and many labels."""
    return json.loads(value)


def _harmless(filters: Filters) -> Filters:
    """The filters that tell nothing but what everybody in the project sees, and one's own labels."""
    sort = "oldest" if filters.sort == "doubt" else filters.sort
    return replace(filters, outcome="", rater="", differ=False, score=None, sort=sort)


def _cursor(last: Row, sort: str) -> str:
    return f"{last.low!r},{last.id}" if sort == "doubt" else str(last.id)


def _after(found: QuerySet[Any, Any], sort: str, cursor: str) -> QuerySet[Any, Any]:
    *low, pk = cursor.split(",")
    try:
        last = int(pk)
        lowest = float(low[0]) if low else None
    except ValueError:
        return found
    if sort == "doubt":
        return found.filter(Q(low__gt=lowest) | Q(low=lowest, id__gt=last)) if lowest is not None else found
    return found.filter(id__lt=last) if sort == "newest" else found.filter(id__gt=last)


def choices(membership: Membership, of: str) -> list[str]:
    """The sources, policy models or raters there are, for the list's filters; asked for when somebody goes there."""
    if of == "rater":
        raters = visibility.raters_visible_to(membership).order_by("name").values_list("name", flat=True)
        return list(dict.fromkeys(raters[:500]))
    live = Trajectory.objects.live().filter(project=membership.project)
    column = {"source": "task__source", "model": "policy_model"}[of]
    return list(live.exclude(**{column: ""}).order_by(column).values_list(column, flat=True).distinct()[:200])
