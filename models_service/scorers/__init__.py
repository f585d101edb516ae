"""Scorers of this deployment, by name."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from models_service.scorers.base import Scorer


class NoSuchScorer(LookupError):
    """settings.SCORERS names no such scorer. The message names those there are."""


@cache
def load(name: str) -> Scorer:
    """The scorer of that name in settings.SCORERS, its weights loaded; one of each per worker process."""
    entry: dict[str, Any] | None = settings.SCORERS.get(name)
    if entry is None:
        raise NoSuchScorer(f"no scorer {name!r}; there are {', '.join(sorted(settings.SCORERS))}")
    scorer: Scorer = import_string(entry["class"])(**entry.get("options", {}))
    return scorer
