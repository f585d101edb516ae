"""Places in a JSON value by name: "data.turns", "choices.0.message"; what is there, and which places there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from annotations.formats.loose import loaded
from annotations.records import Json

DEEPEST = 5  # levels in which places are looked for
MOST = 400  # places that are told of one value


def at(value: Json, path: str) -> Json:
    """What stands at the path, None where nothing does. A text that holds JSON is looked into, as cells of tables are.
    The empty path is the value itself."""
    if path and isinstance(value, dict) and path in value:  # a column's name may have dots
        return value[path]
    for key in filter(None, path.split(".")):
        value = loaded(value)
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdecimal() and len(key) < 9 and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value


def without(value: dict[str, Any], paths: set[str]) -> dict[str, Json]:
    """The object without what stands at these paths; what is left of an object within it is left."""
    left: dict[str, Json] = {}
    for key, one in value.items():
        inner = {path[len(key) + 1 :] for path in paths if path.startswith(f"{key}.")}
        if key in paths:
            continue
        if inner and isinstance(one, dict):
            rest = without(one, inner)
            if rest:
                left[key] = rest
        else:
            left[key] = one
    return left


def places(value: Json) -> Iterator[tuple[str, Json]]:
    """Every place within the value that a path names, with what stands there: the outer ones first. Of a list's
    elements only the first is looked into."""
    level: list[tuple[str, Json]] = [("", value)]
    told = 0
    for _ in range(DEEPEST):
        inner: list[tuple[str, Json]] = []
        for path, one in level:
            one = loaded(one)
            keys = (
                list(one.items()) if isinstance(one, dict) else list(enumerate(one[:1])) if path and _rows(one) else []
            )
            inner += [
                (f"{path}.{key}" if path else str(key), found) for key, found in keys if not path or "." not in str(key)
            ]
        for path, one in inner:
            told += 1
            if told > MOST:
                return
            yield path, one
        level = inner


def _rows(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)
