"""What the viewsets share: the membership, the roles an action takes, bodies that are checked."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import serializers, viewsets
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated

from annotations import access
from annotations.api.auth import IsMember, TokenAllows
from annotations.api.errors import Refused, accepted_by, field_at, flat, problem, together
from annotations.models import Membership, Project, Role, User


class View(viewsets.GenericViewSet):
    """`also` names statuses of refusal an action has beside the usual ones, for the schema."""

    also: ClassVar[dict[str, tuple[int, ...]]] = {}

    @property
    def person(self) -> User:
        user = self.request.user
        assert isinstance(user, User)  # IsAuthenticated has seen to it
        return user

    def taken(self, kind: type[serializers.Serializer], **more: Any) -> dict[str, Any]:
        """The request's body, of a GET what its address asks, as `kind` reads it; Refused, with what each field
        accepts, where it cannot."""
        said = self.request.query_params if self.request.method in SAFE_METHODS else self.request.data
        serializer = kind(data=said, context=self.get_serializer_context(), **more)
        if not serializer.is_valid():
            problems = [
                problem(text, at, accepted_by(field_at(serializer, at))) for at, text in flat(serializer.errors)
            ]
            whole = together(problems)
            raise Refused(**whole)
        data: dict[str, Any] = serializer.validated_data
        return data

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset().none()
        return self.rows()

    def rows(self) -> QuerySet[Any]:
        """What the caller may see. Never more."""
        raise NotImplementedError(f"{type(self).__name__} lists nothing")


class ProjectView(View):
    """A view below /projects/<slug>/. `roles` names who may do an action; an action not named is any member's."""

    permission_classes = [IsAuthenticated, TokenAllows, IsMember]
    roles: ClassVar[dict[str, set[Role]]] = {}
    membership: Membership

    @property
    def project(self) -> Project:
        return self.membership.project

    def roles_now(self) -> set[Role]:
        return self.roles.get(self.action or "", access.SEE)

    def may(self, roles: set[Role]) -> bool:
        return access.may(self.membership, roles)
