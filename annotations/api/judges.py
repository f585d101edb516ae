"""The judges of a project: their versions, asking them, what they may spend, and every question that was put."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import SimpleLazyObject
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import access
from annotations.api.base import ProjectView
from annotations.api.errors import Refused
from annotations.api.filters import JudgeCallFilter, JudgeFilter
from annotations.api.judges_told import (
    AskIn,
    BudgetIn,
    BudgetOut,
    CallOut,
    CallWholeOut,
    GateVerdictsOut,
    JudgeEstimateOut,
    JudgeIn,
    JudgeOut,
    JudgeWholeOut,
    LookIn,
    PreviewOut,
)
from annotations.api.pages import NewestFirst
from annotations.api.runs import RunOut
from annotations.judges import prompts
from annotations.models import Judge, JudgeCall, Rater, Run
from annotations.services import (
    judge_budget,
    judge_calls,
    judge_preview,
    judge_probes_gate,
    judge_starts,
    judge_summary,
    judges,
    projects,
)
from annotations.services.judge_preview import NoSuchTrajectory
from annotations.services.judge_probes_gate import Standing
from annotations.services.judge_starts import Wanted
from annotations.services.judges import JudgeRefused

LEADS = access.SEE_OTHERS_LABELS


class Judges(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectView):
    """Versions of judges that were made here, the newest first."""

    queryset = Judge.objects.all()
    serializer_class = JudgeOut
    pagination_class = NewestFirst
    filterset_class = JudgeFilter
    lookup_value_converter = "int"
    roles = {
        **dict.fromkeys(["list", "retrieve", "preview", "gates"], LEADS),
        "create": access.MANAGE,
        "ask": access.BEGIN[Run.Kind.JUDGE],
        "retire": access.MANAGE,
    }
    also = {"ask": (409,), "preview": (400,)}

    def rows(self) -> QuerySet[Judge]:
        found = Judge.objects.filter(project=self.project)
        found = found.select_related("rater", "server", "guideline", "made_by", "project__scheme")
        return found.defer("prompt", "guideline__text") if self.action == "list" else found

    def get_serializer_class(self) -> Any:
        return JudgeOut if self.action == "list" else JudgeWholeOut

    def get_serializer_context(self) -> dict[str, Any]:
        return {
            **super().get_serializer_context(),
            "gates": SimpleLazyObject(self._standings),
            "standing": judge_summary.of_judge,
            "scheme": lambda: projects.scheme_of(self.project.scheme),
        }

    def _standings(self) -> Mapping[int, Standing]:
        raters = self.project.raters.filter(kind=Rater.Kind.JUDGE).order_by("name")
        return {one.rater.pk: one for one in judge_probes_gate.standings(self.project, raters)}

    @extend_schema(request=JudgeIn, responses={201: JudgeWholeOut})
    def create(self, request: Request, slug: str) -> Response:
        """Make a judge, or the next version of the one of that name. Nothing is asked yet."""
        said = self.taken(JudgeIn)
        try:
            made = judges.make(self.project, self.person, prompt_name=prompts.origin(said["prompt"]), **said)
        except JudgeRefused as no:
            name, _, why = str(no).partition(": ")
            place = {"prompt": "prompt", "answer": "settings.answer", "method": "settings.method"}.get(name, "name")
            raise Refused(why if why and place != "name" else str(no), place) from no
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=AskIn, responses={200: JudgeEstimateOut, 201: RunOut})
    @action(detail=True, methods=["post"], url_path="run")
    def ask(self, request: Request, slug: str, pk: int) -> Response:
        """Begin to ask the judge, or with `estimate` say what that would take. All but a try asks for `sure`."""
        judge: Judge = self.get_object()
        said = self.taken(AskIn)
        wanted = Wanted(said["what"], again=said["again"])
        if said["estimate"]:
            return Response(JudgeEstimateOut(judge_starts.estimate(judge, wanted)).data)
        if wanted.needs_a_word and not said["sure"]:
            told = JudgeEstimateOut(judge_starts.estimate(judge, wanted)).data
            raise Refused("Say that you are sure of what that takes.", "sure", True, status=409, estimate=told)
        try:
            run = judge_starts.start(judge, self.person, wanted)
        except JudgeRefused as no:
            raise Refused(str(no), status=409) from no
        return Response(RunOut(run).data, status=status.HTTP_201_CREATED)

    @extend_schema(parameters=[LookIn], responses=PreviewOut)
    @action(detail=True, methods=["get"])
    def preview(self, request: Request, slug: str, pk: int) -> Response:
        """What the judge would be sent about one trajectory, word for word. Nothing is sent."""
        judge: Judge = self.get_object()
        asked = self.taken(LookIn)
        try:
            trajectory = judge_preview.chosen(judge, asked["trajectory"])
        except NoSuchTrajectory as no:
            raise Refused(str(no), "trajectory") from no
        return Response(PreviewOut(judge_preview.of(judge, trajectory, asked["question"])).data)

    @extend_schema(request=None, responses=JudgeWholeOut)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, slug: str, pk: int) -> Response:
        """Offer the version no more. What it said stays."""
        judges.retire(self.get_object(), self.person)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(responses=GateVerdictsOut(many=True))
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def gates(self, request: Request, slug: str) -> Response:
        """How every judge stands by its probes, imported ones too, and who signed for it."""
        return Response(GateVerdictsOut(list(self._standings().values()), many=True).data)


class JudgeCalls(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectView):
    """The questions that judges were put, the newest first. One of them has its messages and the answer word for
    word."""

    queryset = JudgeCall.objects.all()
    serializer_class = CallOut
    pagination_class = NewestFirst
    filterset_class = JudgeCallFilter
    lookup_value_converter = "int"
    roles = dict.fromkeys(["list", "retrieve"], LEADS)

    def rows(self) -> QuerySet[JudgeCall]:
        found = JudgeCall.objects.filter(project=self.project).select_related("server")
        return found.defer("question", "answer", "detail") if self.action == "list" else found

    def get_serializer_class(self) -> Any:
        return CallOut if self.action == "list" else CallWholeOut


class Budget(ProjectView):
    """What the project's judges may spend in all."""

    serializer_class = BudgetOut
    queryset = JudgeCall.objects.none()
    filter_backends: list[Any] = []
    pagination_class = None
    roles = {"retrieve": LEADS, "update": access.MANAGE}

    @extend_schema(responses={200: BudgetOut, 204: None})
    def retrieve(self, request: Request, slug: str) -> Response:
        """The budget. 204 where there is none: nothing that costs something is asked then."""
        judge_calls.let_go(self.project)
        found = judge_budget.of(self.project)
        return Response(BudgetOut(found).data) if found else Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=BudgetIn, responses=BudgetOut)
    def update(self, request: Request, slug: str) -> Response:
        """Settle how much may be spent in all. The same sent again changes nothing."""
        said = self.taken(BudgetIn)
        try:
            found = judge_budget.set_limit(self.project, self.person, said["limit_micro"], said["currency"])
        except ValueError as no:
            raise Refused(str(no), "currency") from no
        return Response(BudgetOut(found).data)
