"""Scorers of this deployment, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from models_service.scorers.base import Scorer


class NoSuchScorer(LookupError):
    """There is no scorer of that name. The message names those there are."""


class Loader:
    """Loads scorers, one of each name per worker process. Where a name's entry has changed, the scorer of before makes
    room for that of now."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[str, Scorer]] = {}

    def __call__(self, name: str, entries: Mapping[str, Mapping[str, Any]] | None = None) -> Scorer:
        """The scorer of that name in the entries (settings.SCORERS, where none are given), its weights loaded."""
        known = settings.SCORERS if entries is None else entries
        if name not in known:
            raise NoSuchScorer(f"no scorer {name!r}; there are {', '.join(sorted(known))}")
        entry = known[name]
        how = json.dumps([entry["class"], entry.get("options", {})], sort_keys=True, default=repr)
        if name in self._made and self._made[name][0] == how:
            return self._made[name][1]
        self._made.pop(name, None)
        scorer: Scorer = import_string(entry["class"])(**entry.get("options", {}))
        self._made[name] = how, scorer
        return scorer

    def cache_clear(self) -> None:
        self._made.clear()


load = Loader()
