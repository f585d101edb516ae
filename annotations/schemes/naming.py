"""An answer with the names of a newer scheme in it, and in its order."""

from __future__ import annotations

from collections.abc import Sequence

from annotations.records import Json
from annotations.schemes.fields import RubricField, ScaleField, SpansField, TaxonomyField
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.fields.spans import ordered

Names = Sequence[tuple[Json, Json]]


def renamed(spec: FieldSpec, value: Json, names: Names) -> Json:
    """The answer of that field with every old name replaced by its new one."""
    if isinstance(spec, TaxonomyField):
        return [_name(one, names) for one in value]
    if isinstance(spec, SpansField):
        return [{**span, "type": _name(span["type"], names)} for span in value]
    if isinstance(spec, RubricField) or (isinstance(spec, ScaleField) and spec.dimensions):
        return {_name(name, names): said for name, said in value.items()}
    return _name(value, names)


def in_order(spec: FieldSpec, value: Json) -> Json:
    """The same answer as the field would store it, where that is only a matter of order."""
    if isinstance(spec, TaxonomyField) and isinstance(value, list):
        found = spec.ordered(value)
        return found if len(found) == len(value) else value
    if isinstance(spec, SpansField) and isinstance(value, list):
        return ordered(value)
    return value


def _name(value: Json, names: Names) -> Json:
    return next((now for was, now in names if was == value and type(was) is type(value)), value)
