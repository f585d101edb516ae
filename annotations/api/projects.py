"""Projects, their raters, guidelines and schemes."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import access, schemes
from annotations.api.auth import projects_of
from annotations.api.base import ProjectView, View
from annotations.api.errors import Refused
from annotations.api.filters import RaterFilter
from annotations.api.labels import refused
from annotations.api.schemes import LONGEST, no_scheme
from annotations.models import Guideline, Membership, Project, Rater, Role, SchemeVersion
from annotations.models.projects import ProjectQuerySet
from annotations.services import guidelines, projects, scorer_entries, setup, suggestions, visibility
from annotations.services.outcomes import Refusal

MOST_OVERLAP = 50
LONGEST_LEASE = 24 * 60  # minutes


class ProjectOut(serializers.ModelSerializer):
    scheme = serializers.CharField(source="scheme.name")
    scheme_id = serializers.IntegerField()
    role = serializers.ChoiceField(choices=Role.choices, help_text="Yours.")
    reference = serializers.SerializerMethodField(help_text="The rater others are held against, if you may know.")
    prefill = serializers.SerializerMethodField(help_text="Whose labels are suggested, if you may know.")
    queue_policy = serializers.ChoiceField(
        choices=Project.Queue.choices, allow_null=True, read_only=True, help_text="What comes next, if you may know."
    )
    queue_scorer = serializers.CharField(allow_null=True, read_only=True, help_text="Whose scores order the queue.")
    queue_view = serializers.CharField(allow_null=True, read_only=True, help_text="The kept view it shows first.")
    queue_random = serializers.IntegerField(allow_null=True, read_only=True, help_text="Percent drawn by chance.")

    class Meta:
        model = Project
        fields = [
            "slug",
            "scheme",
            "scheme_id",
            *setup.SETTINGS,
            "role",
            "created_at",
        ]
        read_only_fields = fields

    def get_reference(self, project: Project) -> str | None:
        return project.reference.name if project.reference and self._knows(project) else None

    def get_prefill(self, project: Project) -> str | None:
        return project.prefill or None if self._knows(project) else None

    def to_representation(self, project: Project) -> dict[str, Any]:
        """Why a trajectory comes next tells of its scores: who may not see these does not see the order either."""
        found: dict[str, Any] = super().to_representation(project)
        if not self._knows(project):
            found |= dict.fromkeys(("queue_policy", "queue_scorer", "queue_view", "queue_random"))
        return found

    def _knows(self, project: Project) -> bool:
        return project.role in access.SEE_OTHERS_LABELS  # type: ignore[attr-defined]


class NewProjectIn(serializers.Serializer):
    slug = serializers.SlugField(max_length=60)
    title = serializers.CharField(max_length=120, required=False, default="")
    scheme = serializers.ChoiceField(choices=sorted(schemes.shipped()), required=False, default="agent-process")
    text = serializers.CharField(
        max_length=LONGEST,
        trim_whitespace=False,
        required=False,
        default="",
        allow_blank=True,
        help_text="A scheme of your own in YAML, in place of one that comes with Stepmark.",
    )
    guideline = serializers.CharField(
        max_length=40,
        required=False,
        default="",
        allow_blank=True,
        help_text="Which of the scheme's guidelines to begin with, by name; left out: the first.",
    )
    overlap = serializers.IntegerField(required=False, default=2, min_value=1, max_value=MOST_OVERLAP)


class ProjectChangeIn(serializers.Serializer):
    title = serializers.CharField(max_length=120, required=False)
    overlap = serializers.IntegerField(required=False, min_value=1, max_value=MOST_OVERLAP)
    lease_minutes = serializers.IntegerField(required=False, min_value=1, max_value=LONGEST_LEASE)
    mode = serializers.ChoiceField(choices=Project.Mode.choices, required=False)
    prefill = serializers.CharField(
        required=False, allow_blank=True, max_length=170, help_text="scorer:<name>, judge:<name>, or nothing."
    )
    prefill_confidence = serializers.FloatField(required=False, min_value=0, max_value=1)
    blind_share = serializers.IntegerField(required=False, min_value=0, max_value=100, help_text="Percent.")
    propagation = serializers.ChoiceField(choices=Project.Propagation.choices, required=False)
    queue_policy = serializers.ChoiceField(choices=Project.Queue.choices, required=False)
    queue_scorer = serializers.CharField(
        required=False, allow_blank=True, max_length=150, help_text="Whose scores order the queue. Empty: the newest."
    )
    queue_view = serializers.CharField(
        required=False, allow_blank=True, max_length=80, help_text="With the policy view: the name of a kept view."
    )
    queue_random = serializers.IntegerField(
        required=False, min_value=Project.LEAST_AT_RANDOM, max_value=100, help_text="Percent drawn by chance."
    )
    reference = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=2**63 - 1, help_text="The id of one of its raters."
    )


def described(found: ProjectQuerySet, request: Request) -> ProjectQuerySet:
    """With the caller's role, and what the answer says of each."""
    mine = Membership.objects.filter(project=OuterRef("pk"), user=request.user.pk).values("role")
    return found.select_related("scheme", "reference").annotate(role=Subquery(mine))


class Projects(mixins.ListModelMixin, View):
    """The projects you are a member of."""

    queryset = Project.objects.all()
    serializer_class = ProjectOut

    def rows(self) -> ProjectQuerySet:
        return described(projects_of(self.request), self.request)

    @extend_schema(request=NewProjectIn, responses={201: ProjectOut})
    def create(self, request: Request) -> Response:
        """Make a project; you own it."""
        data = self.taken(NewProjectIn)
        _known_guideline(data)
        try:
            with transaction.atomic():
                made = projects.create(**data, owner=self.person)
        except IntegrityError as exc:
            raise Refused("Another project has this name.", "slug") from exc
        made = described(Project.objects.filter(pk=made.pk), request).get()
        return Response(ProjectOut(made).data, status=status.HTTP_201_CREATED)


def _known_guideline(data: dict[str, Any]) -> None:
    """Refused where the scheme is none, or brings no guidelines of that name."""
    try:
        scheme = schemes.read(data["text"]) if data["text"] else schemes.shipped()[data["scheme"]]
    except schemes.SchemeRefused as no:
        raise no_scheme(no) from no
    names = [one.name for one in scheme.guidelines]
    if data["guideline"] not in ("", *names):
        raise Refused(f"The scheme brings no guidelines called {data['guideline']!r}.", "guideline", names)


class OneProject(ProjectView):
    """A project."""

    queryset = Project.objects.all()
    serializer_class = ProjectOut
    pagination_class = None
    filter_backends: list[Any] = []
    roles = {"partial_update": access.MANAGE}
    also = {"partial_update": (422,)}

    def retrieve(self, request: Request, slug: str) -> Response:
        found = described(Project.objects.filter(pk=self.project.pk), request).get()
        return Response(ProjectOut(found).data)

    @extend_schema(request=ProjectChangeIn, responses={200: ProjectOut})
    def partial_update(self, request: Request, slug: str) -> Response:
        """Change settings. Passes already begun keep the mode they began with."""
        data = self.taken(ProjectChangeIn)
        if data.get("reference"):
            data["reference"] = self._rater(data["reference"])
        known = [value for value, _ in suggestions.sources(self.project)]
        if data.get("prefill", "") not in known:
            raise Refused(f"Nothing here is called {data['prefill']}.", "prefill", [one for one in known if one])
        scorers = ["", *scorer_entries.all_of_them()]
        if data.get("queue_scorer", "") not in scorers:
            raise Refused(f"No scorer here is called {data['queue_scorer']}.", "queue_scorer", scorers)
        try:
            setup.change(self.project, self.person, **data)
        except Refusal as no:
            raise refused(no) from no
        return self.retrieve(request, slug)

    def _rater(self, pk: int) -> Rater:
        found = Rater.objects.filter(project=self.project, pk=pk).first()
        if found is None:
            raise Refused(f"The project has no rater {pk}.", "reference", "an id of the project's raters, or null")
        return found


class RaterOut(serializers.ModelSerializer):
    class Meta:
        model = Rater
        fields = ["id", "name", "kind", "created_at"]
        read_only_fields = fields


class Raters(mixins.ListModelMixin, ProjectView):
    """Who says something here, as far as you may know."""

    queryset = Rater.objects.all()
    serializer_class = RaterOut
    filterset_class = RaterFilter

    def rows(self) -> Any:
        return visibility.raters_visible_to(self.membership)


class GuidelineOut(serializers.ModelSerializer):
    class Meta:
        model = Guideline
        fields = ["version", "created_at"]
        read_only_fields = fields


class GuidelineTextOut(GuidelineOut):
    class Meta(GuidelineOut.Meta):
        fields = [*GuidelineOut.Meta.fields, "text"]
        read_only_fields = fields


class GuidelineIn(serializers.Serializer):
    text = serializers.CharField(max_length=200_000, trim_whitespace=False, help_text="Markdown.")


class Guidelines(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectView):
    """The versions of the guidelines; the highest is in force."""

    queryset = Guideline.objects.all()
    lookup_field = "version"
    lookup_value_converter = "int"
    filter_backends: list[Any] = []
    roles = {"create": access.MANAGE}

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        return GuidelineOut if self.action == "list" else GuidelineTextOut

    def rows(self) -> Any:
        found = Guideline.objects.filter(project=self.project)
        return found.defer("text") if self.action == "list" else found

    @extend_schema(request=GuidelineIn, responses={201: GuidelineTextOut})
    def create(self, request: Request, slug: str) -> Response:
        """Publish the text as the next version; the version in force where it says just that."""
        stored = guidelines.publish(self.project, self.taken(GuidelineIn)["text"], self.person)
        return Response(GuidelineTextOut(stored).data, status=status.HTTP_201_CREATED)


class SchemeOut(serializers.ModelSerializer):
    class Meta:
        model = SchemeVersion
        fields = ["id", "name", "version", "sha256", "created_at"]
        read_only_fields = fields


class SchemeDocumentOut(SchemeOut):
    document = serializers.DictField(help_text="Fields, choices, keys and propagation, as the project froze them.")

    class Meta(SchemeOut.Meta):
        fields = [*SchemeOut.Meta.fields, "document"]
        read_only_fields = fields


class Schemes(mixins.ListModelMixin, mixins.RetrieveModelMixin, View):
    """The frozen label schemes of your projects."""

    queryset = SchemeVersion.objects.all()
    lookup_value_converter = "int"
    filter_backends: list[Any] = []

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        return SchemeOut if self.action == "list" else SchemeDocumentOut

    def rows(self) -> Any:
        return SchemeVersion.objects.filter(pk__in=projects_of(self.request).values("scheme"))
