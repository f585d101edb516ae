"""Passes over trajectories: finding them, taking the next, and what their rater does with them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import access
from annotations.api.base import ProjectView
from annotations.api.filters import AnnotationFilter
from annotations.models import Annotation, Rater
from annotations.services import queue, visibility


class AnnotationOut(serializers.ModelSerializer):
    trajectory = serializers.IntegerField(source="trajectory_id")
    trajectory_external_id = serializers.CharField(source="trajectory.external_id")
    rater = serializers.CharField(source="rater.name")
    kind = serializers.ChoiceField(source="rater.kind", choices=Rater.Kind.choices)
    scheme = serializers.IntegerField(source="scheme_id")
    guideline = serializers.IntegerField(source="guideline.version", default=None, allow_null=True)

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
            "scheme",
            "guideline",
            "revision",
            "lease_until",
            "time_spent_ms",
            "comment",
            "created_at",
            "updated_at",
            "submitted_at",
        ]
        read_only_fields = fields


class Annotations(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectView):
    """Your own passes; others' where you may see their labels. Only your own can be worked on."""

    queryset = Annotation.objects.all()
    serializer_class = AnnotationOut
    filterset_class = AnnotationFilter
    lookup_value_converter = "int"

    def rows(self) -> QuerySet[Annotation]:
        found = visibility.annotations_visible_to(self.membership).live()
        return found.select_related("trajectory", "rater", "guideline").only(*_COLUMNS)


_COLUMNS = [
    *(name for name in AnnotationOut.Meta.fields if name not in {"trajectory_external_id", "kind"}),
    "trajectory__external_id",
    "rater__name",
    "rater__kind",
    "guideline__version",
]


class Next(ProjectView):
    """The queue."""

    queryset = Annotation.objects.all()
    serializer_class = AnnotationOut
    pagination_class = None
    filter_backends: list[Any] = []
    roles = {"create": access.LABEL}

    @extend_schema(request=None, responses={200: AnnotationOut, 204: None})
    def create(self, request: Request, slug: str) -> Response:
        """Lease what you should label now. Asking again gives the same; 204 when nothing is left for you."""
        leased = queue.lease_next(self.project, self.person)
        if leased is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return Response(AnnotationOut(leased).data)
