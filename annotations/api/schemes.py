"""How a project labels: the schemes that come with Stepmark, the versions of a project's own, and which is in force."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import access, schemes
from annotations.api.base import ProjectView, View
from annotations.api.errors import Refused
from annotations.api.filters import BIGGEST_NUMBER
from annotations.api.labels import refused
from annotations.models import ProjectScheme, Run
from annotations.schemes import SchemeRefused
from annotations.services import projects, scheme_changes, scheme_texts
from annotations.services.outcomes import Refusal
from annotations.services.scheme_plan import Plan

LONGEST = schemes.reading.LONGEST


def no_scheme(no: SchemeRefused) -> Refused:
    """Every mistake of a document, each with its line and key."""
    found = [
        {"error": str(one), "field": one.key or None, "accepted": None, "line": one.line, "reason": one.reason}
        for one in no.mistakes
    ]
    said = f"This is no scheme yet: {len(found)} mistake{'s' * (len(found) > 1)}, the first in {found[0]['error']}"
    return Refused(said, "text", None, errors=found)


class TextIn(serializers.Serializer):
    """The YAML, as a text or as a file."""

    text = serializers.CharField(
        max_length=LONGEST, trim_whitespace=False, required=False, allow_blank=True, help_text="The scheme, in YAML."
    )
    base = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=BIGGEST_NUMBER,
        help_text="The version it was begun with: where a newer one is there by now, it is refused.",
    )


class FileIn(serializers.Serializer):
    file = serializers.FileField(help_text="The scheme, in YAML.")


class GuidelineNameOut(serializers.Serializer):
    name = serializers.CharField()
    title = serializers.CharField()


class PresetOut(serializers.Serializer):
    name = serializers.CharField()
    version = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    kinds = serializers.SerializerMethodField(help_text="The kinds of its fields.")
    sources = serializers.SerializerMethodField(help_text="Where it comes from.")
    guidelines = GuidelineNameOut(many=True)

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_kinds(self, scheme: schemes.Scheme) -> list[str]:
        return list(dict.fromkeys(spec.kind for spec in scheme.fields))

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_sources(self, scheme: schemes.Scheme) -> list[str]:
        return [source.title for source in scheme.sources]


class PresetTextOut(PresetOut):
    text = serializers.SerializerMethodField(help_text="The YAML.")

    def get_text(self, scheme: schemes.Scheme) -> str:
        return schemes.preset_text(scheme.name)


class Presets(View):
    """The schemes that come with Stepmark."""

    queryset = ProjectScheme.objects.none()
    serializer_class = PresetOut
    pagination_class = None
    filter_backends: list[Any] = []
    lookup_field = "name"
    lookup_value_converter = "slug"

    @extend_schema(responses={200: PresetOut(many=True)})
    def list(self, request: Request) -> Response:
        return Response(PresetOut(list(schemes.shipped().values()), many=True).data)

    @extend_schema(responses={200: PresetTextOut})
    def retrieve(self, request: Request, name: str) -> Response:
        """One of them, with its text."""
        if name not in schemes.shipped():
            raise Http404("No scheme of that name comes with Stepmark.")
        return Response(PresetTextOut(schemes.shipped()[name]).data)


class VersionOut(serializers.ModelSerializer):
    name = serializers.CharField(source="scheme.name")
    version = serializers.CharField(source="scheme.version", help_text="What the scheme calls itself.")
    scheme_id = serializers.IntegerField(help_text="What was frozen of it: /api/v1/schemes/<id>/.")
    created_by = serializers.CharField(source="created_by.username", allow_null=True)
    in_force = serializers.SerializerMethodField()

    class Meta:
        model = ProjectScheme
        fields = ["number", "name", "version", "scheme_id", "created_by", "created_at", "used_at", "in_force"]
        read_only_fields = fields

    def get_in_force(self, version: ProjectScheme) -> bool:
        return bool(version.pk == self.context["in_force"])


class VersionTextOut(VersionOut):
    class Meta(VersionOut.Meta):
        fields = [*VersionOut.Meta.fields, "text"]
        read_only_fields = fields


class PlanOut(serializers.Serializer):
    """What becomes of what was said."""

    counts = serializers.DictField(help_text="passes, restored, returned, labels that go along, unmapped ones.")
    by_field = serializers.ListField(child=serializers.DictField(), help_text="What becomes of each field's labels.")
    fresh = serializers.ListField(child=serializers.DictField(), help_text="Fields that nobody was asked so far.")
    loses = serializers.ListField(child=serializers.CharField(), help_text="What the way there loses.")


class ForcedOut(serializers.Serializer):
    plan = PlanOut(allow_null=True, help_text="Null while a run is at it.")
    change = serializers.UUIDField(allow_null=True, help_text="The id the log has of the change.")
    run = serializers.IntegerField(allow_null=True, help_text="The run that does it, where there is much to do.")


class ProjectSchemes(mixins.ListModelMixin, ProjectView):
    """The versions of the project's scheme, the newest first."""

    queryset = ProjectScheme.objects.all()
    serializer_class = VersionOut
    pagination_class = None
    filter_backends: list[Any] = []
    lookup_field = "number"
    lookup_value_converter = "int"
    roles = dict.fromkeys(["create", "upload", "plan", "force"], access.MANAGE)
    also = {"create": (409,), "force": (422,)}

    def rows(self) -> Any:
        found = ProjectScheme.objects.filter(project=self.project).select_related("scheme", "created_by")
        return found.defer("text") if self.action == "list" else found

    def get_serializer_context(self) -> dict[str, Any]:
        context = dict(super().get_serializer_context())
        if not getattr(self, "swagger_fake_view", False):
            current = scheme_texts.in_force(self.project)
            context["in_force"] = current.pk if current else None
        return context

    @extend_schema(responses={200: VersionTextOut})
    def retrieve(self, request: Request, slug: str, number: int) -> Response:
        """A version with its text."""
        return self._told(self.get_object())

    @extend_schema(request=TextIn, responses={201: VersionTextOut})
    def create(self, request: Request, slug: str) -> Response:
        """Save the text as the next version, a draft until it is put in force. One that changes nothing makes none."""
        data = self.taken(TextIn)
        return self._saved(data.get("text", ""), data.get("base"))

    @extend_schema(request={"multipart/form-data": FileIn}, responses={201: VersionTextOut})
    @action(detail=False, methods=["post"], url_path="file", parser_classes=[MultiPartParser])
    def upload(self, request: Request, slug: str) -> Response:
        """Save a file of YAML as the next version."""
        raw: bytes = self.taken(FileIn)["file"].read(4 * LONGEST + 1)
        return self._saved(raw.decode("utf-8-sig", "replace"), None)

    @extend_schema(responses={200: PlanOut})
    @action(detail=True, methods=["get"])
    def plan(self, request: Request, slug: str, number: int) -> Response:
        """What putting the version in force would make of what was said. Nothing is changed."""
        version: ProjectScheme = self.get_object()
        return Response(_plan(scheme_changes.preview(self.project, projects.scheme_of(version.scheme))))

    @extend_schema(request=None, responses={200: ForcedOut})
    @action(detail=True, methods=["post"])
    def force(self, request: Request, slug: str, number: int) -> Response:
        """Put the version in force: at once, or by a run where many passes go along."""
        try:
            made = scheme_changes.change(self.project, self.get_object(), self.person)
        except Refusal as no:
            raise refused(no) from no
        if isinstance(made, Run):
            return Response({"plan": None, "change": None, "run": made.pk})
        return Response({"plan": _plan(made.plan), "change": made.change, "run": None})

    def _saved(self, text: str, base: int | None) -> Response:
        try:
            stored = scheme_texts.save(self.project, text.replace("\r\n", "\n"), self.person, base=base)
        except SchemeRefused as no:
            raise no_scheme(no) from no
        except Refusal as no:
            raise refused(no) from no
        return self._told(stored, status.HTTP_201_CREATED)

    def _told(self, version: ProjectScheme, code: int = status.HTTP_200_OK) -> Response:
        return Response(VersionTextOut(version, context=self.get_serializer_context()).data, status=code)


def _plan(plan: Plan) -> dict[str, Any]:
    told = plan.as_json()
    return {"counts": plan.counts, "by_field": told["fields"], "fresh": told["fresh"], "loses": told["loses"]}
