"""Who works on a project, and a person's own tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import access
from annotations.api.auth import projects_of
from annotations.api.base import ProjectView, View
from annotations.api.errors import Refused
from annotations.models import ApiToken, Membership, Role, User
from annotations.services import members
from annotations.services.members import MemberRefused


class MemberOut(serializers.ModelSerializer):
    user = serializers.CharField(source="user.username")

    class Meta:
        model = Membership
        fields = ["id", "user", "role", "created_at"]
        read_only_fields = fields


class RoleIn(serializers.Serializer):
    role = serializers.ChoiceField(choices=Role.choices)


class NewMemberIn(RoleIn):
    user = serializers.CharField(max_length=150, help_text="The user name of somebody who has an account.")


class Members(mixins.ListModelMixin, ProjectView):
    """Who works on the project, in what role."""

    queryset = Membership.objects.all()
    serializer_class = MemberOut
    filter_backends: list[Any] = []
    lookup_value_converter = "int"
    roles = dict.fromkeys(["list", "create", "partial_update", "destroy"], access.MANAGE)
    also = dict.fromkeys(["create", "partial_update", "destroy"], (409,))

    def rows(self) -> QuerySet[Membership]:
        return Membership.objects.filter(project=self.project).select_related("user")

    @extend_schema(request=NewMemberIn, responses={201: MemberOut})
    def create(self, request: Request, slug: str) -> Response:
        """Let somebody in."""
        data = self.taken(NewMemberIn)
        user = User.objects.filter(username__iexact=data["user"], is_active=True).first()
        if user is None:
            raise Refused(f"Nobody here is called {data['user']}.", "user", "the user name of an account")
        try:
            made = members.add(self.project, user, data["role"], self.membership)
        except MemberRefused as no:
            raise Refused(str(no), status=409) from no
        return Response(MemberOut(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=RoleIn, responses={200: MemberOut})
    def partial_update(self, request: Request, slug: str, pk: int) -> Response:
        """Give a member another role."""
        member = get_object_or_404(self.rows(), pk=pk)
        try:
            members.change_role(member, self.taken(RoleIn)["role"], self.membership)
        except MemberRefused as no:
            raise Refused(str(no), status=409) from no
        return Response(MemberOut(member).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, slug: str, pk: int) -> Response:
        """End a membership. What the person labelled stays."""
        try:
            members.remove(get_object_or_404(self.rows(), pk=pk), self.membership)
        except MemberRefused as no:
            raise Refused(str(no), status=409) from no
        return Response(status=status.HTTP_204_NO_CONTENT)


class TokenOut(serializers.ModelSerializer):
    id = serializers.CharField(source="token_key", help_text="Its first characters; not the token.")
    project = serializers.CharField(source="project.slug", allow_null=True)

    class Meta:
        model = ApiToken
        fields = ["id", "name", "scope", "project", "created", "expiry"]
        read_only_fields = fields


class NewTokenOut(TokenOut):
    token = serializers.SerializerMethodField(help_text="Shown this once.")

    class Meta(TokenOut.Meta):
        fields = [*TokenOut.Meta.fields, "token"]
        read_only_fields = fields

    def get_token(self, token: ApiToken) -> str:
        return str(self.context["secret"])


class NewTokenIn(serializers.Serializer):
    name = serializers.CharField(max_length=80)
    scope = serializers.ChoiceField(choices=ApiToken.Scope.choices, required=False, default=ApiToken.Scope.WRITE)
    project = serializers.SlugField(
        max_length=60, required=False, default=None, allow_null=True, help_text="Null: all your projects."
    )
    days = serializers.IntegerField(
        min_value=1, max_value=3650, required=False, default=None, allow_null=True, help_text="Null: until revoked."
    )


class Tokens(mixins.ListModelMixin, View):
    """Your own API tokens."""

    queryset = ApiToken.objects.all()
    serializer_class = TokenOut
    pagination_class = None
    filter_backends: list[Any] = []
    lookup_field = "token_key"
    lookup_url_kwarg = "id"
    lookup_value_converter = "slug"

    def rows(self) -> QuerySet[ApiToken]:
        token = self.request.auth
        found: QuerySet[ApiToken] = (
            ApiToken.objects.filter(user=self.person).select_related("project").order_by("-created", "pk")
        )
        return found.filter(project=token.project_id) if isinstance(token, ApiToken) and token.project_id else found

    @extend_schema(request=NewTokenIn, responses={201: NewTokenOut})
    def create(self, request: Request) -> Response:
        """Make a token. This answer is the only one that shows it."""
        data = self.taken(NewTokenIn)
        project = projects_of(request).filter(slug=data["project"]).first() if data["project"] else None
        if data["project"] and project is None:
            raise Refused(f"You have no project {data['project']}.", "project", "a slug of one of your projects")
        expiry = timedelta(days=data["days"]) if data["days"] else None
        made, secret = ApiToken.objects.create(
            user=self.person, expiry=expiry, name=data["name"], scope=data["scope"], project=project
        )
        return Response(NewTokenOut(made, context={"secret": secret}).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, id: str) -> Response:
        """Revoke a token."""
        get_object_or_404(self.rows(), token_key=id).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)
