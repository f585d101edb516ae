"""The scorers of this deployment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

Entry = dict[str, Any]  # {"title", "class", "options"}, and "price" where asking it costs something


def all_of_them() -> Mapping[str, Entry]:
    """Name → entry, in the order in which they are shown."""
    found: dict[str, Entry] = settings.SCORERS
    return found


def title(name: str) -> str:
    """Its title; its name where it is not there any more."""
    return str(all_of_them().get(name, {}).get("title", name))
