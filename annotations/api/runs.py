"""Background work: starting it, following it, pausing, stopping and repeating it; and the files exports brought."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import access, jobs
from annotations.api.base import ProjectView
from annotations.api.beginning import AgreementIn, CalibrateIn, EstimateOut, ImportIn, LeaderboardIn, ScoreIn
from annotations.api.errors import Refused
from annotations.api.exporting import ExportIn, asked_for
from annotations.api.filters import RunFilter
from annotations.api.pages import NewestFirst
from annotations.models import Run
from annotations.services import (
    agreement,
    calibration,
    leaderboard,
    run_estimates,
    runs,
    scorer_entries,
    teaching,
    uploads,
)
from annotations.services.agreement import AgreementRefused
from annotations.services.calibration import CalibrationRefused
from annotations.services.leaderboard import LeaderboardRefused


class RunOut(serializers.ModelSerializer):
    config = serializers.DictField()
    created_by = serializers.CharField(source="created_by.username", allow_null=True)
    retry_of = serializers.IntegerField(source="retry_of_id", allow_null=True)

    class Meta:
        model = Run
        fields = [
            "id",
            "kind",
            "config",
            "state",
            "done",
            "total",
            "error",
            "created_by",
            "retry_of",
            "created_at",
            "started_at",
            "finished_at",
        ]
        read_only_fields = fields


class RunResultOut(RunOut):
    result = serializers.DictField(
        help_text="What came of it. Of an import: `rejected` records, and `unconverted` labels, which the project's "
        "scheme could not hold: for each reason how many, and the first places."
    )
    served = serializers.SerializerMethodField(help_text="Whether a living worker takes up such runs.")

    class Meta(RunOut.Meta):
        fields = [*RunOut.Meta.fields, "result", "served"]
        read_only_fields = fields

    def get_served(self, run: Run) -> bool:
        return jobs.is_served(run.kind)


class Runs(mixins.ListModelMixin, ProjectView):
    """Background work of the project, newest first."""

    queryset = Run.objects.all()
    serializer_class = RunOut
    pagination_class = NewestFirst
    filterset_class = RunFilter
    lookup_value_converter = "int"
    roles = {
        "list": access.SEE_OTHERS_LABELS,
        "retrieve": access.SEE_OTHERS_LABELS,
        "start_import": access.BEGIN[Run.Kind.IMPORT],
        "start_score": access.BEGIN[Run.Kind.SCORE],
        "score_estimates": access.SEE_OTHERS_LABELS,
        "start_calibrate": access.BEGIN[Run.Kind.CALIBRATE],
        "start_train": access.BEGIN[Run.Kind.TRAIN],
        "start_agreement": access.BEGIN[Run.Kind.AGREEMENT],
        "start_leaderboard": access.BEGIN[Run.Kind.LEADERBOARD],
        "start_export": access.BEGIN[Run.Kind.EXPORT],
        "pause": access.MANAGE,
        "resume": access.MANAGE,
        "cancel": access.SEE_OTHERS_LABELS,
        "retry": access.SEE_OTHERS_LABELS,
    }
    also = {"pause": (409,), "resume": (409,), "cancel": (409,), "retry": (409,)}

    def rows(self) -> QuerySet[Run]:
        found = Run.objects.filter(project=self.project)
        return found.listed() if self.action == "list" else found.select_related("created_by")

    @extend_schema(responses=RunResultOut)
    def retrieve(self, request: Request, slug: str, pk: int) -> Response:
        """A run: how far it is, and what came of it."""
        return Response(RunResultOut(self.get_object()).data)

    @extend_schema(request={"multipart/form-data": ImportIn}, responses={201: RunOut})
    @action(detail=False, methods=["post"], url_path="import", parser_classes=[MultiPartParser])
    def start_import(self, request: Request, slug: str) -> Response:
        """Import a file or a dataset of the Hugging Face hub: trajectories, or the labels of one rater."""
        return self._started(uploads.start(self.project, self.person, **self.taken(ImportIn)))

    @extend_schema(request=ScoreIn, responses={201: RunOut})
    @action(detail=False, methods=["post"], url_path="score")
    def start_score(self, request: Request, slug: str) -> Response:
        """Pre-score every trajectory."""
        return self._start(Run.Kind.SCORE, self.taken(ScoreIn))

    @extend_schema(responses=EstimateOut(many=True))
    @action(detail=False, methods=["get"], url_path="score-estimates", pagination_class=None, filterset_class=None)
    def score_estimates(self, request: Request, slug: str) -> Response:
        """What pre-scoring everything would take with each scorer, by what its earlier runs took here."""
        found = run_estimates.of(self.project, scorer_entries.all_of_them())
        return Response([EstimateOut(one).data | {"scorer": name} for name, one in found.items()])

    @extend_schema(request=CalibrateIn, responses={201: RunOut})
    @action(detail=False, methods=["post"], url_path="calibrate")
    def start_calibrate(self, request: Request, slug: str) -> Response:
        """Calibrate the newest scores of a scorer on the project's labels."""
        data = self.taken(CalibrateIn)
        try:
            return self._started(calibration.start(self.project, self.person, data["scorer"], data["method"]))
        except CalibrationRefused as no:
            raise Refused(str(no), "scorer") from no

    @extend_schema(request=None, responses={201: RunOut})
    @action(detail=False, methods=["post"], url_path="train-scorer")
    def start_train(self, request: Request, slug: str) -> Response:
        """Have the embedded scorer learn the project's labels. The run that is at it already, where there is one."""
        return self._started(teaching.start(self.project, self.person))

    @extend_schema(request=AgreementIn, responses={201: RunOut})
    @action(detail=False, methods=["post"], url_path="agreement")
    def start_agreement(self, request: Request, slug: str) -> Response:
        """Compute agreement."""
        data = self.taken(AgreementIn)
        try:
            agreement.find(self.project, data["reference"])
        except AgreementRefused as no:
            raise Refused(str(no), "reference") from no
        return self._start(Run.Kind.AGREEMENT, data)

    @extend_schema(request=LeaderboardIn, responses={201: RunOut})
    @action(detail=False, methods=["post"], url_path="leaderboard")
    def start_leaderboard(self, request: Request, slug: str) -> Response:
        """Hold judges against a reference. The report, of kind leaderboard, is in the run's result."""
        data = self.taken(LeaderboardIn)
        try:
            run = leaderboard.start(self.project, self.person, data["reference"], official=data["official"])
        except LeaderboardRefused as no:
            raise Refused(str(no), "reference") from no
        return self._started(run)

    @extend_schema(request=ExportIn, responses={201: RunOut})
    @action(detail=False, methods=["post"], url_path="export")
    def start_export(self, request: Request, slug: str) -> Response:
        """Write a dataset. Without a rater: the project's reference, or everybody's word where the format holds it."""
        return self._start(Run.Kind.EXPORT, asked_for(self.project, self.taken(ExportIn)).config())

    @extend_schema(request=None, responses=RunOut)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, slug: str, pk: int) -> Response:
        """Have a scoring run or an import rest. What was done stays, and it goes on from there."""
        run: Run = self.get_object()
        if not runs.pause(run, self.person):
            raise Refused(_no_pause(run), status=409)
        return Response(RunOut(run).data)

    @extend_schema(request=None, responses=RunOut)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, slug: str, pk: int) -> Response:
        """Let a paused run go on where it stood, or scoring that failed, say because a server was away."""
        run: Run = self.get_object()
        if not runs.resume(run, self.person):
            raise Refused(f"Run {run.pk} is {run.state}; a paused run goes on, and scoring that failed.", status=409)
        return Response(RunOut(run).data)

    @extend_schema(request=None, responses=RunOut)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, slug: str, pk: int) -> Response:
        """Stop a run. What was done stays."""
        run = self._mine_or_managed()
        if not runs.cancel(run, self.person):
            raise Refused(f"Run {run.pk} is {run.state} already.", status=409)
        return Response(RunOut(run).data)

    @extend_schema(request=None, responses={201: RunOut})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, slug: str, pk: int) -> Response:
        """The same work again, as a new run."""
        run = self._mine_or_managed()
        try:
            return self._started(runs.retry(run, self.person))
        except ValueError as no:
            raise Refused(str(no), status=409) from no

    def _mine_or_managed(self) -> Run:
        run: Run = self.get_object()
        if not access.may_steer(self.membership, run):
            raise PermissionDenied(access.NOT_YOURS)
        return run

    def _start(self, kind: str, config: dict[str, Any]) -> Response:
        return self._started(jobs.start(kind, self.project, self.person, **config))

    def _started(self, run: Run) -> Response:
        return Response(RunOut(run).data, status=status.HTTP_201_CREATED)


def _listed(names: list[str]) -> str:
    """a, b and c."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _no_pause(run: Run) -> str:
    if run.kind in Run.PAUSABLE:
        return f"Run {run.pk} is {run.state} already."
    return f"Run {run.pk} cannot be paused: only {_listed(sorted(Run.PAUSABLE))} runs go on where they stood."
