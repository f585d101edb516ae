"""What every page needs of its request: who may see what of the navigation. No queries."""

from __future__ import annotations

from typing import Any, NamedTuple

from django import template
from django.urls import reverse

from annotations import access
from annotations.models import Membership

register = template.Library()


class Tab(NamedTuple):
    title: str
    url: str
    here: bool


# (title, URL name, the roles that see it, the URL names under it)
TABS: tuple[tuple[str, str, set, tuple[str, ...]], ...] = (
    ("Overview", "project", access.SEE, ()),
    ("Label", "label_next", access.LABEL, ("annotate",)),
    ("Trajectories", "trajectories", access.SEE, ("trajectory",)),
    ("Import", "imports", access.MANAGE, ()),
    ("Scores", "scores", access.SEE_OTHERS_LABELS, ()),
    ("Agreement", "agreement", access.SEE_OTHERS_LABELS, ("report",)),
    ("Exports", "exports", access.TAKE_DATA, ()),
    ("Runs", "runs", access.SEE_OTHERS_LABELS, ("run",)),
    ("Guidelines", "guidelines", access.SEE, ("guideline",)),
    ("Members", "members", access.MANAGE, ()),
    ("Settings", "settings", access.MANAGE, ()),
)


@register.simple_tag(takes_context=True)
def project_tabs(context: dict[str, Any]) -> list[Tab]:
    """The pages of the project that the member may open."""
    request = context["request"]
    slug = context["project"].slug
    here = request.resolver_match.url_name if request.resolver_match else ""
    return [
        Tab(title, reverse(name, args=[slug]), here in (name, *under))
        for title, name, roles, under in TABS
        if access.may(request.membership, roles)
    ]


@register.filter
def may(membership: Membership, deed: str) -> bool:
    """Whether the member's role is in that set of access.py, by name: {% if request.membership|may:"MANAGE" %}."""
    return access.may(membership, getattr(access, deed))
