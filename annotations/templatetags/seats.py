"""To whom a lead can give a trajectory."""

from __future__ import annotations

from typing import Any

from django import template

from annotations.services import assigning

register = template.Library()


@register.simple_tag(takes_context=True)
def labellers(context: dict[str, Any]) -> list[str]:
    """The members of the project who label, by name."""
    return assigning.labellers(context["project"])
