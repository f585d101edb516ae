"""One type for each column of a file, found from its rows: what `datasets` and Parquet want of nested JSON.

Objects of one shape become structs, lists become lists. What has no one shape (numbers here and texts there, objects
that share no key, whole numbers beyond 64 bits) becomes JSON text, and the manifest says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from annotations.formats.lines import dump
from annotations.records import Json

MOST_KEYS = 24  # of objects with more between them nobody has declared the shape
BIG = 2**63


@dataclass
class Shape:
    """What the values at one place have been so far. `kind` is "" (only nulls), bool, int, float, text, list, object or
    json. `keys` are an object's, `always` those that every one had."""

    kind: str = ""
    item: Shape | None = None
    keys: dict[str, Shape] = field(default_factory=dict)
    always: set[str] = field(default_factory=set)
    gaps: bool = False
    empty: bool = True

    def see(self, value: Json) -> bool:
        """Widen the shape so that the value fits. Whether it is the first that shows what the place holds."""
        if value is None or self.kind == "text" and type(value) is str:  # most that is seen
            return False
        before, first, self.empty = self.kind, self.empty, False
        if before == "json":
            return first
        kind = _kind(value)
        if kind == "list" and before in ("", "list"):
            return self._see_list(value) or first
        if kind == "object" and before in ("", "object"):
            return self._see_object(value) or first
        if before in ("", kind):
            self.kind = kind
        elif {before, kind} == {"int", "float"}:
            self.kind = "float"
        else:
            self.kind, self.gaps = "json", True
        return self.kind != before

    def _see_list(self, value: list[Json]) -> bool:
        self.kind, self.item = "list", self.item or Shape()
        return sum(map(self.item.see, value)) > 0

    def _see_object(self, value: dict[str, Json]) -> bool:
        if self.kind == "object" and self.keys.keys() == value.keys():
            return sum(self.keys[key].see(one) for key, one in value.items()) > 0
        first = self.kind == ""
        self.always = set(value) if first else self.always & value.keys()
        self.gaps = self.gaps or not first and self.keys.keys() != value.keys()
        self.kind = "object"
        more = not self.keys.keys() >= value.keys()
        wider = more + sum(self.keys.setdefault(key, Shape()).see(one) for key, one in value.items()) > 0
        if not self.always or len(self.keys) > MOST_KEYS:
            self.kind, self.gaps = "json", True
            self.keys, self.always = {}, set()
            return True
        return wider

    @property
    def even(self) -> bool:
        """Whether every value had this shape as it stood, with no key left out and nothing to be turned into text."""
        inner = [self.item] if self.item else []
        inner += self.keys.values() if self.kind == "object" else []
        return not self.gaps and self.kind != "json" and all(one.even for one in inner)

    def told(self) -> Json:
        """As the manifest says it."""
        if self.kind == "list":
            return [self.item.told() if self.item else "null"]
        if self.kind == "object":
            return {key: one.told() for key, one in self.keys.items()}
        return {"": "null", "json": "JSON text"}.get(self.kind, self.kind)

    def fitted(self, value: Json) -> Json:
        """The value in this shape: keys that it lacks are null, what has no one shape is JSON text."""
        if value is None:
            return None
        if self.kind == "json":
            return dump(value)
        if self.kind == "float":
            return float(value)
        if self.kind == "list" and self.item:
            return [self.item.fitted(one) for one in value]
        if self.kind == "object":
            return {key: one.fitted(value.get(key)) for key, one in self.keys.items()}
        return value

    def arrow(self, pa: Any) -> Any:
        """The type in pyarrow."""
        if self.kind == "list":
            return pa.list_(self.item.arrow(pa) if self.item else pa.string())
        if self.kind == "object":
            return pa.struct([(key, one.arrow(pa)) for key, one in self.keys.items()])
        plain = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64()}
        return plain.get(self.kind, pa.string())


@dataclass
class Columns:
    """The shapes of a file's columns. Those named in `packed` are JSON text, whatever they hold."""

    packed: frozenset[str] = frozenset()
    shapes: dict[str, Shape] = field(default_factory=dict)
    rows: int = 0
    uneven: bool = False

    def see(self, row: Mapping[str, Json]) -> bool:
        """Widen the shapes so that the row fits. Whether it is the first that shows what a place of it holds."""
        if self.rows and row.keys() != self.shapes.keys():
            self.uneven = True
        self.rows += 1
        more = not self.shapes.keys() >= row.keys()
        for name in row:
            self.shapes.setdefault(name, Shape("json" if name in self.packed else ""))
        return more + sum(self.shapes[name].see(value) for name, value in row.items()) > 0

    @property
    def even(self) -> bool:
        return not self.uneven and all(shape.even for shape in self.shapes.values())

    def fitted(self, row: Mapping[str, Json]) -> dict[str, Json]:
        return {name: shape.fitted(row.get(name)) for name, shape in self.shapes.items()}

    def told(self) -> dict[str, Json]:
        return {name: shape.told() for name, shape in self.shapes.items()}

    def fields(self, pa: Any) -> Iterator[Any]:
        for name, shape in self.shapes.items():
            yield pa.field(name, shape.arrow(pa))


def _kind(value: Json) -> str:
    if (plain := _PLAIN.get(type(value))) is not None:
        return plain
    if isinstance(value, int):
        return "int" if -BIG <= value < BIG else "json"
    return "text" if isinstance(value, str) else "object"


_PLAIN = {bool: "bool", float: "float", str: "text", list: "list", tuple: "list", dict: "object"}
