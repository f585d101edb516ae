"""Values as different programs spell them: JSON that is written as text, lists of objects, objects that may be none."""

from __future__ import annotations

from typing import Any

from annotations.formats import lines
from annotations.records import Json


def loaded(value: Json) -> Json:
    """The object or list that a text holds as JSON, as cells of tables do; every other value as it is."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    line = lines.parse(0, value.encode(errors="replace"))
    return value if line.reason else line.value


def objects(value: Json, *needed: str) -> bool:
    """Whether the value is a list, not empty, of objects that all have these keys; a long one by how it begins."""
    return isinstance(value, list) and bool(value) and all(_has(one, needed) for one in value[:20])


def _has(value: Json, needed: tuple[str, ...]) -> bool:
    return isinstance(value, dict) and all(key in value for key in needed)


def mapping(value: Json) -> dict[str, Any]:
    """The object that the value is; an empty one where it is none."""
    return value if isinstance(value, dict) else {}


def listed(value: Json) -> list[Json]:
    """The list that the value is; an empty one where it is none."""
    return value if isinstance(value, list) else []


def without(row: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in keys}
