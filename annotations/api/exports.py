"""The files that exports brought."""

from __future__ import annotations

from typing import Any

from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.http import FileResponse, Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.reverse import reverse

from annotations import access
from annotations.api.base import ProjectView
from annotations.api.pages import NewestFirst
from annotations.models import Run
from annotations.services import exports as service


class FileOut(serializers.Serializer):
    name = serializers.CharField()
    sha256 = serializers.CharField()
    url = serializers.CharField(help_text="Where it is downloaded, with the same token.")


class ExportOut(serializers.ModelSerializer):
    config = serializers.DictField()
    rows = serializers.SerializerMethodField(help_text="Null until it is done.")
    files = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields = ["id", "config", "state", "rows", "files", "created_at", "finished_at"]
        read_only_fields = fields

    def get_rows(self, run: Run) -> int | None:
        rows: int | None = run.result.get("rows")
        return rows

    @extend_schema_field(FileOut(many=True))
    def get_files(self, run: Run) -> list[dict[str, str]]:
        request, slug = self.context["request"], self.context["slug"]

        def url(name: str) -> str:
            return reverse("api-export-file", kwargs={"slug": slug, "pk": run.pk, "name": name}, request=request)

        return [{"name": name, "sha256": sha256, "url": url(name)} for name, sha256 in service.files_of(run).items()]


class Exports(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectView):
    """Exports, newest first. Start one at `runs/export/`."""

    queryset = Run.objects.all()
    serializer_class = ExportOut
    pagination_class = NewestFirst
    filter_backends: list[Any] = []
    lookup_value_converter = "int"
    roles = dict.fromkeys(["list", "retrieve", "file"], access.TAKE_DATA)

    def rows(self) -> QuerySet[Run]:
        return Run.objects.filter(project=self.project, kind=Run.Kind.EXPORT)

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "slug": self.kwargs.get("slug")}

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "The file, streamed.")}
    )
    def file(self, request: Request, slug: str, pk: int, name: str) -> FileResponse:
        """One file of a finished export."""
        stored = f"exports/{pk}/{name}"
        if name not in service.files_of(self.get_object()) or not default_storage.exists(stored):
            raise Http404("The export has no such file.")
        opened = default_storage.open(stored)
        kind = "application/octet-stream"
        return FileResponse(opened, as_attachment=True, filename=name.rsplit("/", 1)[-1], content_type=kind)
