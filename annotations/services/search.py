"""Which trajectories the list shows and in what order, as queries: what it filters by, what it sorts by.

Who may not see others' labels is asked for neither (filters.py refuses such filters): everything here about labels is
then about their own.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Count,
    Exists,
    F,
    FloatField,
    Func,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce

from annotations import access
from annotations.models import Annotation, Label, Membership, Run, Score, Step, Thread, Trajectory
from annotations.models.labels import AnnotationQuerySet, LabelQuerySet
from annotations.models.trajectories import StepQuerySet, TrajectoryQuerySet
from annotations.services import calibrated, duplicates, projects, visibility
from annotations.services.answers import asked_as, of_field
from annotations.services.filters import BIGGEST, NOBODY, OPEN, SORTS, Filters
from annotations.services.wrongs import Wrong

Cursor = tuple[float, int]  # what the row is sorted by, and its id


class Search:
    """What one member's filters find. Expressions about a trajectory refer to it as OuterRef("pk")."""

    def __init__(self, membership: Membership, filters: Filters) -> None:
        self.membership, self.filters = membership, filters
        self.project, self.user = membership.project, membership.user
        self.sees_all = access.may(membership, access.SEE_OTHERS_LABELS)
        self.scheme = projects.scheme_of(self.project.scheme)
        self.wrong = Wrong(self.scheme)

    @property
    def _name(self) -> Any:
        """What raters were asked, the same for all of them."""
        return asked_as(self.scheme.main_field)

    @property
    def has_strips(self) -> bool:
        """Whether the main field speaks of steps, so that it can be laid along them."""
        return self.scheme.main_field.of_step or self.wrong.names_a_step

    def sorted(self) -> QuerySet[Any, Any]:
        """All that fit, as (id, what they are sorted by)."""
        found = self._by_score(self._by_passes(self._by_labels(self._by_steps(self._by_facts()))))
        return found.annotate(key=self._key()).values_list("id", "key")

    def _key(self) -> Any:
        """What the list is sorted by; a trajectory that has none of it comes last."""
        sort = SORTS[self.filters.sort]
        if sort.by == "steps":
            return self.steps()
        if sort.by == "differ":
            return self.differ()
        if sort.by == "low":
            return Coalesce(self.low(), -1.0 if sort.descending else 2.0, output_field=FloatField())
        if sort.by == "first_error":
            return Coalesce(self.first_error(), -1 if sort.descending else BIGGEST)
        return F("id")

    @property
    def by_id(self) -> bool:
        return SORTS[self.filters.sort].by is None

    def beyond(self, found: QuerySet[Any, Any], cursor: Cursor | None, backwards: bool) -> QuerySet[Any, Any]:
        """Those after the cursor, or before it with the nearest first."""
        descending = SORTS[self.filters.sort].descending != backwards
        if cursor:
            way = "lt" if descending else "gt"
            key, pk = cursor
            later = Q(**{f"id__{way}": pk})
            found = found.filter(later if self.by_id else Q(**{f"key__{way}": key}) | Q(key=key) & later)
        names = ("id",) if self.by_id else ("key", "id")
        return found.order_by(*(f"-{name}" if descending else name for name in names))

    def _by_facts(self) -> TrajectoryQuerySet:
        asked, found = self.filters, Trajectory.objects.live().filter(project=self.project)
        if asked.q:
            found = found.filter(Q(external_id__icontains=asked.q) | Q(task__external_id__icontains=asked.q))
        if asked.source:
            found = found.filter(task__source=asked.source)
        if asked.model:
            found = found.filter(policy_model=asked.model)
        if asked.outcome:
            found = found.alias(said=Cast("outcome", TextField())).filter(said__icontains=asked.outcome)
        if asked.questions:
            found = found.filter(Exists(self.threads()))
        if asked.duplicates:
            found = duplicates.fitting(found, asked.duplicates)
        return found

    def _by_steps(self, found: QuerySet[Trajectory]) -> QuerySet[Trajectory]:
        asked = self.filters
        if asked.tool:
            called = f'"name":{json.dumps(asked.tool, ensure_ascii=False)}'
            calls = self.agent().annotate(calls=Cast("tool_calls", TextField())).filter(calls__contains=called)
            found = found.filter(Exists(calls))
        if (asked.steps_from, asked.steps_to) != (None, None):
            found = found.alias(count=self.steps())
            found = found.filter(
                count__range=(asked.steps_from or 0, BIGGEST if asked.steps_to is None else asked.steps_to)
            )
        return found

    def _by_labels(self, found: QuerySet[Trajectory]) -> QuerySet[Trajectory]:
        asked = self.filters
        said = self.labels().filter(annotation__trajectory=OuterRef("pk"))
        if asked.label is not None:
            found = found.filter(Exists(said.filter(value=asked.label)))
        found = self.by_answers(found)
        if asked.first_error is not None:
            wrong = self.wrong.among(self.answers())
            sooner = wrong.filter(annotation=OuterRef("annotation"), at__lt=OuterRef("at"))
            first = wrong.filter(~Exists(sooner), annotation__trajectory=OuterRef("pk"))
            found = found.alias(nth=self._nth(asked.first_error)).filter(Exists(first.filter(at=OuterRef("nth"))))
        if asked.differ:
            found = found.filter(Exists(said.alias(name=self._name).filter(Exists(self._otherwise()))))
        return found

    def by_answers(self, found: QuerySet[Trajectory]) -> QuerySet[Trajectory]:
        """Those of which somebody says each of the answers that are asked for."""
        for one in self.filters.answers:
            said = self.answers().filter(one.holds(), annotation__trajectory=OuterRef("pk"))
            found = found.filter(Exists(said))
        return found

    def _otherwise(self) -> LabelQuerySet:
        """Other answers to the same question: of the same step, or of the same whole."""
        same = (
            self.labels(anybody=True)
            .alias(name=self._name)
            .filter(name=OuterRef("name"))
            .exclude(value=OuterRef("value"))
        )
        if self.scheme.main_field.of_step:
            return same.filter(step=OuterRef("step"))
        return same.filter(annotation__trajectory=OuterRef("annotation__trajectory"))

    def _by_passes(self, found: QuerySet[Trajectory]) -> QuerySet[Trajectory]:
        asked = self.filters
        passes = self._passes().filter(trajectory=OuterRef("pk"))
        if asked.state == NOBODY:
            return found.filter(~Exists(self._of_people(passes)))
        if asked.state:
            wanted = (Annotation.State.LEASED, Annotation.State.DRAFT) if asked.state == OPEN else (asked.state,)
            return found.filter(Exists(self._of_people(passes).filter(state__in=wanted)))
        if asked.rater or asked.mine or not self.sees_all and asked.about_labels:
            return found.filter(Exists(passes))
        return found

    def _of_people(self, passes: AnnotationQuerySet) -> AnnotationQuerySet:
        """States are about people, unless another rater was asked for: what is imported is always submitted."""
        return passes if self.filters.rater else passes.filter(rater__user__isnull=False)

    def _by_score(self, found: QuerySet[Trajectory]) -> QuerySet[Trajectory]:
        if self.filters.score is None:
            return found
        return found.filter(Exists(self._scores().alias(sure=self._sure).filter(sure__lte=self.filters.score)))

    def readable(self) -> StepQuerySet:
        return visibility.steps_visible_to(self.membership, Step.objects.filter(trajectory=OuterRef("pk")))

    def agent(self) -> StepQuerySet:
        return self.readable().of_agent()

    def _nth(self, number: int) -> Subquery:
        """The index of the agent's step of that number."""
        return Subquery(self.agent().order_by("index").values("index")[number - 1 : number])

    def steps(self) -> Coalesce:
        return _counted(self.agent())

    def first_error(self) -> Subquery:
        """The index of the first step that anybody (or the rater asked for) finds wrong."""
        wrong = self.wrong.among(self.answers()).filter(annotation__trajectory=OuterRef("pk")).order_by()
        first = wrong.values("annotation__trajectory").annotate(n=Min("at")).values("n")
        return Subquery(first, output_field=IntegerField())

    def first_error_step(self) -> Coalesce:
        """Its number among the agent's steps, where `first_error` is asked for as well."""
        return _counted(self.agent().filter(index__lte=OuterRef("first_error")))

    def low(self) -> Subquery:
        """The lowest P(not wrong) of a trajectory's steps."""
        lowest = self._scores().order_by().values("trajectory").annotate(low=Min(self._sure)).values("low")
        return Subquery(lowest, output_field=FloatField())

    def differ(self) -> Func:
        """On how many of its steps raters differ, or of their parts; 1 where they differ on the whole."""
        said = self.labels(anybody=True).filter(annotation__trajectory=OuterRef("pk")).order_by()
        apart = (
            said.annotate(name=self._name)
            .values("step", "name")
            .annotate(n=Count("value", distinct=True))
            .filter(n__gt=1)
        )
        return Func(ArraySubquery(apart.values("n")), function="cardinality", output_field=IntegerField())

    @cached_property
    def _sure(self) -> Combinable:
        return calibrated.probability(calibrated.in_force(self.project.pk))

    def _scores(self) -> QuerySet[Score]:
        """A trajectory's scores of the newest scoring run that has finished, whichever the scorer."""
        done = Run.objects.scoring().filter(project=self.project.pk, state=Run.State.DONE)
        newest = Subquery(done.order_by("-id").values("id")[:1])
        return Score.objects.filter(run=newest, trajectory=OuterRef("pk"))

    def threads(self) -> QuerySet[Thread]:
        """Questions and flags that wait for an answer: a lead sees all, anybody else their own."""
        waiting = Thread.objects.filter(trajectory=OuterRef("pk"), closed_at__isnull=True, kind__in=Thread.ASKED)
        return waiting if self.sees_all else waiting.filter(begun_by=self.user)

    def _passes(self) -> AnnotationQuerySet:
        found: AnnotationQuerySet = Annotation.objects.live()
        if self.filters.mine or not self.sees_all:
            return found.filter(rater__user=self.user)
        return found.filter(rater__name=self.filters.rater) if self.filters.rater else found

    def labels(self, anybody: bool = False) -> LabelQuerySet:
        """Current labels of the main field; `anybody`: whoever gave them."""
        main = self.scheme.main_field
        return self.answers(anybody).filter(of_field(main), step__isnull=not main.of_step)

    def answers(self, anybody: bool = False) -> LabelQuerySet:
        """Current labels of any field."""
        said: LabelQuerySet = Label.objects.current().filter(annotation__retired_at__isnull=True)
        said = said.exclude(annotation__purpose=Annotation.Purpose.REPEAT)
        if not self.sees_all or self.filters.mine and not anybody:
            return said.filter(annotation__rater__user=self.user)
        rater = "" if anybody else self.filters.rater
        return said.filter(annotation__rater__name=rater) if rater else said


def _counted(steps: StepQuerySet) -> Coalesce:
    counted = steps.order_by().values("trajectory").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
