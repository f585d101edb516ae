"""Whether an entry that was added to the deployment may be loaded. Asked when it is added, and by workers again."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from django.utils.module_loading import import_string

from annotations.services import scorer_rules
from annotations.services.scorer_rules import EntryRefused


def checked(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same entry; EntryRefused where it holds what an added one may not, or what its class does not take."""
    scorer_rules.check(entry)
    try:
        inspect.signature(import_string(entry["class"])).bind(**entry["options"])
    except TypeError as exc:
        raise EntryRefused(f"options: {exc}") from exc
    return entry
