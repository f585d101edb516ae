"""Labels of files that the project's scheme could not hold, by what was lost: how many, and where the first are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from annotations.formats.lines import dump
from annotations.records import Json

REASONS, PLACES = 100, 20  # kept apart, and kept of each; beyond them only their number
OTHER = "other reasons"
_number = re.compile(r"\bstep \d+")


class Unheld(NamedTuple):
    """Labels made under `scheme` that stayed out, of one of its fields or all (""). `step` is a place in the trajectory
    (None: the whole)."""

    scheme: str
    field: str
    reason: str
    file: str
    line: int
    step: int | None = None
    value: Json = None
    labels: int = 1


def gathered(before: Iterable[Json], more: Iterable[Unheld]) -> list[Json]:
    """What was kept before with more of it, in the order in which reasons came up. Reasons that tell only of different
    steps are one."""
    groups = {(one["scheme"], one["field"], one["reason"]): one | {"places": list(one["places"])} for one in before}
    for one in more:
        key = one.scheme, one.field, _number.sub("step N", one.reason)
        if key not in groups and len(groups) >= REASONS:
            key = one.scheme, "", OTHER
        scheme, field, reason = key
        group = groups.setdefault(key, {"scheme": scheme, "field": field, "reason": reason, "labels": 0, "places": []})
        group["labels"] += one.labels
        if len(group["places"]) < PLACES:
            value = None if one.value is None else dump(one.value)[:200]
            group["places"].append({"file": one.file, "line": one.line, "step": one.step, "value": value})
    return list(groups.values())


def by_number(groups: Iterable[Json]) -> list[Json]:
    """Those with most labels first."""
    return sorted(groups, key=lambda one: -one["labels"])


def told(groups: Sequence[Json]) -> list[str]:
    """The same in sentences, for a command."""
    if not groups:
        return []
    lines = [f"{sum(one['labels'] for one in groups)} labels of the files have no place in the project's scheme:"]
    for one in by_number(groups):
        first = one["places"][0]
        of = f"{one['scheme']} {one['field']}".strip()
        lines.append(f"  {one['labels']} of {of}: {one['reason']} (first in {first['file']}, line {first['line']})")
    return lines
