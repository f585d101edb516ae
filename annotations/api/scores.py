"""What scorers say of steps, how that is calibrated, and computed reports."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import access
from annotations.api.base import ProjectView
from annotations.api.filters import ReportFilter, ScoreFilter
from annotations.api.pages import NewestFirst
from annotations.models import Calibration, Report, Score
from annotations.services import agreement_live, calibrated, visibility


class ScoreOut(serializers.ModelSerializer):
    run = serializers.IntegerField(source="run_id")
    trajectory = serializers.IntegerField(source="trajectory_id")
    step = serializers.IntegerField(source="step.index", help_text="The step's place in its trajectory, from 0.")
    calibrated = serializers.FloatField(
        allow_null=True,
        help_text="P(the step is not wrong) by the calibration that holds for the run; null without one.",
    )
    detail = serializers.DictField()

    class Meta:
        model = Score
        fields = ["id", "run", "trajectory", "step", "value", "probability", "calibrated", "detail"]
        read_only_fields = fields


class Scores(mixins.ListModelMixin, ProjectView):
    """Pre-scores, where the mode shows them. `probability` is P(the step is not wrong) as the scorer says it, null
    where it says none; `calibrated` the same by labels of the project."""

    queryset = Score.objects.all()
    serializer_class = ScoreOut
    filterset_class = ScoreFilter

    def rows(self) -> QuerySet[Score]:
        sure = calibrated.probability(calibrated.in_force(self.project.pk), only=True)
        found = visibility.scores_visible_to(self.membership).select_related("step").annotate(calibrated=sure)
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


class AgreementNowOut(serializers.Serializer):
    """Agreement as it stands now: the figures of an agreement report without intervals, kept up as labels come in."""

    at = serializers.DateTimeField(
        allow_null=True, help_text="When they were worked out; null: nothing was counted yet."
    )
    waiting = serializers.IntegerField(help_text="Tasks whose labels have changed since, and that are being counted.")
    figures = serializers.DictField(
        help_text="`main` and `final`, the main field and the verdict where they are choices: each over `all` raters, "
        "`people`, `by_hand` (nothing propagated) and `unaided` (nothing accepted either), its `pairs` of raters, and "
        "`settled`, what was adjudicated. `decided`: what all adjudications come to, field by field."
    )


class Reports(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectView):
    """Computed results, newest first. They never change."""

    queryset = Report.objects.all()
    pagination_class = NewestFirst
    filterset_class = ReportFilter
    lookup_value_converter = "int"
    roles = dict.fromkeys(["list", "retrieve", "now"], access.SEE_OTHERS_LABELS)

    @extend_schema(responses=AgreementNowOut)
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def now(self, request: Request, slug: str) -> Response:
        """How raters agree as it stands now, without a report."""
        return Response(AgreementNowOut(agreement_live.now(self.project)).data)

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        return ReportOut if self.action == "list" else ReportResultOut

    def rows(self) -> QuerySet[Report]:
        found = Report.objects.filter(project=self.project)
        return found.defer("result") if self.action == "list" else found


class CalibrationOut(serializers.ModelSerializer):
    scored = serializers.IntegerField(source="scored_id", help_text="The scoring run whose numbers it reads.")
    run = serializers.IntegerField(source="run_id", allow_null=True, help_text="The run that fitted it.")
    parameters = serializers.DictField(help_text="The map from a score's number to P(the step is not wrong).")

    class Meta:
        model = Calibration
        fields = ["id", "scored", "run", "scorer", "method", "parameters", "labels_sha256", "created_at"]
        read_only_fields = fields


class CalibrationReportOut(CalibrationOut):
    report = serializers.DictField(help_text="Figures before and after, out of fold, with intervals.")

    class Meta(CalibrationOut.Meta):
        fields = [*CalibrationOut.Meta.fields, "report"]
        read_only_fields = fields


class Calibrations(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectView):
    """How scorers' numbers are read as probabilities, newest first. They never change; the newest of a run holds."""

    queryset = Calibration.objects.all()
    pagination_class = NewestFirst
    filter_backends: list[Any] = []
    lookup_value_converter = "int"
    roles = dict.fromkeys(["list", "retrieve"], access.SEE_OTHERS_LABELS)

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        return CalibrationOut if self.action == "list" else CalibrationReportOut

    def rows(self) -> QuerySet[Calibration]:
        found = Calibration.objects.filter(project=self.project)
        return found.defer("report") if self.action == "list" else found
