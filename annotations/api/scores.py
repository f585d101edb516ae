"""What scorers say of steps, and computed reports."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import mixins, serializers

from annotations import access
from annotations.api.base import ProjectView
from annotations.api.filters import ScoreFilter
from annotations.api.pages import NewestFirst
from annotations.models import Report, Score
from annotations.services import visibility


class ScoreOut(serializers.ModelSerializer):
    run = serializers.IntegerField(source="run_id")
    trajectory = serializers.IntegerField(source="trajectory_id")
    step = serializers.IntegerField(source="step.index", help_text="The step's place in its trajectory, from 0.")
    detail = serializers.DictField()

    class Meta:
        model = Score
        fields = ["id", "run", "trajectory", "step", "value", "probability", "detail"]
        read_only_fields = fields


class Scores(mixins.ListModelMixin, ProjectView):
    """Pre-scores, where the mode shows them. `probability` is P(the step is not wrong), where it is calibrated."""

    queryset = Score.objects.all()
    serializer_class = ScoreOut
    filterset_class = ScoreFilter

    def rows(self) -> QuerySet[Score]:
        found = visibility.scores_visible_to(self.membership).select_related("step")
        return found.only("run_id", "trajectory_id", "step__index", "value", "probability", "detail")


class ReportOut(serializers.ModelSerializer):
    run = serializers.IntegerField(source="run_id", allow_null=True)
    config = serializers.DictField()
    inputs = serializers.DictField(help_text="Counts and the hash of the labels it was computed from.")

    class Meta:
        model = Report
        fields = ["id", "run", "kind", "config", "inputs", "created_at"]
        read_only_fields = fields


class ReportResultOut(ReportOut):
    result = serializers.JSONField()

    class Meta(ReportOut.Meta):
        fields = [*ReportOut.Meta.fields, "result"]
        read_only_fields = fields


class Reports(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectView):
    """Computed results, newest first. They never change."""

    queryset = Report.objects.all()
    pagination_class = NewestFirst
    filter_backends: list[Any] = []
    lookup_value_converter = "int"
    roles = dict.fromkeys(["list", "retrieve"], access.SEE_OTHERS_LABELS)

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        return ReportOut if self.action == "list" else ReportResultOut

    def rows(self) -> QuerySet[Report]:
        found = Report.objects.filter(project=self.project)
        return found.defer("result") if self.action == "list" else found
