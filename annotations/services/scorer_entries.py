"""The scorers of this deployment: those of its settings, and those that were added to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotations.models import DeployedScorer, User

Entry = dict[str, Any]  # {"title", "class", "options"}, and "price" where asking it costs something


class ScorerRefused(ValueError):
    """It cannot be added or removed. The message says why."""


def all_of_them() -> Mapping[str, Entry]:
    """Name → entry, in the order in which they are shown. The settings come first, and keep their names."""
    found = {one.name: _entry(one) for one in added()}
    return settings.SCORERS | {name: entry for name, entry in found.items() if name not in settings.SCORERS}


def titles(names: Iterable[str]) -> dict[str, str]:
    """Name → title; the name where the scorer is not there any more."""
    wanted = list(names)
    known = all_of_them() if wanted else {}
    return {name: str(known.get(name, {}).get("title", name)) for name in wanted}


def added() -> list[DeployedScorer]:
    """Those that were added and not removed, oldest first."""
    return list(DeployedScorer.objects.filter(removed_at__isnull=True).order_by("pk"))


def add(name: str, entry: Entry, by: User | None) -> DeployedScorer:
    """Add it for all projects. What the entry may hold is for the caller to check. ScorerRefused where the name is
    taken."""
    if name in settings.SCORERS:
        raise ScorerRefused(f"The deployment's settings have a scorer {name!r} already.")
    fields = {"title": entry["title"], "kind": entry["class"], "options": entry["options"], "price": entry.get("price")}
    try:
        with transaction.atomic():
            return DeployedScorer.objects.create(name=name, added_by=by, **fields)
    except IntegrityError as exc:
        raise ScorerRefused(f"There is a scorer {name!r} already; remove it first.") from exc


def remove(name: str) -> None:
    """What it has scored stays. ScorerRefused where nobody added such a scorer."""
    if not DeployedScorer.objects.filter(name=name, removed_at__isnull=True).update(removed_at=timezone.now()):
        there = ", ".join(one.name for one in added()) or "none"
        raise ScorerRefused(f"No scorer {name!r} was added; those that were: {there}.")


def _entry(row: DeployedScorer) -> Entry:
    entry = {"title": row.title, "class": row.kind, "options": row.options, "added": True}
    return entry | ({"price": row.price} if row.price else {})
