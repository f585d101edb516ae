"""What a new version of a scheme calls otherwise: which names a field offers, and whether the renames hang together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from annotations.records import Json
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.fields.rubric import RubricField, leaves
from annotations.schemes.fields.scale import ScaleField

if TYPE_CHECKING:
    from annotations.schemes.schema import Rename, Scheme

SHAPES = "{field, from, to} for a value, or {from_field, to_field} for a field"


def offered(spec: FieldSpec) -> Sequence[Json]:
    """What can be renamed within the answers of a field: its values, the items of a rubric, the dimensions."""
    if isinstance(spec, RubricField):
        return [one.name for one in leaves(spec.items)]
    if isinstance(spec, ScaleField):
        return [one.name for one in spec.dimensions]
    return spec.values


def problems(scheme: Scheme) -> Iterator[tuple[str, str]]:
    """What is wrong with the renames, each with its place."""
    seen: set[tuple[str, str, str]] = set()
    for number, one in enumerate(scheme.renames):
        place = f"renames.{number}"
        found = list(_of_field(scheme, one, place) if one.from_field or one.to_field else _of_value(scheme, one, place))
        yield from found
        for side, name in (("from", one.from_field or one.was), ("to", one.to_field or one.to)):
            if not found and (one.field, side, repr(name)) in seen:
                yield place, f"{name!r} stands here a second time as {side!r}; each has one old and one new name"
            seen.add((one.field, side, repr(name)))


def _of_field(scheme: Scheme, one: Rename, place: str) -> Iterator[tuple[str, str]]:
    names = [spec.name for spec in scheme.fields]
    if not (one.from_field and one.to_field) or one.field or one.was is not None or one.to is not None:
        yield place, f"this is no rename; accepted is {SHAPES}"
    elif one.to_field not in names:
        yield f"{place}.to_field", f"there is no field {one.to_field!r}; accepted is one of {', '.join(names)}"
    elif one.from_field in names:
        yield f"{place}.from_field", f"{one.from_field!r} is still a field; accepted is a name that is gone"


def _of_value(scheme: Scheme, one: Rename, place: str) -> Iterator[tuple[str, str]]:
    spec = next((spec for spec in scheme.fields if spec.name == one.field), None)
    if not one.field or one.was is None or one.to is None:
        yield place, f"this is no rename; accepted is {SHAPES}"
    elif spec is None:
        names = ", ".join(spec.name for spec in scheme.fields)
        yield f"{place}.field", f"there is no field {one.field!r}; accepted is one of {names}"
    elif not _has(offered(spec), one.to):
        listed = ", ".join(map(str, offered(spec))) or "nothing: its answers have no fixed names"
        yield f"{place}.to", f"{one.field} never says {one.to!r}; accepted is one of {listed}"
    elif _has(offered(spec), one.was):
        yield f"{place}.from", f"{one.field} still says {one.was!r}; accepted is a value that is gone"


def _has(values: Sequence[Json], value: Json) -> bool:
    return any(value == one and type(value) is type(one) for one in values)
