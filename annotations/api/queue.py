"""Passes over trajectories: finding them, taking the next, and what their rater does with them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import access
from annotations.api.base import ProjectView
from annotations.api.errors import Refused, flat, problem, together
from annotations.api.filters import AnnotationFilter
from annotations.api.labels import BasisIn, OutcomeOut, refused
from annotations.api.runs import RunOut
from annotations.models import Annotation, Rater, Run
from annotations.services import (
    assigning,
    labels,
    progressive,
    queue,
    queue_policies_run,
    queue_policies_shown,
    training,
    visibility,
)
from annotations.services.outcomes import Outcome, Refusal


class AnnotationOut(serializers.ModelSerializer):
    trajectory = serializers.IntegerField(source="trajectory_id")
    trajectory_external_id = serializers.CharField(source="trajectory.external_id")
    rater = serializers.CharField(source="rater.name")
    kind = serializers.ChoiceField(source="rater.kind", choices=Rater.Kind.choices)
    scheme = serializers.IntegerField(source="scheme_id")
    guideline = serializers.IntegerField(source="guideline.version", allow_null=True)
    purpose = serializers.SerializerMethodField(
        help_text="training, and for who sees others' labels gold and repeat, where the pass is no part of the dataset."
    )

    class Meta:
        model = Annotation
        fields = [
            "id",
            "trajectory",
            "trajectory_external_id",
            "rater",
            "kind",
            "state",
            "mode",
            "propagation",
            "purpose",
            "scheme",
            "guideline",
            "revision",
            "lease_until",
            "time_spent_ms",
            "comment",
            "created_at",
            "updated_at",
            "submitted_at",
            "revealed_at",
        ]
        read_only_fields = fields

    def get_purpose(self, one: Annotation) -> str:
        """Who labels does not learn which item is gold, nor is told that they have had it before."""
        view = self.context.get("view")
        tells = view is not None and view.may(access.SEE_OTHERS_LABELS)
        return one.purpose if tells or one.purpose == Annotation.Purpose.TRAINING else ""


class SubmitIn(BasisIn):
    accept_ghosts = serializers.BooleanField(required=False, default=False, help_text="Take what is suggested along.")


class ReleaseIn(serializers.Serializer):
    reason = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)


class SkipIn(serializers.Serializer):
    reason = serializers.CharField(max_length=2000)


def deed(body: type[serializers.Serializer] | None, summary: str) -> Callable[[Any], Any]:
    """A POST on one's own pass that answers with its state."""
    schema = extend_schema(request=body, responses={200: OutcomeOut}, description=summary)
    return lambda method: schema(action(detail=True, methods=["post"])(method))


class Annotations(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectView):
    """Your own passes; others' where you may see their labels. Only your own can be worked on."""

    queryset = Annotation.objects.all()
    serializer_class = AnnotationOut
    filterset_class = AnnotationFilter
    lookup_value_converter = "int"
    roles = {
        **dict.fromkeys(
            ["state", "accept", "undo", "redo", "submit", "skip", "reopen", "reveal", "lease"], access.LABEL
        ),
        "release": access.MANAGE,
    }
    also = {
        "accept": (409,),
        "undo": (409,),
        "redo": (409,),
        "submit": (409, 422),
        "skip": (409,),
        "reopen": (409,),
        "release": (409,),
    }

    def rows(self) -> QuerySet[Annotation]:
        found = visibility.annotations_visible_to(self.membership).live()
        return found.select_related("trajectory", "rater", "guideline").only(*_COLUMNS)

    @extend_schema(responses={200: OutcomeOut})
    @action(detail=True)
    def state(self, request: Request, slug: str, pk: int) -> Response:
        """Where your pass stands; `labels` are all current ones."""
        return self._do(labels.state, pk)

    @deed(BasisIn, "Store every label that is suggested now.")
    def accept(self, request: Request, slug: str, pk: int) -> Response:
        return self._do(labels.accept, pk, **self._basis(BasisIn, pk))

    @deed(BasisIn, "Take the last change back.")
    def undo(self, request: Request, slug: str, pk: int) -> Response:
        return self._do(labels.undo, pk, **self._basis(BasisIn, pk))

    @deed(BasisIn, "Make again what was undone last.")
    def redo(self, request: Request, slug: str, pk: int) -> Response:
        return self._do(labels.redo, pk, **self._basis(BasisIn, pk))

    @deed(SubmitIn, "Hand the pass in. 422 names what is missing; 409 no_seat: enough others hold the trajectory.")
    def submit(self, request: Request, slug: str, pk: int) -> Response:
        return self._do(labels.submit, pk, **self._basis(SubmitIn, pk))

    @deed(SkipIn, "Leave the trajectory to others, with a reason. The labels stay.")
    def skip(self, request: Request, slug: str, pk: int) -> Response:
        return self._do(labels.skip, pk, **self.taken(SkipIn))

    @deed(None, "Go on with what was submitted or skipped.")
    def reopen(self, request: Request, slug: str, pk: int) -> Response:
        return self._do(labels.reopen, pk)

    @deed(None, "End the first pass of the progressive mode: everything is shown, and both passes are kept.")
    def reveal(self, request: Request, slug: str, pk: int) -> Response:
        return self._do(progressive.reveal, pk)

    @deed(None, "Hold the seat for another lease.")
    def lease(self, request: Request, slug: str, pk: int) -> Response:
        return self._do(labels.lease, pk)

    @extend_schema(request=ReleaseIn, responses={200: AnnotationOut})
    @action(detail=True, methods=["post"])
    def release(self, request: Request, slug: str, pk: int) -> Response:
        """Free the seat of anybody's open pass for others. Its labels and draft stay. 409 where it is not open."""
        reason = self.taken(ReleaseIn)["reason"]
        try:
            assigning.release(pk, self.person, reason, slug=slug)
        except Refusal as no:
            raise refused(no) from no
        return Response(self.get_serializer(get_object_or_404(self.rows(), pk=pk)).data)

    def _basis(self, kind: type[BasisIn], pk: int) -> dict[str, Any]:
        """The body, with a change id and the revision that stands now where it names none."""
        data = self.taken(kind)
        if "revision" not in data:
            own = Annotation.objects.of_user(self.person).filter(rater__project=self.project)
            data["revision"] = get_object_or_404(own, pk=pk).revision
        return {"change": uuid.uuid4(), **data}

    def _do(self, service: Callable[..., Outcome], pk: int, **asked: Any) -> Response:
        try:
            return Response(service(pk, self.person, slug=self.project.slug, **asked).as_json())
        except Refusal as no:
            raise refused(no) from no


_COLUMNS = [
    *(name for name in AnnotationOut.Meta.fields if name not in {"trajectory_external_id", "kind"}),
    "trajectory__external_id",
    "rater__name",
    "rater__kind",
    "guideline__version",
]


class UpcomingOut(serializers.Serializer):
    place = serializers.IntegerField(help_text="Goes into `after` for what follows it.")
    trajectory = serializers.IntegerField()
    external_id = serializers.CharField()
    task = serializers.CharField(help_text="Its external id.")
    taken = serializers.IntegerField(help_text="Seats that are taken.")
    drawn = serializers.ChoiceField(
        choices=["", *Annotation.Drawn.values], help_text="By chance, by policy, or in the order of import (empty)."
    )
    policy = serializers.CharField(help_text="Which policy put it there; of a mixture, which of its parts.")
    priority = serializers.FloatField(allow_null=True, help_text="The higher the sooner, within one policy.")
    reason = serializers.CharField()


class UpcomingPage(serializers.Serializer):
    ordered_by = serializers.IntegerField(allow_null=True, help_text="The run that ordered the queue.")
    notice = serializers.CharField(help_text="What a lead should know of the order.")
    results = UpcomingOut(many=True)


class UpcomingIn(serializers.Serializer):
    after = serializers.IntegerField(required=False, default=0, min_value=0, max_value=2**63 - 1)
    page_size = serializers.IntegerField(required=False, default=100, min_value=1, max_value=1000)


class Queue(ProjectView):
    """What comes next and why, for who may see scores."""

    queryset = Annotation.objects.all()
    serializer_class = UpcomingPage
    pagination_class = None
    filter_backends: list[Any] = []
    roles = {"retrieve": access.SEE_OTHERS_LABELS, "order": access.BEGIN[Run.Kind.QUEUE]}
    also = {"order": (409,)}

    @extend_schema(parameters=[UpcomingIn], responses={200: UpcomingPage})
    def retrieve(self, request: Request, slug: str) -> Response:
        """Trajectories that have a free seat, in the order they are given out."""
        asked = UpcomingIn(data=request.query_params)
        if not asked.is_valid():
            raise Refused(**together([problem(text, at) for at, text in flat(asked.errors)]))
        rows = queue_policies_shown.upcoming(
            self.project, asked.validated_data["after"], asked.validated_data["page_size"]
        )
        notice = queue_policies_shown.status(self.project).notice
        found = {"ordered_by": self.project.queue_ranking_id, "notice": notice, "results": rows}
        return Response(UpcomingPage(found).data)

    @extend_schema(request=None, responses={201: RunOut})
    def order(self, request: Request, slug: str) -> Response:
        """Order it anew by the project's policy. 409 where it is in the order of import."""
        begun = queue_policies_run.start(self.project, self.person)
        if begun is None:
            raise Refused("The queue is in the order of import.", "queue_policy", status=409)
        return Response(RunOut(begun).data, status=status.HTTP_201_CREATED)


class Next(ProjectView):
    """The queue."""

    queryset = Annotation.objects.all()
    serializer_class = AnnotationOut
    pagination_class = None
    filter_backends: list[Any] = []
    roles = {"create": access.LABEL}
    also = {"create": (409,)}

    @extend_schema(request=None, responses={200: AnnotationOut, 204: None})
    def create(self, request: Request, slug: str) -> Response:
        """Lease what you should label now. Asking again gives the same; 204 when nothing is left for you, 409 where
        your training has to go on first: see /training/."""
        leased = queue.lease_next(self.project, self.person)
        if leased is None and training.asked(self.membership):
            raise Refused("Your training comes first, and its round is over or has no items left.", status=409)
        if leased is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return Response(self.get_serializer(leased).data)
