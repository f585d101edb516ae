"""Filters of lists: query parameters that are checked like any other input."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema_field
from rest_framework.request import Request
from rest_framework.views import APIView

from annotations import access
from annotations.api.errors import Refused, problem, together
from annotations.models import (
    Annotation,
    Judge,
    JudgeCall,
    Label,
    Rater,
    Report,
    Rubric,
    Run,
    Score,
    Step,
    Task,
    Thread,
    Trajectory,
)
from annotations.services import asked as answers
from annotations.services import duplicates, projects
from annotations.services.answers import of_name
from annotations.services.filters import Filters
from annotations.services.search import Search

BIGGEST_KEY = 2**63 - 1
BIGGEST_NUMBER = 2**31 - 1


@extend_schema_field({"type": "integer", "minimum": 0, "maximum": BIGGEST_KEY, "format": "int64"})
class KeyFilter(django_filters.NumberFilter):
    """The id of a row."""

    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=0, max_value=BIGGEST_KEY, **kwargs)


@extend_schema_field({"type": "integer", "minimum": 0, "maximum": BIGGEST_NUMBER})
class WholeFilter(django_filters.NumberFilter):
    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=0, max_value=BIGGEST_NUMBER, **kwargs)


class Backend(DjangoFilterBackend):
    """Refuses a parameter that cannot be read, saying what it accepts."""

    def filter_queryset(self, request: Request, queryset: Any, view: APIView) -> Any:
        filters = self.get_filterset(request, queryset, view)
        if filters is None:
            return queryset
        if not filters.is_valid():
            found = [(name, str(text)) for name, texts in filters.errors.items() for text in texts]
            raise Refused(**together([problem(text, name, accepted_by(filters, name)) for name, text in found]))
        return filters.qs


def accepted_by(filters: django_filters.FilterSet, name: str) -> Any:
    field = filters.form.fields[name]
    if isinstance(field, forms.ChoiceField):
        return [value for value, _ in field.widget.choices if value]
    if isinstance(field, forms.IntegerField):
        return {"min": field.min_value, "max": field.max_value}
    return None


class TaskFilter(django_filters.FilterSet):
    external_id = django_filters.CharFilter()
    source = django_filters.CharFilter()

    class Meta:
        model = Task
        fields: list[str] = []


ANSWER = (
    "An answer of any field, as `label:-1`, `note` (there is one), `grade:2..5` (between), `checklist:sources` (an "
    "item of a rubric that failed); given several times, all of them."
)


class AnswerFilter(django_filters.CharFilter):
    """Rows by what was said, as far as the caller may see it. `of_trajectories`: the rows are those."""

    def __init__(self, *, of_trajectories: bool) -> None:
        super().__init__(label=ANSWER)
        self.of_trajectories = of_trajectories

    def filter(self, qs: Any, value: str) -> Any:
        if not value:
            return qs
        request = self.parent.request
        membership = request.parser_context["view"].membership
        scheme = projects.scheme_of(membership.project.scheme)
        asked = []
        for text in request.query_params.getlist(self.field_name):
            try:
                asked.append(answers.read(text, scheme))
            except ValueError as no:
                raise Refused(f"No such answer: {text[:40]!r}.", self.field_name, str(no)) from None
        if self.of_trajectories:
            return Search(membership, Filters(answers=tuple(asked))).by_answers(qs)
        for one in asked:
            qs = qs.filter(one.holds())
        return qs


class DuplicatesFilter(django_filters.CharFilter):
    """Rollouts that are like others. What an agent did is not to be seen through it before it may be seen."""

    def filter(self, qs: Any, value: str) -> Any:
        if not value:
            return qs
        membership = self.parent.request.parser_context["view"].membership
        if not access.may(membership, access.SEE_OTHERS_LABELS):
            raise Refused("It is not yours to ask for duplicates here.", self.field_name, "nothing")
        try:
            return duplicates.fitting(qs, duplicates.asked(value))
        except ValueError:
            raise Refused(f"No such duplicates: {value[:40]!r}.", self.field_name, duplicates.ACCEPTED) from None


class TrajectoryFilter(django_filters.FilterSet):
    external_id = django_filters.CharFilter()
    task = KeyFilter(field_name="task_id")
    source = django_filters.CharFilter(field_name="task__source", label="The dataset its task comes from.")
    policy_model = django_filters.CharFilter()
    rollout = WholeFilter()
    answer = AnswerFilter(of_trajectories=True)
    duplicates = DuplicatesFilter(
        label="exact: equal to another rollout. near: or the agent took the same actions. An id: those like it. For "
        "those who see others' labels."
    )

    class Meta:
        model = Trajectory
        fields: list[str] = []


class StepFilter(django_filters.FilterSet):
    trajectory = KeyFilter(field_name="trajectory_id")
    source = django_filters.ChoiceFilter(choices=Step.Source.choices)

    class Meta:
        model = Step
        fields: list[str] = []


class AnnotationFilter(django_filters.FilterSet):
    trajectory = KeyFilter(field_name="trajectory_id")
    rater = django_filters.CharFilter(field_name="rater__name")
    kind = django_filters.ChoiceFilter(field_name="rater__kind", choices=Rater.Kind.choices)
    state = django_filters.ChoiceFilter(choices=Annotation.State.choices)

    class Meta:
        model = Annotation
        fields: list[str] = []


class LabelFilter(django_filters.FilterSet):
    annotation = KeyFilter(field_name="annotation_id")
    trajectory = KeyFilter(field_name="annotation__trajectory_id")
    rater = django_filters.CharFilter(field_name="annotation__rater__name")
    kind = django_filters.ChoiceFilter(field_name="annotation__rater__kind", choices=Rater.Kind.choices)
    state = django_filters.ChoiceFilter(field_name="annotation__state", choices=Annotation.State.choices)
    step = WholeFilter(field_name="step__index", label="The step's place in its trajectory, from 0.")
    field = django_filters.CharFilter(method="_of_field", label="A field; without `@`, those of its parts as well.")
    answer = AnswerFilter(of_trajectories=False)
    origin = django_filters.ChoiceFilter(choices=Label.Origin.choices)

    class Meta:
        model = Label
        fields: list[str] = []

    def _of_field(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(field=value) if "@" in value else queryset.filter(of_name(value))


class RaterFilter(django_filters.FilterSet):
    name = django_filters.CharFilter()
    kind = django_filters.ChoiceFilter(choices=Rater.Kind.choices)

    class Meta:
        model = Rater
        fields: list[str] = []


class RunFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(choices=Run.Kind.choices)
    state = django_filters.ChoiceFilter(choices=Run.State.choices)

    class Meta:
        model = Run
        fields: list[str] = []


class JudgeFilter(django_filters.FilterSet):
    name = django_filters.CharFilter()
    server = django_filters.CharFilter(field_name="server__name")
    model = django_filters.CharFilter()
    retired = django_filters.BooleanFilter(field_name="retired_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Judge
        fields: list[str] = []


class JudgeCallFilter(django_filters.FilterSet):
    run = KeyFilter(field_name="run_id", label="The run that asked first.")
    judge = KeyFilter(field_name="judge_id")
    trajectory = KeyFilter(field_name="trajectory_id")
    state = django_filters.ChoiceFilter(choices=JudgeCall.State.choices)
    purpose = django_filters.CharFilter()

    class Meta:
        model = JudgeCall
        fields: list[str] = []


class ReportFilter(django_filters.FilterSet):
    kind = django_filters.CharFilter(label="As agreement, leaderboard or probe.")

    class Meta:
        model = Report
        fields: list[str] = []


class ScoreFilter(django_filters.FilterSet):
    run = KeyFilter(field_name="run_id")
    trajectory = KeyFilter(field_name="trajectory_id")

    class Meta:
        model = Score
        fields: list[str] = []


class ThreadFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=Thread.State.choices, label="Open: it waits for an answer.")
    kind = django_filters.ChoiceFilter(choices=Thread.Kind.choices)
    trajectory = KeyFilter(field_name="trajectory_id")
    step = WholeFilter(field_name="step__index", label="The step's place in its trajectory, from 0.")
    begun_by = django_filters.CharFilter(field_name="begun_by__username", label="The user name of who began it.")

    class Meta:
        model = Thread
        fields: list[str] = []


class RubricFilter(django_filters.FilterSet):
    task = django_filters.CharFilter(field_name="task__external_id")
    field = django_filters.CharFilter()
    waiting = django_filters.BooleanFilter(method="_waits", help_text="A judge's that nobody has looked at yet.")

    class Meta:
        model = Rubric
        fields: list[str] = []

    def _waits(self, queryset: Any, name: str, value: bool) -> Any:
        open_lists = {"approved_at__isnull": True, "rejected_at__isnull": True}
        return queryset.filter(**open_lists) if value else queryset.exclude(**open_lists)
