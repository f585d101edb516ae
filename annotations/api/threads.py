"""Questions and flags: your own, everybody's where you may see others' labels."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import access
from annotations.api.base import ProjectView
from annotations.api.filters import BIGGEST_KEY, BIGGEST_NUMBER, ThreadFilter
from annotations.api.labels import refused
from annotations.api.pages import NewestFirst
from annotations.models import Message, Thread
from annotations.services import asking, threads
from annotations.services.outcomes import Refusal


class MessageOut(serializers.ModelSerializer):
    author = serializers.CharField(source="author.username")

    class Meta:
        model = Message
        fields = ["id", "author", "text", "seen_at", "created_at"]
        read_only_fields = fields


class ThreadOut(serializers.ModelSerializer):
    state = serializers.ChoiceField(choices=Thread.State.choices, help_text="Open: it waits for an answer.")
    trajectory = serializers.IntegerField(source="trajectory_id")
    trajectory_external_id = serializers.CharField(source="trajectory.external_id")
    annotation = serializers.IntegerField(source="annotation_id", allow_null=True, help_text="The pass it arose in.")
    step = serializers.IntegerField(
        source="step.index", allow_null=True, help_text="Place of the step; null: the whole trajectory."
    )
    begun_by = serializers.CharField(source="begun_by.username")
    messages = MessageOut(many=True)

    class Meta:
        model = Thread
        fields = [
            "id",
            "kind",
            "state",
            "trajectory",
            "trajectory_external_id",
            "annotation",
            "step",
            "begun_by",
            "created_at",
            "closed_at",
            "messages",
        ]
        read_only_fields = fields


class WordsIn(serializers.Serializer):
    text = serializers.CharField(max_length=asking.LONGEST)
    key = serializers.UUIDField(
        required=False, help_text="Yours, new for each message: sent again, it is said only once."
    )


class ThreadIn(WordsIn):
    annotation = serializers.IntegerField(min_value=1, max_value=BIGGEST_KEY, help_text="A pass of yours.")
    step = serializers.IntegerField(
        min_value=0, max_value=BIGGEST_NUMBER, allow_null=True, help_text="Its place; null: the whole trajectory."
    )
    kind = serializers.ChoiceField(choices=[(one.value, one.label) for one in Thread.ASKED])


class Threads(mixins.ListModelMixin, ProjectView):
    """Questions and flags, the newest first: your own; everybody's where you may see others' labels."""

    queryset = Thread.objects.all()
    serializer_class = ThreadOut
    pagination_class = NewestFirst
    filterset_class = ThreadFilter
    lookup_value_converter = "int"
    roles = {"create": access.LABEL}
    also = {"create": (422,), "reply": (422,)}

    def rows(self) -> QuerySet[Thread]:
        return threads.ready(threads.visible_to(self.membership))

    @extend_schema(responses=ThreadOut)
    def retrieve(self, request: Request, slug: str, pk: int) -> Response:
        """One thread."""
        return Response(ThreadOut(self.get_object()).data)

    @extend_schema(request=ThreadIn, responses={201: ThreadOut})
    def create(self, request: Request, slug: str) -> Response:
        """Ask or flag, at a step of a pass of yours or at the whole of it."""
        data = self.taken(ThreadIn)
        try:
            said = asking.begin(data.pop("annotation"), self.person, **_keyed(data), slug=self.project.slug)
        except Refusal as no:
            raise refused(no) from no
        return self._told(said.thread_id)

    @extend_schema(request=WordsIn, responses={201: ThreadOut})
    @action(detail=True, methods=["post"])
    def reply(self, request: Request, slug: str, pk: int) -> Response:
        """Say something more. A closed thread is open again."""
        thread = self.get_object()
        try:
            asking.reply(thread, self.person, **_keyed(self.taken(WordsIn)))
        except Refusal as no:
            raise refused(no) from no
        return self._told(pk)

    @extend_schema(request=None, responses={200: ThreadOut})
    @action(detail=True, methods=["post"])
    def close(self, request: Request, slug: str, pk: int) -> Response:
        """There is nothing more to say."""
        asking.close(self.get_object(), self.person)
        return Response(ThreadOut(self.get_object()).data)

    def _told(self, pk: int) -> Response:
        return Response(ThreadOut(self.rows().get(pk=pk)).data, status=status.HTTP_201_CREATED)


def _keyed(data: dict[str, Any]) -> dict[str, Any]:
    """With a key where the body names none."""
    return {"key": uuid.uuid4(), **data}
