"""Who is asking, by session or token, and what their token lets them do: some only read, some are for one project."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.http import Http404
from django.utils import timezone
from knox.auth import TokenAuthentication as KnoxAuthentication
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from annotations import access
from annotations.models import ApiToken, Membership, Project, User
from annotations.models.projects import ProjectQuerySet

if TYPE_CHECKING:  # DRF's views import this module
    from rest_framework.views import APIView

    from annotations.api.base import ProjectView


class TokenAuthentication(KnoxAuthentication):
    """`Authorization: Token …`, looked up by its digest: one query, whatever bytes come in."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        digest = hash_token(token.decode("utf-8", "replace"))
        found = ApiToken.objects.select_related("user").filter(digest=digest).first()
        if found is None or not found.user.is_active:
            raise AuthenticationFailed("Invalid token.")
        if found.expiry and found.expiry <= timezone.now():
            raise AuthenticationFailed("This token has expired.")
        return found.user, found


class TokenAllows(BasePermission):
    """A token for reading reads; a token for one project makes nothing outside it."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        token = request.auth
        if not isinstance(token, ApiToken) or request.method in SAFE_METHODS:
            return True
        if token.scope != ApiToken.Scope.WRITE:
            raise PermissionDenied("This token may only read.")
        if token.project_id and "slug" not in view.kwargs:
            raise PermissionDenied("This token is for one project.")
        return True


class IsMember(BasePermission):
    """Finds the caller's membership of the project in the address. No member, or a token for another project: 404."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        view = cast("ProjectView", view)
        membership = membership_of(request, view.kwargs["slug"])
        view.membership = membership
        if not access.may(membership, roles := view.roles_now()):
            wanted = " or ".join(sorted(roles))
            raise PermissionDenied(f"Your role here is {membership.role}; this needs {wanted}.")
        return True


def membership_of(request: Request, slug: str) -> Membership:
    membership = access.membership_for(request.user, slug)
    token = request.auth
    if isinstance(token, ApiToken) and token.project_id not in (None, membership.project_id):
        raise Http404(access.NO_PROJECT)
    return membership


def projects_of(request: Request) -> ProjectQuerySet:
    """The projects the caller may see with what they came with."""
    mine = Project.objects.visible_to(request.user)
    token = request.auth
    return mine.filter(pk=token.project_id) if isinstance(token, ApiToken) and token.project_id else mine
