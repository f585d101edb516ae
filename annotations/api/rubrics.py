"""The lists of tasks, for checklists whose items are a task's own."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import access
from annotations.api.base import ProjectView
from annotations.api.filters import RubricFilter
from annotations.api.labels import refused
from annotations.api.pages import NewestFirst
from annotations.models import Rubric
from annotations.services import projects, rubric_lists, rubrics
from annotations.services.outcomes import Refusal


class RubricOut(serializers.ModelSerializer):
    task = serializers.CharField(source="task.external_id", help_text="Its external id.")
    items = serializers.ListField(child=serializers.DictField())
    rater = serializers.CharField(help_text="The judge that made it, if one did.")
    made_by = serializers.CharField(source="made_by.username", allow_null=True)
    approved_by = serializers.CharField(source="approved_by.username", allow_null=True)
    edited_from = serializers.IntegerField(
        source="edited_from_id", allow_null=True, help_text="The judge's list that a person made this one of."
    )
    run = serializers.IntegerField(
        source="writing.run_id", default=None, allow_null=True, help_text="In which the judge wrote it."
    )
    prompt = serializers.CharField(
        source="writing.run.config.prompt_name", default=None, allow_null=True, help_text="What the judge was told by."
    )

    class Meta:
        model = Rubric
        fields = [
            "id",
            "task",
            "field",
            "number",
            "items",
            "source",
            "rater",
            "made_by",
            "created_at",
            "approved_by",
            "approved_at",
            "rejected_at",
            "edited_from",
            "run",
            "prompt",
        ]
        read_only_fields = fields


class RubricIn(serializers.Serializer):
    task = serializers.CharField(max_length=500, help_text="The external id of a task.")
    field = serializers.CharField(max_length=40, help_text="A rubric field of the scheme in force.")
    items = serializers.ListField(
        child=serializers.JSONField(), help_text="Texts, or objects of name, title, help, weight, checks."
    )


class WordIn(serializers.Serializer):
    items = serializers.ListField(
        child=serializers.JSONField(),
        required=False,
        allow_null=True,
        help_text="The list as it should be; left out: as the judge made it.",
    )


class ListsIn(serializers.Serializer):
    file = serializers.FileField(help_text="JSON Lines of task, field and items.")


class TakenOut(serializers.Serializer):
    stored = serializers.IntegerField()
    problems = serializers.ListField(child=serializers.DictField(), help_text="line, field and reason of each other.")


class Rubrics(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectView):
    """The lists of tasks, the newest first. The one that was approved last is what a task asks."""

    queryset = Rubric.objects.all()
    serializer_class = RubricOut
    pagination_class = NewestFirst
    filterset_class = RubricFilter
    lookup_value_converter = "int"
    roles = dict.fromkeys(["list", "retrieve", "create", "upload", "approve", "reject"], access.SEE_OTHERS_LABELS)
    also = {"create": (422,), "approve": (422,)}

    def rows(self) -> QuerySet[Rubric]:
        found = Rubric.objects.filter(task__project=self.project)
        return found.select_related("task", "made_by", "approved_by", "writing__run").defer(
            *("task__instruction", "task__reference", "task__tools"),
            *("writing__detail", "writing__run__result", "writing__run__error"),
        )

    @extend_schema(request=RubricIn, responses={201: RubricOut})
    def create(self, request: Request, slug: str) -> Response:
        """Give a task another list; it is asked at once."""
        said = self.taken(RubricIn)
        scheme = projects.scheme_of(self.project.scheme)
        try:
            made = rubric_lists.store(self.project, scheme, said, self.person, source=Rubric.Source.PERSON)
        except Refusal as no:
            raise refused(no) from no
        return self._told(made, status.HTTP_201_CREATED)

    @extend_schema(request={"multipart/form-data": ListsIn}, responses={200: TakenOut})
    @action(detail=False, methods=["post"], url_path="file", parser_classes=[MultiPartParser])
    def upload(self, request: Request, slug: str) -> Response:
        """Take in a file of lists: good lines go in, each other is told with its line."""
        scheme = projects.scheme_of(self.project.scheme)
        taken = rubric_lists.take_file(self.project, scheme, self.taken(ListsIn)["file"], self.person)
        return Response({"stored": taken.stored, "problems": taken.problems})

    @extend_schema(request=WordIn, responses={200: RubricOut})
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, slug: str, pk: int) -> Response:
        """Approve a judge's list, as it is or as `items` have it. One with a word on it already stays as it is."""
        try:
            items: Any = self.taken(WordIn).get("items")
            return self._told(rubrics.decide(self.get_object(), self.person, approve=True, edited=items))
        except Refusal as no:
            raise refused(no) from no

    @extend_schema(request=None, responses={200: RubricOut})
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, slug: str, pk: int) -> Response:
        """Reject a judge's list: nobody is asked it."""
        return self._told(rubrics.decide(self.get_object(), self.person, approve=False))

    def _told(self, made: Rubric, code: int = status.HTTP_200_OK) -> Response:
        return Response(RubricOut(self.rows().get(pk=made.pk)).data, status=code)
