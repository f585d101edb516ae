"""From one version of a scheme to another: fields of the same name and kind, and what the newer one says it renamed."""

from __future__ import annotations

from collections.abc import Iterator

from annotations.records import Json
from annotations.schemes.fields import PreferenceField, RubricField, ScaleField
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.maps import FieldMap, Hop
from annotations.schemes.renames import offered
from annotations.schemes.schema import Scheme


def hop(old: Scheme, new: Scheme) -> Hop:
    """Whether the new field takes an answer is decided answer by answer. Renames hold in both directions."""
    maps, reasons = [], {}
    for spec in old.fields:
        to = _successor(old, new, spec.name)
        if to is None:
            reasons[spec.name] = f"{new.name} {new.version} has no field {spec.name}"
        elif why := _unlike(spec, to):
            reasons[spec.name] = why
        else:
            names = tuple(_names(old, new, spec, to))
            maps.append(FieldMap(**{"from": spec.name}, to=to.name, names=names))
    return Hop(old, new, tuple(maps), reasons)


def _successor(old: Scheme, new: Scheme, name: str) -> FieldSpec | None:
    """The field that goes on with what that one was asked."""
    renamed = {one.from_field: one.to_field for one in new.renames if one.from_field}
    back = {one.to_field: one.from_field for one in old.renames if one.from_field}
    for known in (renamed.get(name), name, back.get(name)):
        if known and (found := new.field(known)):
            return found
    return None


def _names(old: Scheme, new: Scheme, spec: FieldSpec, to: FieldSpec) -> Iterator[tuple[Json, Json]]:
    """Old names within the answers with their new ones. A name that both versions have means the same in both."""
    forth = [(one.was, one.to) for one in new.renames if one.field == to.name]
    back = [(one.to, one.was) for one in old.renames if one.field == spec.name]
    for was, now in (*forth, *back):
        if was in offered(spec) and was not in offered(to) and now in offered(to):
            yield was, now


def _unlike(spec: FieldSpec, to: FieldSpec) -> str:
    """Why answers to the two fields cannot mean the same; empty where they can."""
    if spec.kind != to.kind:
        return f"{to.name} was of kind {spec.kind} and is of kind {to.kind}"
    if spec.target != to.target:
        return f"{to.name} was asked of each {spec.target} and is asked of each {to.target}"
    if isinstance(spec, ScaleField) and isinstance(to, ScaleField):
        return _unlike_scales(spec, to)
    if isinstance(spec, PreferenceField) and isinstance(to, PreferenceField) and spec.form != to.form:
        return f"{to.name} compared in the form {spec.form} and compares in the form {to.form}"
    if isinstance(spec, RubricField) and isinstance(to, RubricField) and spec.items_from != to.items_from:
        return f"{to.name} took its items from the {spec.items_from} and takes them from the {to.items_from}"
    return ""


def _unlike_scales(spec: ScaleField, to: ScaleField) -> str:
    """A number of a unit means the same on another stretch; a grade is a grade only between the same ends."""
    if spec.unit != to.unit or spec.better != to.better:
        return f"{to.name} measures something else: its unit or its better end changed"
    if not spec.unit and (spec.min, spec.max) != (to.min, to.max):
        return f"{to.name} ran from {spec.min:g} to {spec.max:g} and runs from {to.min:g} to {to.max:g}"
    return ""
