"""The only doors from a URL to a project. A stranger's answer is 404, a member without the role gets 403."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django_htmx.middleware import HtmxDetails

from annotations.models import Membership, Project, Role, Run, User

# What each role may do. A role not named for a deed may not do it.
SEE = set(Role)
LABEL = {Role.OWNER, Role.MANAGER, Role.REVIEWER, Role.ANNOTATOR}
SEE_OTHERS_LABELS = {Role.OWNER, Role.MANAGER, Role.REVIEWER}
TAKE_DATA = {Role.OWNER, Role.MANAGER, Role.REVIEWER}
MANAGE = {Role.OWNER, Role.MANAGER}
# Who may begin each kind of run, and so repeat one they began themselves.
BEGIN: dict[str, set[Role]] = {
    Run.Kind.IMPORT: MANAGE,
    Run.Kind.SCORE: MANAGE,
    Run.Kind.AGREEMENT: SEE_OTHERS_LABELS,
    Run.Kind.EXPORT: TAKE_DATA,
    Run.Kind.SCHEME: MANAGE,
    Run.Kind.PUSH: MANAGE,
    Run.Kind.CALIBRATE: MANAGE,
    Run.Kind.TRAIN: MANAGE,
    Run.Kind.QUEUE: MANAGE,
    Run.Kind.JUDGE: MANAGE,
    Run.Kind.PROBE: MANAGE,
    Run.Kind.LEADERBOARD: SEE_OTHERS_LABELS,
    Run.Kind.INSIGHT: SEE_OTHERS_LABELS,
    Run.Kind.RUBRICS: MANAGE,
    Run.Kind.MEANINGS: MANAGE,
    Run.Kind.CONSENSUS: SEE_OTHERS_LABELS,
    Run.Kind.ADOPT: MANAGE,
}
NO_PROJECT = "There is no such project, or it is not yours to know of."
NOT_YOURS = "Only what you began yourself and may still begin is yours to stop or repeat."


class Request(HttpRequest):
    """What middleware adds, for the type checker."""

    htmx: HtmxDetails
    user: User
    membership: Membership


def membership_for(user: User | AnonymousUser, slug: str) -> Membership:
    """The user's membership of the project; Http404 where there is none or no such project."""
    mine = Membership.objects.select_related("project__scheme")
    found = mine.filter(project__slug=slug, user=user if user.is_authenticated else None).first()
    if found is None:
        raise Http404(NO_PROJECT)
    return found


def project_for(request: HttpRequest, slug: str, roles: set[Role] = SEE) -> Project:
    """The project of that slug for a member in one of the roles. Sets request.membership."""
    membership = membership_for(request.user, slug)
    if membership.role not in roles:
        raise PermissionDenied(f"Your role here is {membership.role}; this needs {' or '.join(sorted(roles))}.")
    request.membership = membership  # type: ignore[attr-defined]
    return membership.project


def may(membership: Membership, roles: set[Role]) -> bool:
    return membership.role in roles


def may_steer(membership: Membership, run: Run) -> bool:
    """Whether the member may stop and repeat the run: managers any, others what they began and may still begin."""
    own = run.created_by_id == membership.user_id
    return may(membership, MANAGE) or (own and may(membership, BEGIN[run.kind]))
