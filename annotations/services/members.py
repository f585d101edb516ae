"""Who works on a project. A project always keeps an owner."""

from __future__ import annotations

import secrets

from django.db import transaction

from annotations import access
from annotations.models import Event, Membership, Project, Role, User
from annotations.services import assigning


class MemberRefused(Exception):
    """What may not be done to a membership, as a sentence for the person who asked."""


@transaction.atomic
def add(project: Project, user: User, role: str, by: Membership) -> Membership:
    """Let the user in. MemberRefused where they are in already, or an owner is made by somebody who is none."""
    _refuse_unless_owner(by, role)
    member, new = Membership.objects.get_or_create(project=project, user=user, defaults={"role": role})
    if not new:
        raise MemberRefused(f"{user.username} is a member already, as {member.role}.")
    _log(by, "member.added", None, member)
    return member


@transaction.atomic
def make_account(project: Project, username: str, role: str, by: Membership) -> tuple[User, str]:
    """A new account that is a member, and its password, which is kept nowhere else."""
    password = secrets.token_urlsafe(12)
    user = User.objects.create_user(username, password=password)
    add(project, user, role, by)
    return user, password


@transaction.atomic
def change_role(member: Membership, role: str, by: Membership) -> int:
    """Give the member another role. Whoever no longer labels keeps every label and draft, and holds no seat. Returns
    how many seats came free. MemberRefused where that would leave no owner."""
    _lock(member)
    _refuse_unless_owner(by, role, member.role)
    if member.role == Role.OWNER and role != Role.OWNER:
        _refuse_last_owner(member)
    before = _facts(member)
    member.role = role
    member.save(update_fields=["role"])
    _log(by, "member.changed", before, member)
    return 0 if role in access.LABEL else _free(member, by, f"Their role is {role} now.")


@transaction.atomic
def remove(member: Membership, by: Membership) -> int:
    """End the membership; what the person labelled stays, drafts too, and waits for their return. Returns how many
    seats came free. MemberRefused for the last owner."""
    _lock(member)
    _refuse_unless_owner(by, member.role)
    if member.role == Role.OWNER:
        _refuse_last_owner(member)
    _log(by, "member.removed", _facts(member), None)
    freed = _free(member, by, "They are no member any more.")
    member.delete()
    return freed


def _lock(member: Membership) -> None:
    # The project's row is the lock: two owners who leave at the same moment take turns, and nobody is given a seat
    # meanwhile. No stronger one: whoever is saving a label holds their pass and is about to refer to the project.
    Project.objects.select_for_update(no_key=True).get(pk=member.project_id)


def _free(member: Membership, by: Membership, reason: str) -> int:
    return assigning.free_all(by.project, member.user, by.user, reason)


def _refuse_unless_owner(by: Membership, *roles: str) -> None:
    if Role.OWNER in roles and by.role != Role.OWNER:
        raise MemberRefused("Only an owner makes, changes or removes owners.")


def _refuse_last_owner(member: Membership) -> None:
    others = Membership.objects.filter(project=member.project_id, role=Role.OWNER).exclude(pk=member.pk)
    if not others.exists():
        raise MemberRefused("A project keeps at least one owner. Make somebody else owner first.")


def _facts(member: Membership) -> dict[str, str]:
    return {"user": member.user.username, "role": member.role}


def _log(by: Membership, verb: str, before: dict[str, str] | None, member: Membership | None) -> None:
    after = _facts(member) if member else None
    Event.objects.create(project=by.project, actor=by.user, verb=verb, before=before, after=after)
